//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing could be asked.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// Wires or parameters that do not fit together.
    #[error("{message}")]
    #[diagnostic(code(query::request))]
    Request {
        /// What does not fit.
        message: String,
        /// The way out.
        #[help]
        help: &'static str,
    },

    /// Two rows of a table have one id.
    #[error("`{path}` has the image {id} twice")]
    #[diagnostic(code(query::repeated_image), help("ids must be unique: write the table again"))]
    RepeatedImage {
        /// The table.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// An image that is believed something of, but is not among the images.
    #[error("`{path}` has the image {id}, which is not among the images that are wired")]
    #[diagnostic(
        code(query::unknown_image),
        help("wire images and distributions (or predictions) of the same images")
    )]
    UnknownImage {
        /// The distributions or predictions.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// Probabilities that are none.
    #[error("`{path}`, image {id}: {message}")]
    #[diagnostic(code(query::value), help("the table is damaged: write it again"))]
    Value {
        /// The table.
        path: PathBuf,
        /// The image.
        id: u32,
        /// What is wrong.
        message: String,
    },

    /// A table that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),
}

impl Error {
    pub(crate) fn request(message: impl Into<String>, help: &'static str) -> Self {
        Self::Request { message: message.into(), help }
    }
}
