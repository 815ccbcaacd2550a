//! What can be wrong with pictures and with where they lie.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A folder or table of pictures that cannot be used as a whole.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(code(pictures::io), help("check that the path exists and that you may use it"))]
    Io(#[from] std::io::Error),

    /// A Parquet file that cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),

    /// Folders whose meaning is not clear.
    #[error("`{path}`: {message}")]
    #[diagnostic(code(pictures::layout))]
    Layout {
        /// The folder.
        path: PathBuf,
        /// What was seen.
        message: String,
        /// The layouts that are understood.
        #[help]
        help: String,
    },

    /// A Parquet column that is missing or of the wrong type.
    #[error("`{path}`, column `{column}`: {message}")]
    #[diagnostic(code(pictures::column))]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// An image whose picture is not in the source, or is there twice.
    #[error("`{path}`: {message}")]
    #[diagnostic(code(pictures::name))]
    Name {
        /// The folder or file.
        path: PathBuf,
        /// Which name.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },
}

impl Error {
    pub(crate) fn layout(path: &Path, message: String, help: impl Into<String>) -> Self {
        Self::Layout { path: path.to_owned(), message, help: help.into() }
    }

    pub(crate) fn column(
        path: &Path,
        column: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Why one picture cannot be read. Its text goes on from the picture's name: "`a.jpg`: …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Bytes of something else.
    #[error("{0}")]
    NotAPicture(String),
    /// A picture of a format that is known but not read.
    #[error("it is {format}, which is not read: {way_out}")]
    Format {
        /// The format's name.
        format: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// More pixels than [`Options::max_pixels`](crate::Options::max_pixels).
    #[error("it has {width} × {height} pixels, more than `max_pixels = {limit}`")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit.
        limit: u64,
    },
    /// The data end early.
    #[error("it is cut off: {0}")]
    CutOff(String),
    /// What the decoder says of damaged data.
    #[error("{0}")]
    Damaged(String),
    /// The file could not be opened or read, or its name cannot be used.
    #[error("{0}")]
    File(String),
}
