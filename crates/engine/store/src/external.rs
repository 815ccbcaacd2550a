//! Content digests of files and folders outside the store.

use std::{
    fs::Metadata,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use scarce_artifact::{Digest, digest_bytes, digest_file, is_cache};
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::{
    Durability, Error, Layout, Result, Store, files::read_file, seal, store::Own, unseal,
    write_atomic,
};

/// A file may be written twice within one tick of the file system's clock; a digest taken so soon
/// after the last change is not remembered. FAT's clock ticks every 2 s.
const RACY: Duration = Duration::from_secs(2);

/// How often data that change while they are digested are digested again.
const TRIES: usize = 3;

/// What a file or folder outside the store held at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Digest of the content.
    pub digest: Digest,
    /// Digest of names, sizes, inodes and times of change.
    stat: Digest,
    /// Whether any later change shows in `stat`.
    settled: bool,
}

/// How data differ from a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing was written, replaced or renamed.
    None,
    /// The content is the same, but something was written, replaced or renamed: it may have been
    /// another in between.
    Touched(Snapshot),
    /// The content is another.
    Content,
}

/// A remembered digest.
#[derive(Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    stat: Digest,
    content: Digest,
}

/// A file to digest: its name relative to the folder (empty for a single file).
struct Found {
    path: PathBuf,
    relative: PathBuf,
    metadata: Metadata,
}

impl Found {
    /// Whether it is a link that leads nowhere: others are followed.
    fn is_dangling(&self) -> bool {
        self.metadata.is_symlink()
    }
}

/// What a path leads to.
struct Gathered {
    files: Vec<Found>,
    is_folder: bool,
    stat: Digest,
}

impl Store {
    /// The digest of what a file or folder holds. A folder's is over the sorted relative paths and
    /// digests of its files, without those of folders in it that are marked as caches
    /// ([`scarce_artifact::is_cache`]), as this store is. Remembered by path, size, times of change and
    /// inode of every file and folder.
    ///
    /// # Errors
    /// When something is not there, cannot be read, is neither file nor folder, or does not hold still.
    pub fn snapshot(&self, path: &Path) -> Result<Snapshot> {
        let path = std::path::absolute(path)?;
        for _ in 0..TRIES {
            let begun = SystemTime::now();
            let before = self.gather(&path)?;
            let place = self.remembered(&path);
            if let Some(digest) = recall(&place, &path, &before.stat) {
                return Ok(Snapshot { digest, stat: before.stat, settled: true });
            }
            let digest = before.digest()?;
            if self.gather(&path)?.stat != before.stat {
                continue;
            }
            let settled = before.newest().is_none_or(|newest| newest + RACY < begun);
            let (stat, content) = (before.stat.clone(), digest.clone());
            if settled {
                remember(&place, &Remembered { path, stat, content });
            }
            return Ok(Snapshot { digest, stat: before.stat, settled });
        }
        Err(Error::Unsteady { path })
    }

    /// Whether names, sizes, inodes and times of change are those of the snapshot. Reads no content.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn is_untouched(&self, path: &Path, since: &Snapshot) -> Result<bool> {
        Ok(self.gather(&std::path::absolute(path)?)?.stat == since.stat)
    }

    /// What has become of data since a snapshot was taken. Reads them only when something about them
    /// has changed, or so soon after the last change that another one might not show.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn changes(&self, path: &Path, since: &Snapshot) -> Result<Change> {
        if since.settled && self.is_untouched(path, since)? {
            return Ok(Change::None);
        }
        let now = self.snapshot(path)?;
        Ok(if now.digest != since.digest {
            Change::Content
        } else if now.stat == since.stat {
            Change::None
        } else {
            Change::Touched(now)
        })
    }

    /// Where the digest of a path is remembered.
    fn remembered(&self, path: &Path) -> PathBuf {
        let name = digest_bytes(path.as_os_str().as_bytes());
        self.own(Own::Digests).join(format!("{}.json", &name.as_str()[..32]))
    }

    fn gather(&self, path: &Path) -> Result<Gathered> {
        let metadata = fs_err::metadata(path)?;
        let mut stat = blake3::Hasher::new();
        links(path, &mut stat);
        let is_folder = metadata.is_dir();
        let files = if is_folder {
            self.walk(path, &mut stat)?
        } else {
            vec![Found { path: path.to_owned(), relative: PathBuf::new(), metadata }]
        };
        for file in &files {
            if !file.metadata.is_file() && !file.is_dangling() {
                let message = "it is neither a regular file nor a folder".to_owned();
                return Err(Error::External { path: file.path.clone(), message });
            }
            add_stat(&mut stat, &file.relative, &file.metadata);
        }
        let stat = digest_bytes(stat.finalize().as_bytes());
        Ok(Gathered { files, is_folder, stat })
    }

    /// Every file below a folder, sorted by path; links are followed. The folders themselves enter
    /// `stat`: one that was renamed and back again has other times.
    fn walk(&self, folder: &Path, stat: &mut blake3::Hasher) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let ours = |path: &Path| path == self.folder() || is_cache(path);
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        let walk = walk.filter_entry(|entry| {
            entry.depth() == 0 || !entry.file_type().is_dir() || !ours(entry.path())
        });
        for entry in walk {
            let external = |error: walkdir::Error| match error.io_error().map(std::io::Error::kind)
            {
                Some(std::io::ErrorKind::PermissionDenied) => Error::Denied(error.into()),
                _ => Error::External {
                    path: error.path().unwrap_or(folder).to_owned(),
                    message: error.to_string(),
                },
            };
            let (path, metadata) = match entry {
                Ok(entry) => (entry.path().to_owned(), entry.metadata().map_err(external)?),
                // What reads the folder says what it makes of it; here the link itself counts.
                Err(error) => match dangling(&error) {
                    Some(found) => found,
                    None => return Err(external(error)),
                },
            };
            let relative = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            if metadata.is_dir() {
                add_stat(stat, &relative, &metadata);
            } else {
                found.push(Found { path, relative, metadata });
            }
        }
        Ok(found)
    }
}

