//! The stamp: what a libtorch of ours holds, so that damage shows.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use scarce_wheels::sha256;

use super::recipe::{REVISION, VERSION};

/// Name of the stamp within the libtorch folder. Written last.
const STAMP: &str = "scarce-stamp";

/// What is wrong with a libtorch.
#[derive(Debug)]
pub(crate) enum Damage {
    /// There is none.
    Absent,
    /// Made by another revision of the recipe, or the stamp is unreadable.
    Stale,
    /// A file is missing, or its size or content is not what it was.
    File(String),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => write!(f, "it is not there"),
            Self::Stale => write!(f, "made by another version of the set-up"),
            Self::File(name) => write!(f, "`{name}` is not as it was"),
        }
    }
}

/// Stamps the finished libtorch in `dir`: the size and SHA-256 of its libraries, and how
/// many headers it has.
pub(crate) fn write(dir: &Path) -> Result<()> {
    let mut text = header();
    let mut libraries = Vec::new();
    for entry in fs_err::read_dir(dir.join("lib"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            libraries.push(format!("lib/{}", entry.file_name().to_string_lossy()));
        }
    }
    libraries.sort();
    for name in libraries {
        let path = dir.join(&name);
        let bytes = fs_err::metadata(&path)?.len();
        writeln!(text, "{bytes} {} {name}", sha256(&path)?)?;
    }
    writeln!(text, "headers {}", count_files(&dir.join("include"))?)?;
    fs_err::write(dir.join(STAMP), text).context("the stamp")
}

/// Checks sizes: a few system calls.
pub(crate) fn glance(dir: &Path) -> Result<(), Damage> {
    check(dir, false)
}

/// Checks every byte of the libraries and counts the headers: about a second.
pub(crate) fn verify(dir: &Path) -> Result<(), Damage> {
    check(dir, true)
}

fn check(dir: &Path, thoroughly: bool) -> Result<(), Damage> {
    if !dir.exists() {
        return Err(Damage::Absent);
    }
    let text = fs_err::read_to_string(dir.join(STAMP)).map_err(|_| Damage::Stale)?;
    let lines = text.strip_prefix(&header()).ok_or(Damage::Stale)?;
    // what the linker asks for, and the first header of the bindings
    for name in ["lib/libtorch.so", "include/torch/csrc/api/include/torch/torch.h"] {
        if !dir.join(name).exists() {
            return Err(Damage::File(name.to_owned()));
        }
    }
    for line in lines.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let (name, whole) = match parts.as_slice() {
            ["headers", count] => {
                let same =
                    || count_files(&dir.join("include")).is_ok_and(|n| n.to_string() == *count);
                ("include", !thoroughly || same())
            }
            [bytes, hash, name] => {
                let path = dir.join(name);
                let size = fs_err::metadata(&path).map(|found| found.len().to_string());
                let same_size = size.is_ok_and(|size| size == *bytes);
                let same = || sha256(&path).is_ok_and(|found| found == *hash);
                (*name, same_size && (!thoroughly || same()))
            }
            _ => return Err(Damage::Stale),
        };
        if !whole {
            return Err(Damage::File(name.to_owned()));
        }
    }
    Ok(())
}

fn header() -> String {
    format!("libtorch {VERSION} recipe {REVISION}\n")
}

fn count_files(dir: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { count_files(&entry.path())? } else { 1 };
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn libtorch() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let header = dir.path().join("include/torch/csrc/api/include/torch/torch.h");
        fs_err::create_dir_all(header.parent().unwrap()).unwrap();
        fs_err::write(header, "").unwrap();
        fs_err::create_dir(dir.path().join("lib")).unwrap();
        fs_err::write(dir.path().join("lib/libtorch.so"), "abcd").unwrap();
        write(dir.path()).unwrap();
        dir
    }

    #[test]
    fn a_whole_one_passes() {
        let dir = libtorch();
        glance(dir.path()).unwrap();
        verify(dir.path()).unwrap();
    }

    #[test]
    fn a_truncated_library_shows_at_a_glance() {
        let dir = libtorch();
        fs_err::write(dir.path().join("lib/libtorch.so"), "abc").unwrap();
        assert!(matches!(glance(dir.path()), Err(Damage::File(name)) if name == "lib/libtorch.so"));
    }

    #[test]
    fn a_changed_byte_shows_when_verified() {
        let dir = libtorch();
        fs_err::write(dir.path().join("lib/libtorch.so"), "abce").unwrap();
        glance(dir.path()).unwrap();
        assert!(matches!(verify(dir.path()), Err(Damage::File(_))));
    }

    #[test]
    fn a_missing_stamp_shows() {
        let dir = libtorch();
        fs_err::remove_file(dir.path().join(STAMP)).unwrap();
        assert!(matches!(glance(dir.path()), Err(Damage::Stale)));
        assert!(matches!(glance(&dir.path().join("nowhere")), Err(Damage::Absent)));
    }
}
