//! What is downloaded: once per user, linked into each clone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::say;

/// The lock of one thing in the cache. The kernel drops it with its process, so that two clones set
/// up at once download once.
pub(crate) fn lock(folder: &Path, name: &str) -> Result<fs_err::File> {
    let lock = fs_err::File::create(folder.join(format!("{name}.lock")))?;
    if lock.file().try_lock().is_err() {
        say("another set-up is at work: waiting for it");
        lock.file().lock().context("the lock of the cache")?;
    }
    Ok(lock)
}

/// The user's cache for this program; within the workspace where there is none.
pub(crate) fn folder(root: &Path) -> Result<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let of_user =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    if let Some(folder) = of_user.map(|cache| cache.join("scarce")) {
        match fs_err::create_dir_all(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => say(format_args!("no cache for the next clone: {error}")),
        }
    }
    let folder = root.join("target/setup-cache");
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

/// Puts the files of `cached` at `place`, sharing their bytes where the file system
/// can and copying them where it cannot.
pub(crate) fn link(cached: &Path, place: &Path) -> Result<()> {
    let partial = beside(place);
    remove(&partial)?;
    link_folder(cached, &partial)?;
    remove(place)?;
    fs_err::rename(&partial, place)?;
    Ok(())
}

fn link_folder(from: &Path, to: &Path) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            link_folder(&source, &target)?;
        } else if kind.is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(&source)?, &target)?;
        } else if fs_err::hard_link(&source, &target).is_err() {
            fs_err::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// `path.partial`: unfinished work lies there, on the same file system.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Removes a folder, a file or a link, if there is one.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs_err::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(found) if found.is_dir() => Ok(fs_err::remove_dir_all(path)?),
        Ok(_) => Ok(fs_err::remove_file(path)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_gets_every_file_and_link() {
        let dir = tempfile::tempdir().unwrap();
        let (cached, place) = (dir.path().join("cached"), dir.path().join(".libtorch"));
        fs_err::create_dir_all(cached.join("lib/deep")).unwrap();
        fs_err::write(cached.join("lib/deep/a.so"), "a").unwrap();
        fs_err::os::unix::fs::symlink("deep/a.so", cached.join("lib/b.so")).unwrap();
        // what an interrupted set-up left
        fs_err::create_dir_all(beside(&place).join("half")).unwrap();
        fs_err::create_dir_all(place.join("old")).unwrap();

        link(&cached, &place).unwrap();

        assert_eq!(fs_err::read_to_string(place.join("lib/b.so")).unwrap(), "a");
        assert!(!place.join("old").exists() && !place.join("half").exists());
        assert!(!beside(&place).exists());
    }
}
