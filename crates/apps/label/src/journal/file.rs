//! The file: appended under a lock, read on from where one was.

use std::{
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use fs_err::{File, OpenOptions};
use serde::{Deserialize, Serialize};

use super::{Entry, ImageRef};
use crate::{Error, Result, random};

/// What the first line says. A later layout has another number.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    /// Version of the layout.
    scarce_labels: u32,
    /// Which pictures are in the audit sample follows from this number alone.
    audit_seed: u64,
}

/// A journal that is open. Several processes may have it open at once.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    audit_seed: u64,
    /// Bytes that were read, up to the end of a line.
    read: u64,
    /// Lines that were read.
    lines: usize,
}

impl Journal {
    /// Opens a journal, or makes it, and reads what it holds. A last line that was cut short is taken
    /// off: nobody was told that it is kept.
    ///
    /// # Errors
    /// A file that is no journal, or of a later version; one that cannot be written.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>)> {
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::NoJournal { path: path.to_owned() });
        }
        if is_new && let Some(folder) = path.parent() {
            sync_folder(folder);
        }
        let mut journal = Self { path: path.to_owned(), file, audit_seed: 0, read: 0, lines: 0 };
        let entries = journal.locked(|journal| {
            journal.mend()?;
            if journal.file.metadata()?.len() == 0 {
                let header = Header { scarce_labels: VERSION, audit_seed: random() };
                journal.put(&line(&header)?)?;
            }
            journal.read_on()
        })?;
        Ok((journal, entries))
    }

    /// Whether a journal is about the pictures of a folder: one that it names lies there, the same to the
    /// last byte. So it is found again when the folder was renamed.
    pub fn is_about(path: &Path, folder: &Path) -> bool {
        let Ok((_, entries)) = Self::open(path) else { return false };
        let same = |image: &ImageRef| {
            let bytes = fs_err::read(folder.join(&image.file));
            bytes.is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == image.blake3)
        };
        entries.iter().filter_map(|entry| entry.what.image()).take(100).any(same)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which pictures are in the audit sample follows from this number alone, so that it is the same
    /// for everybody who works on this journal.
    pub fn audit_seed(&self) -> u64 {
        self.audit_seed
    }

    /// Appends all of `entries` or none. When this returns they are on the disk. Returned are the lines
    /// that others appended meanwhile, and then these.
    ///
    /// # Errors
    /// When they cannot be written, for instance since the disk is full; then the file is as it was.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<Entry>> {
        let mut text = Vec::new();
        for entry in entries {
            text.extend(line(entry)?);
        }
        self.locked(|journal| {
            journal.mend()?;
            journal.put(&text)?;
            journal.read_on()
        })
    }

    /// What others appended since.
    ///
    /// # Errors
    /// As for opening.
    pub fn refresh(&mut self) -> Result<Vec<Entry>> {
        if self.file.metadata()?.len() == self.read {
            return Ok(Vec::new());
        }
        self.locked(Self::read_on)
    }

    /// Nobody else appends or reads meanwhile. The kernel drops the lock with the process.
    fn locked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.file.lock()?;
        let done = work(self);
        self.file.unlock()?;
        done
    }

    /// Writes to the end and to the disk, or leaves the file as it was.
    fn put(&mut self, text: &[u8]) -> Result<()> {
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        written.map_err(|error| {
            // What is left of it, if this fails too, is a line cut short, which the next one mends.
            let _ = self.file.set_len(before);
            Error::NotKept { path: self.path.clone(), source: error }
        })
    }

    /// Takes off what a crash left of a line, or gives a whole one the end that it lacks.
    fn mend(&mut self) -> Result<()> {
        let length = self.file.metadata()?.len();
        if length < self.read {
            return Err(Error::Shorter { path: self.path.clone() });
        }
        let rest = self.bytes_from(self.read)?;
        let torn = rest.len() - rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if torn == 0 {
            return Ok(());
        }
        let tail = &rest[rest.len() - torn..];
        if serde_json::from_slice::<Entry>(tail).is_ok() {
            return self.put(b"\n");
        }
        tracing::warn!(
            "the last line of `{}` was cut short and is left out: {}",
            self.path.display(),
            String::from_utf8_lossy(tail)
        );
        self.file.set_len(length - torn as u64)?;
        self.file.sync_data()?;
        Ok(())
    }

    fn bytes_from(&mut self, start: u64) -> Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The whole lines that were not read yet.
    fn read_on(&mut self) -> Result<Vec<Entry>> {
        let bytes = self.bytes_from(self.read)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut entries = Vec::new();
        for text in bytes[..whole].split_inclusive(|&byte| byte == b'\n') {
            self.lines += 1;
            let wrong = |message: String| Error::Line {
                path: self.path.clone(),
                line: self.lines,
                message,
            };
            if self.lines == 1 {
                let header: Header = serde_json::from_slice(text)
                    .map_err(|_| Error::NoJournal { path: self.path.clone() })?;
                if header.scarce_labels != VERSION {
                    let message = format!("it is of version {}", header.scarce_labels);
                    return Err(wrong(message));
                }
                self.audit_seed = header.audit_seed;
            } else if text.iter().any(|byte| !byte.is_ascii_whitespace()) {
                let entry =
                    serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
                entries.push(entry);
            }
        }
        self.read += whole as u64;
        Ok(entries)
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(std::io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// So that a file that was made or renamed is found after a power cut.
pub(crate) fn sync_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Not every system lets folders be opened.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