impl Gathered {
    fn digest(&self) -> Result<Digest> {
        if let ([only], false) = (self.files.as_slice(), self.is_folder) {
            return digest_of(&only.path);
        }
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            add(&mut hasher, file.relative.as_os_str().as_bytes());
            let digest = if file.is_dangling() {
                let target = fs_err::read_link(&file.path)?;
                digest_bytes(&[b"dangling link ", target.as_os_str().as_bytes()].concat())
            } else {
                digest_of(&file.path)?
            };
            add(&mut hasher, digest.as_str().as_bytes());
        }
        // A folder with one file is not that file.
        Ok(digest_bytes(format!("folder {}", hasher.finalize().to_hex()).as_bytes()))
    }

    fn newest(&self) -> Option<SystemTime> {
        self.files.iter().map(|file| changed(&file.metadata)).max()
    }
}

/// A link that leads nowhere, and what the system says of the link.
fn dangling(error: &walkdir::Error) -> Option<(PathBuf, Metadata)> {
    let path = error.path()?;
    let metadata = path.symlink_metadata().ok().filter(Metadata::is_symlink)?;
    let lost = path.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    lost.then(|| (path.to_owned(), metadata))
}

fn digest_of(path: &Path) -> Result<Digest> {
    digest_file(path).map_err(|error| match error {
        scarce_artifact::Error::Io(error) => error.into(),
        error => error.into(),
    })
}

fn recall(place: &Path, path: &Path, stat: &Digest) -> Option<Digest> {
    let remembered: Remembered = unseal(&read_file(place).ok()?, "a digest", |_| false).ok()?;
    (remembered.path == path && remembered.stat == *stat).then_some(remembered.content)
}

/// A store that cannot be written only costs time here.
fn remember(place: &Path, remembered: &Remembered) {
    let Ok(text) = seal(remembered, Layout::Line) else { return };
    if let Err(error) = write_atomic(place, &text, Durability::Process) {
        tracing::debug!("a digest is not remembered: {error}");
    }
}

/// The links on the way to a path: one that led elsewhere for a while is another, or has another time.
fn links(path: &Path, stat: &mut blake3::Hasher) {
    for place in path.ancestors() {
        if let Ok(metadata) = place.symlink_metadata()
            && metadata.is_symlink()
        {
            add_stat(stat, place, &metadata);
        }
    }
}

fn add_stat(hasher: &mut blake3::Hasher, name: &Path, metadata: &Metadata) {
    add(hasher, name.as_os_str().as_bytes());
    // The time of the inode's change catches an edit whose author put the old time back.
    let numbers = [
        metadata.len() as i64,
        metadata.ino() as i64,
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ];
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
}

/// Lengths keep `ab` + `c` apart from `a` + `bc`.
fn add(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// The later of a file's two times of change.
fn changed(metadata: &Metadata) -> SystemTime {
    let inode = Duration::new(metadata.ctime().max(0) as u64, metadata.ctime_nsec() as u32);
    metadata.modified().unwrap_or(UNIX_EPOCH).max(UNIX_EPOCH + inode)
}
