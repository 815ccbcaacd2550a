//! What a stage remembers between runs, item by item: a memo.
//!
//! The cache keeps whole results; one image more and all of them are computed again. A stage whose
//! work is costly per item (a picture decoded, an image embedded by a large network) can leave what
//! it found for each item in a [`Memo`], under the digest of everything that determines it and that
//! the folder does not stand for, and look there first the next time.
//!
//! A memo only ever saves time: with an empty one the stage writes the same bytes. It can be
//! deleted at any moment, several processes may use it at once, and what is damaged is not there.

mod segment;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use scarce_artifact::Digest;

use segment::{LONGEST, Place, Segment, Writer};

/// A segment is closed at this size, and after this time, so that little is lost with a process
/// that is killed.
const SEGMENT: u64 = 64 << 20;
const SEGMENT_TIME: Duration = Duration::from_mins(1);
/// Items that a memo knows at most: about 100 MB of memory.
const MOST: usize = 1 << 21;
/// Segments whose files stay open: the newest ones. Some systems allow 64 files.
const OPEN: usize = 16;
/// A half-written segment that nobody has touched for so long belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_hours(24);

/// Bytes by digest, kept in a folder; see the module's documentation for what it is for.
///
/// ```
/// use scarce_artifact::digest_bytes;
/// use scarce_stage::Memo;
///
/// # let folder = tempfile::tempdir()?;
/// // In a stage: `Memo::open(context.memo())`.
/// let memo = Memo::open(Some(folder.path()));
/// let image = digest_bytes(b"the pixels of an image");
/// let code = memo.get(&image).unwrap_or_else(|| {
///     let computed = vec![1, 2, 3];
///     memo.put(&image, &computed);
///     computed
/// });
/// drop(memo);
/// assert_eq!(Memo::open(Some(folder.path())).get(&image), Some(code));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Memo {
    /// None: it remembers nothing.
    folder: Option<PathBuf>,
    segments: Vec<Segment>,
    /// Where the items of earlier runs lie; `None` for what this run has put.
    index: RwLock<HashMap<u128, Option<Place>>>,
    writer: Mutex<Writing>,
    /// Bytes of a segment.
    limit: u64,
}

/// Where new items go.
enum Writing {
    Nowhere,
    To(Box<Writer>),
    /// The disk has refused once; that is enough.
    Refused,
}

impl Memo {
    /// The memo in a folder; without a folder, or when it cannot be read, an empty one. Reads the
    /// list of what is there, not the items.
    pub fn open(folder: Option<&Path>) -> Self {
        Self::open_limited(folder, SEGMENT)
    }

    fn open_limited(folder: Option<&Path>, limit: u64) -> Self {
        let mut index = HashMap::new();
        let mut segments = Vec::new();
        for path in folder.into_iter().flat_map(segment_files) {
            let Some((mut segment, items)) = Segment::open(&path) else { continue };
            if index.len() + items.len() > MOST {
                tracing::warn!("a memo holds more than {MOST} items: some will be computed again");
                break;
            }
            if segments.len() >= OPEN {
                segment.close();
            }
            let number = segments.len() as u32;
            for (key, place) in items {
                index.entry(key).or_insert(Some(place.of(number)));
            }
            segments.push(segment);
        }
        Self {
            folder: folder.map(Path::to_owned),
            segments,
            index: RwLock::new(index),
            writer: Mutex::new(Writing::Nowhere),
            limit,
        }
    }

    /// How many items of earlier runs there are.
    pub fn len(&self) -> usize {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.values().filter(|place| place.is_some()).count()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What an earlier run has put under this digest. Its own digest is compared: bytes that the
    /// disk has changed are not there.
    pub fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let key = segment::key(digest);
        let short = segment::short(&key);
        let place = (*self.index.read().unwrap_or_else(PoisonError::into_inner).get(&short)?)?;
        let bytes = self.segments.get(place.segment as usize)?.read(&key, &place);
        if bytes.is_none() {
            // So that it is put again.
            self.index.write().unwrap_or_else(PoisonError::into_inner).remove(&short);
        }
        bytes
    }

    /// Keeps bytes under a digest for later runs. When it cannot, a warning says so once.
    pub fn put(&self, digest: &Digest, bytes: &[u8]) {
        let Some(folder) = &self.folder else { return };
        if bytes.len() > LONGEST {
            return;
        }
        let key = segment::key(digest);
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if index.len() >= MOST || index.contains_key(&segment::short(&key)) {
            return;
        }
        index.insert(segment::short(&key), None);
        drop(index);
        let mut writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writing.add(folder, &key, bytes, self.limit) {
            tracing::warn!("what was computed is not remembered for later runs: {error}");
            *writing = Writing::Refused;
        }
    }
}

impl Drop for Memo {
    fn drop(&mut self) {
        let writing = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Writing::To(writer) = std::mem::replace(writing, Writing::Nowhere)
            && let Err(error) = writer.finish()
        {
            tracing::warn!("what was computed is not remembered for later runs: {error}");
        }
    }
}

impl Writing {
    fn add(
        &mut self,
        folder: &Path,
        key: &segment::Key,
        bytes: &[u8],
        limit: u64,
    ) -> std::io::Result<()> {
        if let Self::Refused = self {
            return Ok(());
        }
        if let Self::Nowhere = self {
            *self = Self::To(Box::new(Writer::create(folder)?));
        }
        let Self::To(writer) = self else { return Ok(()) };
        writer.add(key, bytes)?;
        let full = writer.bytes() >= limit || writer.age() >= SEGMENT_TIME;
        if full && let Self::To(writer) = std::mem::replace(self, Self::Nowhere) {
            writer.finish()?;
        }
        Ok(())
    }
}

/// The files of segments, the newest first: what was put again counts. Removes what processes that are gone left half-written.
fn segment_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
        // Neither links nor pipes: nothing of that kind is ours.
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("memo") => found.push(path),
            Some("part") => {
                let age = metadata
                    .modified()
                    .ok()
                    .and_then(|at| SystemTime::now().duration_since(at).ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    let _ = fs_err::remove_file(path);
                }
            }
            _ => {}
        }
    }
    // Their names begin with the time.
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}
