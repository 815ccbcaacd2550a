//! What can go wrong with wheels.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a library could not be had out of a wheel.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(code(wheels::io))]
    Io(#[from] std::io::Error),

    /// Nothing that downloads.
    #[error("neither pip nor uv runs here, and Python wheels are downloaded with one of them")]
    #[diagnostic(
        code(wheels::no_pip),
        help("install pip (Debian, Ubuntu: `apt install python3-pip`) or uv")
    )]
    NoPip,

    /// pip failed; it has said why.
    #[error("`{pip} download` failed ({status})")]
    #[diagnostic(
        code(wheels::download),
        help(
            "its own message is above; where a network or index is in the way: pip reads `PIP_INDEX_URL` and `HTTPS_PROXY`"
        )
    )]
    Download {
        /// How it was called.
        pip: String,
        /// How it ended.
        status: String,
    },

    /// A wheel that is not where it should be.
    #[error("there is no wheel of `{requirement}` in `{folder}`")]
    #[diagnostic(code(wheels::missing))]
    Missing {
        /// As pip reads it.
        requirement: String,
        /// Where it was looked for.
        folder: PathBuf,
    },

    /// A wheel that is no zip file, or is damaged.
    #[error("`{wheel}` cannot be unpacked: {message}")]
    #[diagnostic(code(wheels::damaged), help("remove it and try again"))]
    Damaged {
        /// The file.
        wheel: PathBuf,
        /// What is wrong.
        message: String,
    },

    /// A member with other bytes.
    #[error("`{member}` of `{wheel}` has SHA-256 {found}, not {expected}")]
    #[diagnostic(code(wheels::checksum), help("remove the wheel and download it again"))]
    Checksum {
        /// The file.
        wheel: PathBuf,
        /// Path in it.
        member: String,
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },

    /// A platform that no library is pinned for.
    #[error("no {what} is pinned for this platform")]
    #[diagnostic(code(wheels::platform))]
    Platform {
        /// The library.
        what: &'static str,
        /// The way out.
        #[help]
        help: String,
    },
}
