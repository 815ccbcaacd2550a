//! A pipeline's TOML file.

use std::path::{Path, PathBuf};

use crate::Error;

/// A TOML file that has been read but not yet checked against the kinds there are.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    hosts: Vec<PathBuf>,
}

impl Document {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// As [`Document::parse`], or when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let _ = path;
        unreachable!("the next commit brings this")
    }

    /// Parses a text; `path` is for messages, for finding what the text names, and need not exist.
    ///
    /// # Errors
    /// When it is not TOML, or `[pipeline] hosts` is not a list of strings.
    pub fn parse(path: &Path, text: String) -> Result<Self, Error> {
        let _ = (path, text);
        unreachable!("the next commit brings this")
    }

    /// The file, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Programs that provide more kinds: `[pipeline] hosts`. Those with a `/` are absolute here
    /// (they are relative to the TOML file); bare names are to be looked up on the `PATH`.
    pub fn hosts(&self) -> &[PathBuf] {
        &self.hosts
    }
}
