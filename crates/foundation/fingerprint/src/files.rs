//! Which files of a crate are its code.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::code::{Code, executed};
use crate::manifest::of_what_is_built;

/// Folders at the top of a crate that do not end up in what it computes.
const NOT_CODE: [&str; 6] = ["tests", "benches", "examples", "fuzz", "fixtures", "target"];

/// A file of a crate.
pub(crate) struct File {
    /// Path within the crate, parts joined by `/` on every system.
    pub(crate) name: String,
    /// What of it counts: for Rust its code, for a manifest what is built, else every byte.
    pub(crate) content: Vec<u8>,
}

/// Every file of the crate in `dir` that counts as code.
pub(crate) fn of_crate(dir: &Path) -> Result<Vec<File>, Error> {
    let mut paths = Vec::new();
    for path in top_level(dir)? {
        collect(path, &mut paths)?;
    }
    let mut files = Vec::new();
    let mut tests: Vec<PathBuf> = Vec::new();
    for path in paths {
        let bytes = fs_err::read(&path)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let text = std::str::from_utf8(&bytes).ok();
        let content = match (extension, text) {
            (Some("rs"), Some(text)) => executed(&path, text).map(|code| {
                let Code { tokens, tests: of_this } = code;
                tests.extend(of_this);
                tokens
            }),
            (Some("toml"), Some(text)) if path == dir.join("Cargo.toml") => of_what_is_built(text),
            _ => None,
        };
        files.push((path, content.map_or(bytes, String::into_bytes)));
    }
    files.retain(|(path, _)| !tests.iter().any(|test| path.starts_with(test)));
    let named = |(path, content): (PathBuf, Vec<u8>)| {
        let within = path.strip_prefix(dir).unwrap_or(&path);
        let parts: Vec<_> = within.iter().map(|part| part.to_string_lossy()).collect();
        File { name: parts.join("/"), content }
    };
    Ok(files.into_iter().map(named).collect())
}

/// The entries of the crate's own folder that count as code.
pub(crate) fn top_level(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = entries(dir)?;
    Ok(entries.into_iter().filter(|path| !NOT_CODE.contains(&name_of(path).as_str())).collect())
}

fn collect(path: PathBuf, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if path.is_dir() {
        for entry in entries(&path)? {
            collect(entry, files)?;
        }
    } else {
        files.push(path);
    }
    Ok(())
}

/// What lies in `dir`, without hidden files, snapshots, and files for readers.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(dir)? {
        let path = entry?.path();
        let name = name_of(&path);
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        if !name.starts_with('.') && name != "snapshots" && !is_page {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
