//! What can go wrong in this crate.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why images could not be embedded by a pretrained network.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(code(pretrained::io))]
    Io(#[from] std::io::Error),

    /// A table that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),

    /// The source of the pictures cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pictures(#[from] scarce_pictures::Error),

    /// Parameters that do not fit together or do not fit the model.
    #[error("{message}")]
    #[diagnostic(code(pretrained::request))]
    Request {
        /// What does not fit.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// ONNX Runtime is not there, is another version, or does not load.
    #[error("{message}")]
    #[diagnostic(code(pretrained::runtime))]
    Runtime {
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// A model that cannot be used.
    #[error("`{path}`: {message}")]
    #[diagnostic(code(pretrained::model))]
    Model {
        /// The model's file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// A description of the preprocessing that is not understood in full.
    #[error("`{path}`: {message}")]
    #[diagnostic(code(pretrained::preprocessing))]
    Preprocessing {
        /// The file that describes it.
        path: PathBuf,
        /// What is not understood.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// An image that cannot be read.
    #[error("cannot read the image `{name}`: {message}")]
    #[diagnostic(code(pretrained::image))]
    Image {
        /// The file, or the row of a table.
        name: String,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// The network does not compute.
    #[error("the network stopped at the image `{name}`: {message}")]
    #[diagnostic(
        code(pretrained::network),
        help("does it run in ONNX Runtime by itself? a smaller `batch` takes less memory")
    )]
    Network {
        /// The first image of the batch.
        name: String,
        /// What ONNX Runtime says.
        message: String,
    },
}

impl Error {
    pub(crate) fn request(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Request { message: message.into(), help: help.into() }
    }

    pub(crate) fn runtime(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Runtime { message: message.into(), help: help.into() }
    }

    pub(crate) fn model(path: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Model { path: path.to_owned(), message: message.into(), help: help.into() }
    }

    pub(crate) fn preprocessing(
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Preprocessing { path: path.to_owned(), message: message.into(), help: help.into() }
    }

    pub(crate) fn image(name: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Image { name: name.to_owned(), message: message.into(), help: help.into() }
    }
}
