//! Locks that the kernel holds, and therefore drops with the process.

use std::{fs::TryLockError, thread, time::Duration};

use fs_err::File;
use rustix::fs::{Access, access};

use crate::{Error, Key, Result, Store, files, store::Own};

/// How often a lock that another run holds is tried again: it holds it for as long as a stage runs.
const RETRY: Duration = Duration::from_millis(5);

/// The right to compute a key. Dropping it gives it back.
#[derive(Debug)]
pub struct KeyLock {
    pub(crate) key: Key,
    _file: File,
}

/// A live run. While one exists, nothing is collected.
#[derive(Debug)]
pub struct Session {
    _file: Option<File>,
}

/// The whole store: no run is alive while this is held, and none begins.
#[derive(Debug)]
pub struct Exclusive {
    _file: File,
}

impl Store {
    /// The right to compute a key, and to set its entry aside. While another process has it, `waiting`
    /// is called again and again; when that returns false, so does this: `None`. Whoever calls holds a
    /// [`Session`].
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock(&self, key: &Key, waiting: &mut dyn FnMut() -> bool) -> Result<Option<KeyLock>> {
        let file = files::lock_file(&self.own(Own::Locks).join(key.as_str()))?;
        let got = patiently(|| file.try_lock(), waiting)?;
        Ok(got.then(|| KeyLock { key: key.clone(), _file: file }))
    }

    /// Says that a run is alive. Whatever dead runs left half-written is removed when nobody else
    /// is, as far as this user may. While garbage is being collected, `waiting` is called as in
    /// [`Store::lock`].
    ///
    /// # Errors
    /// When the lock file cannot be made or used. Whoever may not write in the store needs none.
    pub fn session(&self, waiting: &mut dyn FnMut() -> bool) -> Result<Option<Session>> {
        let file = match files::lock_file(&self.session_file()) {
            Ok(file) => file,
            // Nothing of this run will lie here that a collection could take away.
            Err(_) if access(self.folder(), Access::WRITE_OK).is_err() => {
                return Ok(Some(Session { _file: None }));
            }
            Err(error) => return Err(error),
        };
        if let Ok(()) = file.try_lock() {
            let left = self.remove_leftovers()?;
            if let Some(first) = left.first() {
                tracing::warn!("{} leftovers stay, such as {first}", left.len());
            }
            file.unlock()?;
        }
        let got = patiently(|| file.try_lock_shared(), waiting)?;
        Ok(got.then_some(Session { _file: Some(file) }))
    }

    /// The whole store.
    ///
    /// # Errors
    /// [`Error::Busy`] when a run is alive.
    pub fn exclusive(&self) -> Result<Exclusive> {
        let file = files::lock_file(&self.session_file())?;
        match file.try_lock() {
            Ok(()) => Ok(Exclusive { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { path: self.folder().to_owned() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn session_file(&self) -> std::path::PathBuf {
        self.folder().join(".lock")
    }

    /// Removes half-written entries and lock files, and nothing that has another name; returns what
    /// could not be removed, and why. Only for whoever has the store for himself.
    pub(crate) fn remove_leftovers(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for own in [Own::Temporary, Own::Locks] {
            self.clear(own, &mut left)?;
        }
        Ok(left)
    }

    /// Empties a folder of the store's own of what bears its names.
    pub(crate) fn clear(&self, own: Own, left: &mut Vec<String>) -> Result<()> {
        for path in files::list(&self.own(own))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !own.bears(&name) {
                left.push(format!("`{}`, which is not of the store", path.display()));
            } else if let Err(error) = files::remove(&path) {
                left.push(error.to_string());
            }
        }
        Ok(())
    }
}

fn patiently(
    try_lock: impl Fn() -> std::result::Result<(), TryLockError>,
    waiting: &mut dyn FnMut() -> bool,
) -> Result<bool> {
    loop {
        match try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if waiting() => thread::sleep(RETRY),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}
