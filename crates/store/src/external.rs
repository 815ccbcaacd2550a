//! Content digests of files and folders outside the store.

use std::{
    fs::Metadata,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use scarce_artifact::{Digest, digest_bytes, digest_file};
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::{Durability, Error, Result, Store, write_atomic};

/// A file may be written twice within one tick of the file system's clock; a digest taken so soon
/// after the last change is not remembered. FAT's clock ticks every 2 s.
const RACY: Duration = Duration::from_secs(2);

/// A remembered digest.
#[derive(Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    stat: Digest,
    digest: Digest,
}

/// A file to digest: its name relative to the folder (empty for a single file).
struct Found {
    path: PathBuf,
    relative: PathBuf,
    metadata: Metadata,
}

impl Store {
    /// The digest of what a file or folder holds. A folder's is over the sorted relative paths and
    /// digests of its files. Remembered by path, size, time of change and inode of every file.
    ///
    /// # Errors
    /// When something is not there, cannot be read, or is neither file nor folder.
    pub fn digest_external(&self, path: &Path) -> Result<Digest> {
        let path = std::path::absolute(path)?;
        let metadata = fs_err::metadata(&path)?;
        let found = if metadata.is_dir() {
            walk(&path)?
        } else {
            let relative = PathBuf::new();
            vec![Found { path: path.clone(), relative, metadata: metadata.clone() }]
        };
        if let Some(odd) = found.iter().find(|file| !file.metadata.is_file()) {
            let message = "it is neither a regular file nor a folder".to_owned();
            return Err(Error::External { path: odd.path.clone(), message });
        }
        let stat = stat_digest(&found);
        let name = digest_bytes(path.as_os_str().as_bytes());
        let place = self.own(".digests").join(format!("{}.json", &name.as_str()[..32]));
        if let Some(digest) = recall(&place, &path, &stat) {
            return Ok(digest);
        }
        let now = SystemTime::now();
        let digest = if metadata.is_dir() { folder_digest(&found)? } else { digest_file(&path)? };
        let newest = found.iter().map(|file| changed(&file.metadata)).max();
        let settled = newest.is_none_or(|newest| newest + RACY < now);
        if settled
            && let Ok(text) = serde_json::to_vec(&Remembered { path, stat, digest: digest.clone() })
        {
            // A store that cannot be written only costs time here.
            if let Err(error) = write_atomic(&place, &text, Durability::Process) {
                tracing::debug!("a digest is not remembered: {error}");
            }
        }
        Ok(digest)
    }
}

fn recall(place: &Path, path: &Path, stat: &Digest) -> Option<Digest> {
    let text = fs_err::read(place).ok()?;
    let remembered: Remembered = serde_json::from_slice(&text).ok()?;
    (remembered.path == path && remembered.stat == *stat).then_some(remembered.digest)
}

/// Every file below a folder, sorted by path; links are followed.
fn walk(folder: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let external = |error: walkdir::Error| Error::External {
            path: error.path().unwrap_or(folder).to_owned(),
            message: error.to_string(),
        };
        let entry = entry.map_err(external)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let metadata = entry.metadata().map_err(external)?;
        let path = entry.into_path();
        let relative = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        found.push(Found { path, relative, metadata });
    }
    Ok(found)
}

fn folder_digest(found: &[Found]) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    for file in found {
        add(&mut hasher, file.relative.as_os_str().as_bytes());
        add(&mut hasher, digest_file(&file.path)?.as_str().as_bytes());
    }
    // A folder with one file is not that file.
    Ok(digest_bytes(format!("folder {}", hasher.finalize().to_hex()).as_bytes()))
}

fn stat_digest(found: &[Found]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for Found { relative, metadata, .. } in found {
        add(&mut hasher, relative.as_os_str().as_bytes());
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
    digest_bytes(hasher.finalize().as_bytes())
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
