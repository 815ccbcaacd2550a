//! Locks that the kernel holds, and therefore drops with the process.

use std::{fs::TryLockError, io, thread, time::Duration};

use fs_err::File;

use crate::{Error, Key, Result, Store, files};

/// How often a lock that another run holds is tried again: it holds it for as long as a stage runs.
const RETRY: Duration = Duration::from_millis(5);

/// The right to compute a key. Dropping it gives it back.
#[derive(Debug)]
pub struct KeyLock {
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
    /// The right to compute a key. While another process has it, `waiting` is called again and again;
    /// when that returns false, so does this: `None`.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock(&self, key: &Key, waiting: &mut dyn FnMut() -> bool) -> Result<Option<KeyLock>> {
        let file = self.lock_file(&format!(".locks/{key}"))?;
        let got = patiently(|| file.try_lock(), waiting)?;
        Ok(got.then_some(KeyLock { _file: file }))
    }

    /// Says that a run is alive. Whatever dead runs left half-written is removed when nobody else
    /// is. While garbage is being collected, `waiting` is called as in [`Store::lock`].
    ///
    /// # Errors
    /// When the lock file cannot be made or used.
    pub fn session(&self, waiting: &mut dyn FnMut() -> bool) -> Result<Option<Session>> {
        let file = match self.lock_file(".lock") {
            Ok(file) => file,
            // Nobody can collect garbage here either.
            Err(Error::ReadOnly(_)) => return Ok(Some(Session { _file: None })),
            Err(error) => return Err(error),
        };
        if let Ok(()) = file.try_lock() {
            self.remove_leftovers()?;
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
        let file = self.lock_file(".lock")?;
        match file.try_lock() {
            Ok(()) => Ok(Exclusive { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { path: self.folder().to_owned() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Half-written entries and lock files. Only for whoever has the store for himself.
    pub(crate) fn remove_leftovers(&self) -> Result<()> {
        for folder in [".tmp", ".locks"] {
            for path in files::list(&self.own(folder))? {
                files::remove(&path)?;
            }
        }
        Ok(())
    }

    fn lock_file(&self, name: &str) -> Result<File> {
        let path = self.own(name);
        let open =
            || fs_err::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        match open() {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs_err::create_dir_all(path.parent().unwrap_or(self.folder()))?;
                Ok(open()?)
            }
            Err(error) => Err(error.into()),
        }
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
