//! Small things that the file system lacks.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use fs_err::{File, OpenOptions, os::unix::fs::OpenOptionsExt};
use rustix::{
    fs::OFlags,
    process::{Pid, test_kill_process},
};

use crate::{Error, Result};

/// What a written file must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of this program: the file is replaced whole, but not flushed. For caches.
    Process,
    /// A crash of the machine: flushed before it takes its name.
    Machine,
}

/// A temporary file of a process that is gone is removed when it is older than this: a process may be
/// gone on this machine and at work on another that shares the disk.
const ABANDONED: Duration = Duration::from_mins(1);

/// A name that no other thread or process uses.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The process in a name made by [`unique`].
pub(crate) fn writer_of(unique: &str) -> Option<i32> {
    let (process, number) = unique.split_once('-')?;
    number.parse::<u64>().ok()?;
    process.parse().ok().filter(|process| *process > 0)
}

/// Writes a file beside its place and renames it there, so that a reader sees the old or the new. What
/// processes that were killed in the middle of that left beside it is removed.
///
/// # Errors
/// When the disk refuses; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    sweep(folder, Some(&name));
    let temporary = folder.join(format!(".{name}.{}", unique()));
    let written = write_new(&temporary, bytes, durability)
        .and_then(|()| Ok(fs_err::rename(&temporary, path)?));
    if written.is_err() {
        let _ = fs_err::remove_file(&temporary);
    }
    written
}

/// Removes what [`write_atomic`] of processes that are gone has left in a folder: of one file, or all.
/// What cannot be removed stays. Returns the bytes.
pub fn sweep(folder: &Path, name: Option<&str>) -> u64 {
    let abandoned = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?.strip_prefix('.')?;
        let (of, unique) = file.rsplit_once('.')?;
        let process = writer_of(unique).filter(|_| name.is_none_or(|name| name == of))?;
        let metadata = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
        let old = metadata.modified().ok()?.elapsed().is_ok_and(|age| age > ABANDONED);
        (old && !is_alive(process)).then_some(metadata.len())
    };
    let mut bytes = 0;
    for path in list(folder).unwrap_or_default() {
        if let Some(size) = abandoned(&path)
            && fs_err::remove_file(&path).is_ok()
        {
            bytes += size;
        }
    }
    bytes
}

fn is_alive(process: i32) -> bool {
    // Not permitted to signal it: it is there.
    Pid::from_raw(process).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Writes a file that is not there yet; what lies in its place is removed, not written through.
pub(crate) fn write_new(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    remove(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    if durability == Durability::Machine {
        file.sync_all()?;
    }
    Ok(())
}

/// The bytes of a regular file. Unlike `std::fs::read` it does not wait for ever at a pipe or read
/// without end from a device.
///
/// # Errors
/// When it is no regular file, or cannot be read.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // Looked at before it is opened: to open some devices is to use them.
    regular(path, &fs_err::metadata(path)?)?;
    let flags = OFlags::NONBLOCK.bits() as i32;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    regular(path, &metadata)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn regular(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let message = format!("`{}` is not a regular file", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Opens a file that serves as a lock, making it if need be, for whoever may write in its folder.
///
/// # Errors
/// [`Error::Foreign`] when something else lies there; when it cannot be made or opened.
pub fn lock_file(path: &Path) -> Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => return Err(Error::foreign(path, "is not a file")),
        Ok(_) => {}
        Err(_) => fs_err::create_dir_all(folder)?,
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits() as i32;
    let mut made = OpenOptions::new();
    match made.write(true).create_new(true).custom_flags(flags).open(path) {
        Ok(file) => {
            // Whoever may write in the folder may lock as well, whatever the umask says.
            let shared = folder.metadata()?.permissions().mode() & 0o066;
            let mode = std::fs::Permissions::from_mode(0o600 | shared);
            let _ = file.set_permissions(mode);
            return Ok(file);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    // The lock is on the file, not on its bytes: to read it is enough.
    let mut there = OpenOptions::new();
    match there.write(true).custom_flags(flags).open(path) {
        Ok(file) => Ok(file),
        Err(_) => Ok(OpenOptions::new().read(true).custom_flags(flags).open(path)?),
    }
}

/// Flushes a folder's list of names.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
}

/// Whether a file of `bytes` bytes begins and ends as Parquet does.
pub(crate) fn has_parquet_magic(path: &Path, bytes: u64) -> io::Result<bool> {
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
///
/// # Errors
/// When it cannot be read.
pub fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
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
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
