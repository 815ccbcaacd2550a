//! Garbage: what no recorded run reaches.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use serde::Serialize;

use crate::{Exclusive, Key, Result, Store, files, store::Own};

/// What a collection leaves alone.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// Kind and key of every entry that is needed.
    pub reached: HashSet<(String, Key)>,
    /// Of every entry of which it is known that it is not needed any more.
    pub given_up: HashSet<(String, Key)>,
    /// An entry of which nothing is known stays when it is younger than this.
    pub grace: Duration,
}

/// An entry that is not needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: Key,
    /// Its size on disk.
    pub bytes: u64,
}

/// What a collection removed, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Entries that nothing reaches.
    pub entries: Vec<Garbage>,
    /// Bytes of those entries.
    pub entry_bytes: u64,
    /// Bytes of half-written entries and of the logs of failed stages.
    pub leftover_bytes: u64,
    /// Bytes of damaged entries set aside.
    pub quarantine_bytes: u64,
    /// Bytes of temporary files that killed processes left among the records and remembered digests.
    pub swept_bytes: u64,
    /// Entries that nothing reaches and that stay since they are young; among those that stay.
    pub young: usize,
    /// What could not be removed or is not of the store, and why.
    pub left: Vec<String>,
    /// Entries that stay.
    pub kept: usize,
    /// Bytes of entries that stay.
    pub kept_bytes: u64,
}

impl Collected {
    /// Bytes freed, or that would be.
    pub fn bytes(&self) -> u64 {
        self.entry_bytes + self.leftover_bytes + self.quarantine_bytes + self.swept_bytes
    }
}

impl Store {
    /// Removes every entry that is not to be kept, half-written ones and damaged ones set aside. Without
    /// the whole store to himself nobody removes anything: that is a dry run. Take it before finding out
    /// what to keep, or a run that ends meanwhile loses its results. What cannot be removed, since it is
    /// another user's, stays and is listed.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn collect(&self, keep: &Keep, alone: Option<&Exclusive>) -> Result<Collected> {
        let mut collected = Collected::default();
        let (places, foreign) = self.places()?;
        let left = |path: PathBuf| format!("`{}`, which is not of the store", path.display());
        collected.left.extend(foreign.into_iter().map(left));
        for (kind, key, folder) in places {
            let bytes = files::bytes_under(&folder);
            let name = (kind, key);
            let young = !keep.given_up.contains(&name) && is_younger(&folder, keep.grace);
            if keep.reached.contains(&name) || young {
                collected.young += usize::from(!keep.reached.contains(&name));
                collected.kept += 1;
                collected.kept_bytes += bytes;
                continue;
            }
            if alone.is_some()
                && let Err(error) = self.remove_entry(&folder)
            {
                collected.left.push(error.to_string());
                continue;
            }
            let (kind, key) = name;
            collected.entry_bytes += bytes;
            collected.entries.push(Garbage { kind, key, bytes });
        }
        let bytes = |own| files::bytes_under(&self.own(own));
        collected.leftover_bytes = bytes(Own::Temporary) + bytes(Own::Failed);
        collected.quarantine_bytes = bytes(Own::Quarantine);
        if alone.is_some() {
            for own in [Own::Temporary, Own::Locks, Own::Failed, Own::Quarantine] {
                self.clear(own, &mut collected.left)?;
            }
            for own in [Own::Digests, Own::Hosts] {
                collected.swept_bytes += files::sweep(&self.own(own), None);
            }
        }
        Ok(collected)
    }

    /// Out of sight in one step: half an entry would look like damage.
    fn remove_entry(&self, folder: &std::path::Path) -> Result<()> {
        let temporary = self.own(Own::Temporary);
        fs_err::create_dir_all(&temporary)?;
        let away = temporary.join(files::unique());
        fs_err::rename(folder, &away)?;
        files::remove(&away)
    }
}

/// Whether something was published less than `grace` ago; a time that is still to come counts as that.
fn is_younger(folder: &std::path::Path, grace: Duration) -> bool {
    let time = folder.symlink_metadata().and_then(|metadata| metadata.modified());
    time.is_ok_and(|time| time.elapsed().map_or(!grace.is_zero(), |age| age < grace))
}
