//! One libtorch per user, linked into each clone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{pip, recipe, stamp, unpack};
use crate::say;

/// Calls `then` with a whole libtorch of the user's cache, made first if need be.
///
/// Held under a lock that the kernel drops with its process, so that two clones set up
/// at once download once.
pub(crate) fn with_libtorch(root: &Path, then: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = cache_folder(root)?;
    let name = format!("libtorch-{}-cpu", recipe::VERSION);
    let lock = fs_err::File::create(folder.join(format!("{name}.lock")))?;
    if lock.file().try_lock().is_err() {
        say("another set-up is at work: waiting for it");
        lock.file().lock().context("the lock of the cache")?;
    }
    let libtorch = folder.join(&name);
    // a clone's links share their bytes with the cache: look at them all
    match stamp::verify(&libtorch) {
        Ok(()) => say(format_args!("taking libtorch from `{}`", libtorch.display())),
        Err(stamp::Damage::Absent) => make(&folder, &libtorch)?,
        Err(damage) => {
            say(format_args!("`{}` is damaged ({damage}): making it anew", libtorch.display()));
            make(&folder, &libtorch)?;
        }
    }
    then(&libtorch)
}

/// The user's cache for this program; within the workspace where there is none.
fn cache_folder(root: &Path) -> Result<PathBuf> {
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
    let folder = root.join("target/libtorch-cache");
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

fn make(folder: &Path, libtorch: &Path) -> Result<()> {
    let downloads = folder.join(format!("wheels-{}", recipe::VERSION));
    let given = std::env::var_os("SCARCE_WHEELS").map(PathBuf::from);
    if given.is_none() {
        pip::download(&downloads)?;
    }
    let wheels = pip::wheels_in(given.as_deref().unwrap_or(&downloads))?;
    let partial = beside(libtorch);
    remove(&partial)?;
    fs_err::create_dir_all(&partial)?;
    unpack::unpack(&wheels, &partial)?;
    remove(libtorch)?;
    fs_err::rename(&partial, libtorch)?;
    if given.is_none() {
        remove(&downloads)?;
    }
    Ok(())
}

/// Puts the files of `libtorch` at `place`, sharing their bytes where the file system
/// can and copying them where it cannot.
pub(crate) fn link(libtorch: &Path, place: &Path) -> Result<()> {
    let partial = beside(place);
    remove(&partial)?;
    link_folder(libtorch, &partial)?;
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
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Removes a folder, a file or a link, if there is one.
fn remove(path: &Path) -> Result<()> {
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

    #[test]
    fn wheels_that_are_no_wheels_are_refused_and_nothing_is_put_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = dir.path().join("torch-2.13.0-cp312.whl");
        fs_err::write(&wheel, "not a zip file").unwrap();
        let error = unpack::unpack(&[wheel], dir.path()).unwrap_err();
        assert!(format!("{error:#}").contains("torch-2.13.0-cp312.whl"), "{error:#}");
    }
}
