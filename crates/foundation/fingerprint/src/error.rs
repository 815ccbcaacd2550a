use std::path::PathBuf;

/// Why a fingerprint could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Called from elsewhere than a build script.
    #[error("`CARGO_MANIFEST_DIR` is not set: call this from a build script")]
    NotABuildScript,
    /// No folder above the crate holds a `Cargo.toml` with `[workspace]`.
    #[error("no workspace above `{0}`")]
    NoWorkspace(PathBuf),
    /// A manifest or the lock file is not TOML.
    #[error("`{path}`: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the line.
        source: toml::de::Error,
    },
    /// A manifest lacks something that is needed.
    #[error("`{path}`: {what}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The lock file does not know a package.
    #[error("`Cargo.lock` does not know `{0}`")]
    NotLocked(String),
    /// A file could not be read; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
