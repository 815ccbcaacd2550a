//! Downloading: resumed after an interruption, checked before a file gets its name.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fs_err::File;
use scarce_download::{Attempt, Client, MIRROR, Progress, Wanted, mirror};

use super::{Dataset, KnownFile, find};
use crate::{Error, Result};

/// Fetches the files of one data set.
pub(super) struct Downloader {
    dataset: Dataset,
    addresses: Vec<String>,
    client: Client,
}

impl Downloader {
    /// From the public addresses, or from the mirror that the environment names.
    pub(super) fn from_environment(dataset: Dataset) -> Self {
        let known = dataset.known();
        let addresses = match mirror() {
            Some(base) => vec![format!("{base}/{}", known.name)],
            None => known.addresses.iter().map(|&address| address.to_owned()).collect(),
        };
        Self::new(dataset, addresses, Duration::from_millis(500))
    }

    /// From these addresses, with that pause before asking again.
    pub(super) fn new(dataset: Dataset, addresses: Vec<String>, pause: Duration) -> Self {
        Self { dataset, addresses, client: Client::new(pause) }
    }

    pub(super) fn dataset(&self) -> Dataset {
        self.dataset
    }

    /// See [`super::fetch`].
    pub(super) fn fetch(
        &self,
        dir: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<PathBuf>> {
        let known = self.dataset.known();
        let folder = dir.join(known.name);
        if known.files.is_empty() {
            return Ok(Vec::new());
        }
        fs_err::create_dir_all(&folder)?;
        // Held until the end of this function; the kernel lets go of it if we are killed.
        let lock = File::create(folder.join(".download.lock"))?;
        lock.lock()?;
        let found = find::in_places(known, &[dir.to_owned()])?;
        let mut paths = Vec::with_capacity(known.files.len());
        for (file, found) in known.files.iter().zip(found) {
            let path = match found {
                Some(path) => path,
                None => self.fetch_file(file, &folder, progress)?,
            };
            paths.push(path);
        }
        Ok(paths)
    }

    /// Tries one address after the other.
    pub(super) fn fetch_file(
        &self,
        file: &KnownFile,
        folder: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf> {
        let target = folder.join(format!("{}.gz", file.name));
        let part = folder.join(format!("{}.gz.part", file.name));
        let check = || find::check(self.dataset.known(), file, &part);
        let mut failures = Vec::new();
        // A run that was killed may have left a whole file.
        let mut whole = part.is_file() && check().is_ok();
        for address in &self.addresses {
            if whole {
                break;
            }
            let url = format!("{address}/{}.gz", file.name);
            // Packed files are no longer than the bytes in them, give or take a header.
            let most = file.bytes + (1 << 20);
            let wanted = Wanted { url: &url, name: file.name, part: &part, most };
            let right = || check().map_err(|error| error.to_string());
            match self.client.fetch(&wanted, &right, progress) {
                Ok(()) => whole = true,
                Err(Attempt::Failed(message)) => failures.push(format!("{url}: {message}")),
                Err(Attempt::Stop(error)) => return Err(error.into()),
            }
        }
        if !whole {
            return Err(self.by_hand(file, folder, &failures));
        }
        File::open(&part)?.sync_all()?;
        fs_err::rename(&part, &target)?;
        Ok(target)
    }

    /// The error when every address failed.
    fn by_hand(&self, file: &KnownFile, folder: &Path, failures: &[String]) -> Error {
        let known = self.dataset.known();
        let names: Vec<String> =
            known.files.iter().map(|file| format!("{}.gz", file.name)).collect();
        Error::Download {
            file: file.name.to_owned(),
            message: failures.join("; "),
            help: format!(
                "download by hand {} from {} into `{}`, set `path` to a folder that holds them, or \
                 set {MIRROR} to another address",
                names.join(", "),
                known.addresses.join(" or "),
                folder.display()
            ),
        }
    }
}
