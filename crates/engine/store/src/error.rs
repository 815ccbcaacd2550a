//! What can go wrong with the store.

use std::{
    io,
    path::{Path, PathBuf},
};

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

    /// The store lies on a disk that can only be read.
    #[error("the store cannot be written: {0}")]
    #[diagnostic(
        code(store::read_only),
        help("make the folder writable, or put the artifacts in a folder that is")
    )]
    ReadOnly(io::Error),

    /// This user may not read or write something.
    #[error("permission denied: {0}")]
    #[diagnostic(
        code(store::denied),
        help(
            "it may belong to another user (`ls -l` says): let that user give the right to it with `chmod` or `chown`, or put the artifacts elsewhere with `--artifacts`"
        )
    )]
    Denied(io::Error),

    /// Something lies where the store keeps a file or folder of its own.
    #[error("`{path}` {what}: the store does not touch it")]
    #[diagnostic(
        code(store::foreign),
        help(
            "remove it or move it away: the store makes its own; to keep artifacts on another disk, name a folder there with `--artifacts`"
        )
    )]
    Foreign {
        /// The path.
        path: PathBuf,
        /// What it is, as the rest of a sentence: `is a link`.
        what: String,
    },

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
        help(
            "wait until it has ended (or `scarce verify`, which counts as one); what a live run uses is not collected"
        )
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

    /// A stage left a file that is not its own alone.
    #[error("`{file}` of the output `{port}` has other names on this disk")]
    #[diagnostic(
        code(store::output_linked),
        help("a stage must write its outputs itself: copy the file instead of linking it")
    )]
    OutputLinked {
        /// The output.
        port: String,
        /// The file's name.
        file: String,
    },

    /// A port whose files would lie elsewhere.
    #[error("`{port}` cannot be the name of an output")]
    #[diagnostic(code(store::port_name), help("it must be the name of a file, without a folder"))]
    PortName {
        /// The output.
        port: String,
    },

    /// Data that do not hold still.
    #[error("`{path}` changes while it is being read")]
    #[diagnostic(code(store::unsteady), help("wait until whatever writes there has ended"))]
    Unsteady {
        /// The path.
        path: PathBuf,
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
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(error),
            io::ErrorKind::PermissionDenied => Self::Denied(error),
            _ => Self::Io(error),
        }
    }
}

impl Error {
    pub(crate) fn foreign(path: &Path, what: &str) -> Self {
        Self::Foreign { path: path.to_owned(), what: what.to_owned() }
    }
}
