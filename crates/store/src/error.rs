//! What can go wrong with the store.

use std::{io, path::PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A store that could not be read or written. Every variant names the path.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The disk or the quota is full.
    #[error("the disk is full: {0}")]
    #[diagnostic(
        code(store::full),
        help(
            "free some space (`scarce gc` removes what no recorded run reaches) or put the artifacts elsewhere; nothing was half-published"
        )
    )]
    Full(io::Error),

    /// The store may not be written.
    #[error("the store cannot be written: {0}")]
    #[diagnostic(
        code(store::read_only),
        help("make the folder writable, or put the artifacts in a folder that is")
    )]
    ReadOnly(io::Error),

    /// The operating system refused something else.
    #[error(transparent)]
    #[diagnostic(
        code(store::io),
        help(
            "check that the path exists, is a folder where one is meant, and that you may use it"
        )
    )]
    Io(io::Error),

    /// A run holds the store.
    #[error("a run is using `{path}`")]
    #[diagnostic(
        code(store::busy),
        help("wait until it has ended; what a live run uses is not collected")
    )]
    Busy {
        /// The store.
        path: PathBuf,
    },

    /// A kind whose name cannot be a folder.
    #[error("`{name}` cannot be the name of a kind")]
    #[diagnostic(
        code(store::kind_name),
        help("lower-case letters, digits, `-` and `_`, beginning with a letter")
    )]
    KindName {
        /// The name.
        name: String,
    },

    /// A stage left out a file.
    #[error("the output `{port}` has no file `{file}`")]
    #[diagnostic(
        code(store::output_missing),
        help("a stage must write every output that is not optional, and each of its files")
    )]
    OutputMissing {
        /// The output.
        port: String,
        /// The file's name.
        file: String,
    },

    /// A stage wrote a file that is not what its port says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Output(#[from] scarce_artifact::Error),

    /// An external path that is neither a file nor a folder of files.
    #[error("`{path}` cannot be used as data: {message}")]
    #[diagnostic(code(store::external), help("point to a regular file or a folder of them"))]
    External {
        /// The path.
        path: PathBuf,
        /// Why not.
        message: String,
    },
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly(error)
            }
            _ => Self::Io(error),
        }
    }
}
