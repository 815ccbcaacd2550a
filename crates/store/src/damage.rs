//! Damage: finding it, saying it, setting it aside.

use std::{fmt, io, path::Path, path::PathBuf};

use scarce_artifact::digest_file;
use scarce_stage::Format;
use serde::{Deserialize, Serialize};

use crate::{
    Durability, Entry, Key, Manifest, OutputFile, Result, Store, files, manifest::MANIFEST_FORMAT,
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
        Self { path: folder.join(file), what: what.into() }
    }
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
    let manifest: Manifest = serde_json::from_slice(text)
        .map_err(|error| damage(format!("is not a manifest: {error}")))?;
    if manifest.format != MANIFEST_FORMAT {
        return Err(damage(format!("has format {}, not {MANIFEST_FORMAT}", manifest.format)));
    }
    if manifest.kind != kind || manifest.key != *key {
        return Err(damage(format!("belongs to `{}/{}`", manifest.kind, manifest.key)));
    }
    Ok(manifest)
}

/// Sizes, and the first and last bytes of Parquet files.
pub(crate) fn check_cheaply(entry: &Entry) -> Result<Option<Damage>> {
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
pub(crate) fn check_fully(entry: &Entry) -> Result<Option<Damage>> {
    if let Some(damage) = check_cheaply(entry)? {
        return Ok(Some(damage));
    }
    each_file(entry, |_, file, path| {
        let digest = digest_file(path).map_err(io::Error::other)?;
        Ok((digest != file.digest)
            .then(|| "does not have the bytes it was written with".to_owned()))
    })
}

fn each_file(
    entry: &Entry,
    check: impl Fn(Format, &OutputFile, &Path) -> io::Result<Option<String>>,
) -> Result<Option<Damage>> {
    for output in entry.manifest.outputs.values().flatten() {
        for file in &output.files {
            let path = entry.folder.join(&file.name);
            match check(output.format, file, &path) {
                Ok(None) => {}
                Ok(Some(what)) => return Ok(Some(Damage { path, what })),
                // A block that the disk cannot deliver is damage too.
                Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
                    return Ok(Some(Damage { path, what: format!("cannot be read: {error}") }));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(None)
}

impl Store {
    /// Sets a damaged entry aside, with `damage.json` saying why, and returns where it went. An entry
    /// that somebody else has set aside meanwhile is fine: nothing is returned.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn quarantine(&self, kind: &str, key: &Key, damage: &Damage) -> Result<Option<PathBuf>> {
        let from = self.place(kind, key)?;
        let folder = self.own(".quarantine");
        fs_err::create_dir_all(&folder)?;
        let to = folder.join(format!("{kind}-{key}-{}", files::unique()));
        match fs_err::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if let Ok(text) = serde_json::to_vec_pretty(damage) {
            files::write_new(&to.join("damage.json"), &text, Durability::Process)?;
        }
        Ok(Some(to))
    }
}
