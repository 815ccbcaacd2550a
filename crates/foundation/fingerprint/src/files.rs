//! Which files of a crate are its code.

use std::path::{Path, PathBuf};

use crate::Error;

/// Folders at the top of a crate that do not end up in what it computes.
const NOT_CODE: [&str; 6] = ["tests", "benches", "examples", "fuzz", "fixtures", "target"];

/// A file of a crate.
pub(crate) struct File {
    /// Path within the crate, parts joined by `/` on every system.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) path: PathBuf,
}

/// Every file of the crate in `dir` that counts as code.
pub(crate) fn of_crate(dir: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for path in top_level(dir)? {
        collect(dir, path, &mut files)?;
    }
    Ok(files)
}

/// The entries of the crate's own folder that count as code.
pub(crate) fn top_level(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = entries(dir)?;
    Ok(entries.into_iter().filter(|path| !NOT_CODE.contains(&name_of(path).as_str())).collect())
}

fn collect(dir: &Path, path: PathBuf, files: &mut Vec<File>) -> Result<(), Error> {
    if path.is_dir() {
        for entry in entries(&path)? {
            collect(dir, entry, files)?;
        }
    } else {
        let within = path.strip_prefix(dir).unwrap_or(&path);
        let parts: Vec<_> = within.iter().map(|part| part.to_string_lossy()).collect();
        files.push(File { name: parts.join("/"), path });
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
