//! Small things that the file system lacks.

use std::{
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use fs_err::File;

use crate::Result;

/// What a written file must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of this program: the file is replaced whole, but not flushed. For caches.
    Process,
    /// A crash of the machine: flushed before it takes its name.
    Machine,
}

/// A name that no other thread or process uses.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Writes a file beside its place and renames it there, so that a reader sees the old or the new.
///
/// # Errors
/// When the disk refuses; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", unique()));
    let written = write_new(&temporary, bytes, durability)
        .and_then(|()| Ok(fs_err::rename(&temporary, path)?));
    if written.is_err() {
        let _ = fs_err::remove_file(&temporary);
    }
    written
}

pub(crate) fn write_new(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if durability == Durability::Machine {
        file.sync_all()?;
    }
    Ok(())
}

/// Flushes a folder's list of names.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
}

/// Whether a file of `bytes` bytes begins and ends as Parquet does.
pub(crate) fn has_parquet_magic(path: &Path, bytes: u64) -> std::io::Result<bool> {
    if bytes < 12 {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let mut head = [0; 4];
    let mut tail = [0; 4];
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::Start(bytes - 4))?;
    file.read_exact(&mut tail)?;
    Ok(&head == b"PAR1" && &tail == b"PAR1")
}

/// Bytes of all files under a folder; what cannot be read counts nothing.
pub(crate) fn bytes_under(path: &Path) -> u64 {
    let files = walkdir::WalkDir::new(path).into_iter().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|m| m.len())
        .sum()
}

/// The entries of a folder, sorted; none when the folder is not there.
pub(crate) fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Removes a folder or file; one that is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let is_folder = fs_err::symlink_metadata(path).is_ok_and(|m| m.is_dir());
    let removed = if is_folder { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
