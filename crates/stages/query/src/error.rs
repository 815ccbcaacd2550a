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

    /// An image that a table is about, but that is not among the images.
    #[error("`{path}` has the image {id}, which is not among the images that are wired")]
    #[diagnostic(
        code(query::unknown_image),
        help("wire images and the other tables of the same images")
    )]
    UnknownImage {
        /// The distributions, predictions or embeddings.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// An image that might be chosen, but is in no cluster.
    #[error("`{path}` has no cluster for the image {id}")]
    #[diagnostic(
        code(query::unclustered),
        help("wire clusters of these embeddings, or leave `clusters` out to have some made")
    )]
    Unclustered {
        /// The clusters.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// An image that might be asked for, but has no vector.
    #[error("`{path}` has no embedding of the image {id}")]
    #[diagnostic(
        code(query::no_embedding),
        help("wire embeddings of all images, or leave `diverse` out")
    )]
    NoEmbedding {
        /// The embeddings.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// The computation refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernel(#[from] scarce_numeric::Error),

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
