//! What can go wrong with models.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model cannot be had.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(code(models::io))]
    Io(#[from] std::io::Error),

    /// A digest could not be taken.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Digest(#[from] scarce_wheels::Error),

    /// A model without a public address.
    #[error("`{name}` cannot be fetched: its ONNX file is a conversion that has no public address")]
    #[diagnostic(code(models::no_address))]
    NoAddress {
        /// The model.
        name: &'static str,
        /// The way out.
        #[help]
        help: String,
    },

    /// Every address failed.
    #[error("cannot download `{name}`: {message}")]
    #[diagnostic(code(models::download))]
    Download {
        /// The model.
        name: &'static str,
        /// What the address said.
        message: String,
        /// How to do it by hand.
        #[help]
        help: String,
    },

    /// Something of the user's is where the model should go.
    #[error("`{folder}` is there, but is not the model: {message}")]
    #[diagnostic(
        code(models::in_the_way),
        help("move it away, or verify it with `scarce data verify`")
    )]
    InTheWay {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}
