//! A segment: a file of items, written once.
//!
//! ```text
//! START                                             16 bytes
//! items: key 32, length 4, check 16, bytes          one after the other
//! list:  key 32, offset of the item 8, length 4     one entry per item
//! END:   entries 8, offset of the list 8, check 32, 16 bytes to know it by
//! ```
//!
//! Numbers are little-endian. An item's check is the beginning of the BLAKE3 digest of key and bytes,
//! the list's is that of the list and the two numbers after it. A file is written under a name that
//! nobody reads and renamed when it is whole.

use std::{
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use fs_err::File;
use scarce_artifact::Digest;

const START: &[u8; 16] = b"scarce memo 1\n\n\n";
const END: &[u8; 16] = b"\n\nend of memo 1\n";
/// Bytes of an item before its own.
const HEAD: usize = 32 + 4 + 16;
/// Bytes of an entry of the list.
const ENTRY: usize = 32 + 8 + 4;
/// Bytes of the end.
const TAIL: usize = 8 + 8 + 32 + 16;
/// Longer items are not kept.
pub(super) const LONGEST: usize = 16 << 20;

/// What an item is found by.
pub(super) type Key = [u8; 32];

/// The key of a digest.
pub(super) fn key(digest: &Digest) -> Key {
    *blake3::hash(digest.as_str().as_bytes()).as_bytes()
}

/// Its beginning: enough to tell items apart in memory, where they are many.
pub(super) fn short(key: &Key) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&key[..16]);
    u128::from_le_bytes(bytes)
}

/// Where an item lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) segment: u32,
    offset: u64,
    length: u32,
}

impl Place {
    /// The same in the segment of this number.
    pub(super) fn of(self, segment: u32) -> Self {
        Self { segment, ..self }
    }
}

/// A segment that is read.
pub(super) struct Segment {
    path: PathBuf,
    file: Option<File>,
}

impl Segment {
    /// Opens a segment and reads its list; none if it is not one. A damaged one is removed.
    pub(super) fn open(path: &Path) -> Option<(Self, Vec<(u128, Place)>)> {
        let file = File::open(path).ok()?;
        let mut start = [0; START.len()];
        file.file().read_exact_at(&mut start, 0).ok()?;
        if &start != START {
            return None;
        }
        match list(&file) {
            Ok(Some(items)) => Some((Self { path: path.to_owned(), file: Some(file) }, items)),
            Ok(None) => {
                tracing::warn!("`{}` is damaged: its items are computed again", path.display());
                let _ = fs_err::remove_file(path);
                None
            }
            Err(_) => None,
        }
    }

    /// Opens the file at each look instead.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// The bytes of an item, if they are what they were.
    pub(super) fn read(&self, key: &Key, place: &Place) -> Option<Vec<u8>> {
        let mut item = vec![0; HEAD + place.length as usize];
        let read = match &self.file {
            Some(file) => file.file().read_exact_at(&mut item, place.offset),
            None => File::open(&self.path)
                .and_then(|file| file.file().read_exact_at(&mut item, place.offset)),
        };
        read.ok()?;
        let (head, bytes) = item.split_at(HEAD);
        if head != self::head(key, bytes) {
            return None;
        }
        item.drain(..HEAD);
        Some(item)
    }
}

/// The list at a segment's end; none if it is not what it was.
fn list(file: &File) -> io::Result<Option<Vec<(u128, Place)>>> {
    let bytes = file.metadata()?.len();
    let Some(end) = bytes.checked_sub(TAIL as u64).filter(|end| *end >= START.len() as u64) else {
        return Ok(None);
    };
    let mut tail = [0; TAIL];
    file.file().read_exact_at(&mut tail, end)?;
    let number = |at: usize| u64::from_le_bytes(tail[at..at + 8].try_into().unwrap_or_default());
    let (count, offset) = (number(0), number(8));
    let whole = count
        .checked_mul(ENTRY as u64)
        .and_then(|length| offset.checked_add(length))
        .is_some_and(|sum| sum == end);
    if &tail[48..] != END || !whole {
        return Ok(None);
    }
    // No longer than the file.
    let mut entries = vec![0; (end - offset) as usize];
    file.file().read_exact_at(&mut entries, offset)?;
    if tail[16..48] != list_check(&entries, &tail[..16]) {
        return Ok(None);
    }
    let mut items = Vec::with_capacity(count as usize);
    for entry in entries.chunks_exact(ENTRY) {
        let mut key = [0; 32];
        key.copy_from_slice(&entry[..32]);
        let place = Place {
            segment: 0,
            offset: u64::from_le_bytes(entry[32..40].try_into().unwrap_or_default()),
            length: u32::from_le_bytes(entry[40..].try_into().unwrap_or_default()),
        };
        if place.length as usize <= LONGEST {
            items.push((short(&key), place));
        }
    }
    Ok(Some(items))
}

/// What stands before an item's bytes.
fn head(key: &Key, bytes: &[u8]) -> [u8; HEAD] {
    let mut hasher = blake3::Hasher::new();
    let check = hasher.update(key).update(bytes).finalize();
    let mut head = [0; HEAD];
    head[..32].copy_from_slice(key);
    head[32..36].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    head[36..].copy_from_slice(&check.as_bytes()[..16]);
    head
}

fn list_check(entries: &[u8], numbers: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    *hasher.update(entries).update(numbers).finalize().as_bytes()
}

/// A segment that is being written; removed when dropped before it is finished.
pub(super) struct Writer {
    file: BufWriter<File>,
    part: PathBuf,
    place: PathBuf,
    at: u64,
    entries: Vec<u8>,
    begun: Instant,
    finished: bool,
}

impl Writer {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Somebody may have deleted the folder.
        fs_err::create_dir_all(folder)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("{:x}-{process}-{next}", since.as_nanos());
        let part = folder.join(format!("{name}.part"));
        let file = fs_err::OpenOptions::new().write(true).create_new(true).open(&part)?;
        let mut writer = Self {
            file: BufWriter::with_capacity(1 << 16, file),
            part,
            place: folder.join(format!("{name}.memo")),
            at: START.len() as u64,
            entries: Vec::new(),
            begun: Instant::now(),
            finished: false,
        };
        writer.file.write_all(START)?;
        Ok(writer)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.at
    }

    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn add(&mut self, key: &Key, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(&head(key, bytes))?;
        self.file.write_all(bytes)?;
        self.entries.extend_from_slice(key);
        self.entries.extend_from_slice(&self.at.to_le_bytes());
        self.entries.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.at += (HEAD + bytes.len()) as u64;
        Ok(())
    }

    /// Writes the list and gives the file its name.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut numbers = [0; 16];
        numbers[..8].copy_from_slice(&((self.entries.len() / ENTRY) as u64).to_le_bytes());
        numbers[8..].copy_from_slice(&self.at.to_le_bytes());
        let check = list_check(&self.entries, &numbers);
        let entries = std::mem::take(&mut self.entries);
        for bytes in [&entries[..], &numbers, &check, END] {
            self.file.write_all(bytes)?;
        }
        self.file.flush()?;
        fs_err::rename(&self.part, &self.place)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs_err::remove_file(&self.part);
        }
    }
}
