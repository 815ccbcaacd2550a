//! Garbage: what no recorded run reaches.

use std::collections::HashSet;

use serde::Serialize;

use crate::{Exclusive, Key, Result, Store, files};

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
    /// Entries that stay.
    pub kept: usize,
    /// Bytes of entries that stay.
    pub kept_bytes: u64,
}

impl Collected {
    /// Bytes freed, or that would be.
    pub fn bytes(&self) -> u64 {
        self.entry_bytes + self.leftover_bytes + self.quarantine_bytes
    }
}

impl Store {
    /// Removes every entry whose kind and key are not in `keep`, half-written ones and damaged ones
    /// set aside. Without the whole store to himself nobody removes anything: that is a dry run. Take
    /// it before finding out what to keep, or a run that ends meanwhile loses its results.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn collect(
        &self,
        keep: &HashSet<(String, Key)>,
        alone: Option<&Exclusive>,
    ) -> Result<Collected> {
        let dry_run = alone.is_none();
        let mut collected = Collected::default();
        for (kind, key, folder) in self.places()? {
            let bytes = files::bytes_under(&folder);
            let name = (kind, key);
            if keep.contains(&name) {
                collected.kept += 1;
                collected.kept_bytes += bytes;
                continue;
            }
            if !dry_run {
                // Out of sight in one step: half an entry would look like damage.
                let away = self.own(".tmp").join(files::unique());
                fs_err::create_dir_all(self.own(".tmp"))?;
                fs_err::rename(&folder, &away)?;
                files::remove(&away)?;
            }
            let (kind, key) = name;
            collected.entry_bytes += bytes;
            collected.entries.push(Garbage { kind, key, bytes });
        }
        collected.leftover_bytes =
            files::bytes_under(&self.own(".tmp")) + files::bytes_under(&self.own(".failed"));
        collected.quarantine_bytes = files::bytes_under(&self.own(".quarantine"));
        if !dry_run {
            self.remove_leftovers()?;
            files::remove(&self.own(".failed"))?;
            files::remove(&self.own(".quarantine"))?;
        }
        Ok(collected)
    }
}
