//! Artifacts whose every byte has been checked in this run.

use std::{
    collections::HashMap,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use scarce_artifact::digest_file;
use scarce_store::{Damage, Entry, Output};

/// What tells a file from another one in its place, or from itself before a change: size, inode, times
/// of change.
pub(crate) type Stat = (u64, u64, i64, i64, i64, i64);
type Cell = Arc<Mutex<Option<Stat>>>;

/// Files by path, with the stat under which they were last found to be what they should.
#[derive(Default)]
pub(crate) struct Verified {
    files: Mutex<HashMap<PathBuf, Cell>>,
}

/// The files that a stage reads, as they were when it started.
pub(crate) type Inputs = HashMap<PathBuf, Stat>;

impl Verified {
    /// Digests the files of an output, unless this run has done so already and they are the same, and
    /// notes what they are like.
    pub(crate) fn check(
        &self,
        entry: &Entry,
        output: &Output,
        inputs: &mut Inputs,
    ) -> Option<Damage> {
        for file in &output.files {
            let path = entry.folder.join(&file.name);
            let damage = |what: String| Some(Damage { path: path.clone(), what });
            let cell = self.cell(&path);
            // Held while digesting: a second stage that needs the file waits instead of doing the same.
            let mut known = cell.lock().unwrap_or_else(PoisonError::into_inner);
            let stat = match stat(&path) {
                Ok(stat) => stat,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return damage("is missing".to_owned());
                }
                Err(error) => return damage(format!("cannot be read: {error}")),
            };
            if *known != Some(stat) {
                match digest_file(&path) {
                    Ok(digest) if digest == file.digest => *known = Some(stat),
                    Ok(_) => {
                        return damage("does not have the bytes it was written with".to_owned());
                    }
                    Err(error) => return damage(format!("cannot be read: {error}")),
                }
            }
            inputs.insert(path, stat);
        }
        None
    }

    /// Trusts what this run has written and digested itself.
    pub(crate) fn trust(&self, entry: &Entry) {
        for file in entry.manifest.outputs.values().flatten().flat_map(|output| &output.files) {
            let path = entry.folder.join(&file.name);
            *self.cell(&path).lock().unwrap_or_else(PoisonError::into_inner) = stat(&path).ok();
        }
    }

    fn cell(&self, path: &Path) -> Cell {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(path.to_owned()).or_default())
    }
}

/// Whether the files that a stage has read are still those that were there when it started.
pub(crate) fn unchanged(inputs: &Inputs) -> bool {
    inputs.iter().all(|(path, before)| stat(path).is_ok_and(|now| now == *before))
}

fn stat(path: &Path) -> io::Result<Stat> {
    let m = fs_err::symlink_metadata(path)?;
    if !m.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    Ok((m.len(), m.ino(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()))
}
