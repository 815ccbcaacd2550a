//! Damage: finding it, saying it, setting it aside.

use std::{fmt, io, path::Path, path::PathBuf};

use scarce_artifact::digest_file;
use scarce_stage::Format;
use serde::{Deserialize, Serialize};

use crate::{
    Durability, Entry, Key, KeyLock, Lookup, Manifest, OutputFile, Result, Store, files,
    manifest::{MANIFEST_FORMAT, UNSEALED_FORMAT},
    store::Own,
    unseal,
};

/// Why an entry must not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, as the rest of a sentence: `has 10 bytes, not 20`.
    pub what: String,
}

impl Damage {
    pub(crate) fn new(folder: &Path, file: &str, what: impl Into<String>) -> Self {
        let path = if file.is_empty() { folder.to_owned() } else { folder.join(file) };
        Self { path, what: what.into() }
    }
}

/// A damaged entry that was taken out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// What was wrong with it.
    pub damage: Damage,
    /// Where it is now.
    pub place: PathBuf,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path.display(), self.what)
    }
}

/// The manifest in `text`, if it is one and belongs here.
pub(crate) fn parse_manifest(
    folder: &Path,
    text: &[u8],
    kind: &str,
    key: &Key,
) -> std::result::Result<Manifest, Damage> {
    let damage = |what: String| Damage::new(folder, "manifest.json", what);
    let older = |manifest: &Manifest| manifest.format == UNSEALED_FORMAT;
    let manifest: Manifest = unseal(text, "a manifest", older).map_err(damage)?;
    if manifest.format != MANIFEST_FORMAT && !older(&manifest) {
        return Err(damage(format!("has format {}, not {MANIFEST_FORMAT}", manifest.format)));
    }
    if manifest.kind != kind || manifest.key != *key {
        return Err(damage(format!("belongs to `{}/{}`", manifest.kind, manifest.key)));
    }
    Ok(manifest)
}

/// Sizes, and the first and last bytes of Parquet files.
pub(crate) fn check_cheaply(entry: &Entry) -> Option<Damage> {
    each_file(entry, |format, file, path| {
        let bytes = match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Ok(Some("is not a file".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some("is missing".to_owned()));
            }
            Err(error) => return Err(error),
        };
        if bytes != file.bytes {
            return Ok(Some(format!("has {bytes} bytes, not {}", file.bytes)));
        }
        if format == Format::Table && !files::has_parquet_magic(path, bytes)? {
            return Ok(Some("does not begin and end as Parquet does".to_owned()));
        }
        Ok(None)
    })
}

/// The digest of every file.
pub(crate) fn check_fully(entry: &Entry) -> Option<Damage> {
    check_cheaply(entry).or_else(|| {
        each_file(entry, |_, file, path| {
            let digest = digest_file(path).map_err(io::Error::other)?;
            Ok((digest != file.digest)
                .then(|| "does not have the bytes it was written with".to_owned()))
        })
    })
}

fn each_file(
    entry: &Entry,
    check: impl Fn(Format, &OutputFile, &Path) -> io::Result<Option<String>>,
) -> Option<Damage> {
    for output in entry.manifest.outputs.values().flatten() {
        for file in &output.files {
            let path = entry.folder.join(&file.name);
            // What the disk cannot or may not deliver is damage too.
            let checked = check(output.format, file, &path)
                .unwrap_or_else(|error| Some(format!("cannot be read: {error}")));
            if let Some(what) = checked {
                return Some(Damage { path, what });
            }
        }
    }
    None
}

impl Store {
    /// Looks at every byte of the entry whose key is locked, and if it is damaged, moves it to the
    /// quarantine with `damage.json` saying why. Whoever judged it before the lock was taken may have
    /// seen what another run has repaired, or a collection removed, meanwhile: then nothing happens.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_aside(&self, kind: &str, lock: &KeyLock) -> Result<Option<SetAside>> {
        let key = &lock.key;
        let Lookup::Damaged(damage) = self.find_verified(kind, key)? else { return Ok(None) };
        let folder = self.own(Own::Quarantine);
        fs_err::create_dir_all(&folder)?;
        let name = format!("{kind}-{key}-{}", files::unique());
        let place = folder.join(&name);
        fs_err::rename(self.place(kind, key)?, &place)?;
        let is_folder = place.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let why =
            if is_folder { place.join("damage.json") } else { folder.join(format!("{name}.json")) };
        let written = serde_json::to_vec_pretty(&damage)
            .map_err(|error| io::Error::from(error).into())
            .and_then(|text| files::write_new(&why, &text, Durability::Process));
        if let Err(error) = written {
            tracing::warn!("why an artifact was set aside is not noted: {error}");
        }
        Ok(Some(SetAside { damage, place }))
    }
}
