//! From a folder being written to an entry.

use std::{
    collections::BTreeMap,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use fs_err::File;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use scarce_artifact::digest_file;
use scarce_stage::Format;
use serde_json::Value;

use crate::{
    Durability, Entry, Error, Key, Layout, Lookup, Manifest, Output, OutputFile, Result, Store,
    Usage, files, manifest::MANIFEST_FORMAT, seal, store::Own,
};

/// A folder in which an entry is being written; removed when dropped.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// Where the outputs and `log.jsonl` go.
    pub fn outputs(&self) -> PathBuf {
        self.folder.join("entry")
    }

    /// The log of the stage, one JSON object a line.
    pub fn log(&self) -> PathBuf {
        self.outputs().join("log.jsonl")
    }

    /// A folder for whatever the stage needs while it runs; it is not published.
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = files::remove(&self.folder) {
            tracing::warn!("could not remove a temporary folder: {error}");
        }
    }
}

/// An output as a stage declares it.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its port.
    pub port: String,
    /// The table's or model's type.
    pub artifact: String,
    /// How it lies on the disk.
    pub format: Format,
    /// It may be left out.
    pub optional: bool,
    /// Rows, for a table.
    pub rows: Option<u64>,
}

impl Product {
    /// An output that must be there.
    pub fn new(port: &str, artifact: &str, format: Format) -> Self {
        let (port, artifact) = (port.to_owned(), artifact.to_owned());
        Self { port, artifact, format, optional: false, rows: None }
    }
}

/// What publishing did.
#[derive(Debug)]
pub struct Published {
    /// The entry under the key.
    pub entry: Entry,
    /// What was there before had other bytes: the stage does not always compute the same.
    pub replaced: bool,
}

impl Store {
    /// A new folder to write an entry in, on the store's own file system.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn stage(&self, key: &Key) -> Result<Staging> {
        let folder = self.own(Own::Temporary).join(format!("{key}-{}", files::unique()));
        let staging = Staging { folder };
        fs_err::create_dir_all(staging.outputs())?;
        fs_err::create_dir_all(staging.work())?;
        Ok(staging)
    }

    /// Keeps the log of a stage that failed, until garbage is collected or it fails again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_log(&self, staging: &Staging, kind: &str, key: &Key) -> Result<PathBuf> {
        let folder = self.own(Own::Failed);
        fs_err::create_dir_all(&folder)?;
        let place = folder.join(format!("{kind}-{key}.jsonl"));
        fs_err::rename(staging.log(), &place)?;
        Ok(place)
    }

    /// Makes an entry of a staging folder: digests, manifest, flush, rename, flush. Whoever calls
    /// this holds the [`crate::KeyLock`]. An entry that is there already stays if it has the same
    /// outputs and is exchanged, in one step, if not.
    ///
    /// # Errors
    /// [`Error::OutputMissing`], or when the disk refuses; nothing is published then.
    pub fn publish(
        &self,
        staging: Staging,
        kind: &str,
        key: &Key,
        ingredients: Value,
        products: &[Product],
        usage: Usage,
    ) -> Result<Published> {
        let place = self.place(kind, key)?;
        let from = staging.outputs();
        let mut outputs = BTreeMap::new();
        for product in products {
            outputs.insert(product.port.clone(), take(&from, product)?);
        }
        let mut replaced = false;
        if let Lookup::Hit(entry) = self.find(kind, key)? {
            replaced = entry.manifest.outputs != outputs;
            if !replaced && self.verify(&entry).is_none() {
                return Ok(Published { entry, replaced });
            }
        }
        let manifest = Manifest {
            format: MANIFEST_FORMAT,
            kind: kind.to_owned(),
            key: key.clone(),
            ingredients,
            outputs,
            usage,
            created: crate::now(),
            tool: concat!("scarce ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        complete(&from, &manifest)?;
        move_into_place(&staging, &place)?;
        Ok(Published { entry: Entry { folder: place, manifest }, replaced })
    }
}

/// Digests and flushes one output.
fn take(folder: &Path, product: &Product) -> Result<Option<Output>> {
    let names = product.format.files(&product.port);
    if names.iter().any(|name| Path::new(name).file_name().is_none_or(|only| only != &**name)) {
        return Err(Error::PortName { port: product.port.clone() });
    }
    let there = |name: &String| folder.join(name).symlink_metadata().is_ok_and(|m| m.is_file());
    if product.optional && !names.iter().any(there) {
        return Ok(None);
    }
    let mut list = Vec::new();
    for name in names {
        if !there(&name) {
            return Err(Error::OutputMissing { port: product.port.clone(), file: name });
        }
        let path = folder.join(&name);
        let file = File::open(&path)?;
        file.sync_all()?;
        let metadata = file.metadata()?;
        if metadata.nlink() > 1 {
            return Err(Error::OutputLinked { port: product.port.clone(), file: name });
        }
        let bytes = metadata.len();
        list.push(OutputFile { name, bytes, digest: digest_file(&path)? });
    }
    Ok(Some(Output {
        artifact: product.artifact.clone(),
        format: product.format,
        digest: Output::digest_of(&list),
        rows: product.rows,
        files: list,
    }))
}

/// Writes the manifest, removes what it does not name, takes away the right to write.
fn complete(folder: &Path, manifest: &Manifest) -> Result<()> {
    let text = seal(manifest, Layout::Lines)?;
    files::write_new(&folder.join("manifest.json"), &text, Durability::Machine)?;
    let outputs = manifest.outputs.values().flatten().flat_map(|output| &output.files);
    let mut known: Vec<&str> = outputs.map(|file| file.name.as_str()).collect();
    known.extend(["manifest.json", "log.jsonl"]);
    for path in files::list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A link that the stage made would lead the change of permissions to what is not ours.
        let own = path.symlink_metadata().is_ok_and(|m| m.is_file() && m.nlink() == 1);
        if own && known.contains(&&*name) {
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o444))?;
        } else {
            tracing::warn!("`{name}` is not an output of `{}` and was left out", manifest.kind);
            files::remove(&path)?;
        }
    }
    files::sync_folder(folder)
}

/// Renames the entry to its place, in exchange for what may be there.
fn move_into_place(staging: &Staging, place: &Path) -> Result<()> {
    let from = staging.outputs();
    let parent = place.parent().unwrap_or(place);
    if !parent.is_dir() {
        fs_err::create_dir_all(parent)?;
    }
    if place.symlink_metadata().is_ok() {
        // The old entry ends up in the staging folder and goes with it.
        let exchanged = renameat_with(CWD, &from, CWD, place, RenameFlags::EXCHANGE);
        if exchanged.is_err() {
            fs_err::rename(place, staging.work().join("replaced"))?;
            fs_err::rename(&from, place)?;
        }
    } else {
        fs_err::rename(&from, place)?;
    }
    files::sync_folder(parent)
}
