//! The store itself: where things lie, and finding them.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{Damage, Error, Key, Manifest, Output, Result, damage, files};

/// A content-addressed cache under a root folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// A published entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl Entry {
    /// Where an output lies: its path without extension.
    pub fn stem(&self, port: &str) -> PathBuf {
        self.folder.join(port)
    }

    /// An output, unless it is an optional one that was not written.
    pub fn output(&self, port: &str) -> Option<&Output> {
        self.manifest.outputs.get(port)?.as_ref()
    }
}

/// What lies under a key.
#[derive(Debug)]
pub enum Lookup {
    /// An entry that passes the cheap checks.
    Hit(Entry),
    /// Nothing.
    Absent,
    /// Something that must not be used.
    Damaged(Damage),
}

impl Store {
    /// The store under `root`, which is made if need be (unless it cannot be: a store on a read-only
    /// disk can still be read).
    ///
    /// # Errors
    /// When there is no such folder and it cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root)?;
        let folder = root.join("store");
        if !folder.is_dir() {
            fs_err::create_dir_all(&folder)?;
        }
        Ok(Self { folder })
    }

    /// `<root>/store`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder of the store's own, such as `.locks`.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the entry of a key lies, or would.
    ///
    /// # Errors
    /// [`Error::KindName`] for a name that cannot be a folder.
    pub fn place(&self, kind: &str, key: &Key) -> Result<PathBuf> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let starts = kind.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || !kind.chars().all(good) {
            return Err(Error::KindName { name: kind.to_owned() });
        }
        Ok(self.folder.join(kind).join(key.as_str()))
    }

    /// Looks a key up with cheap checks: the manifest parses, sizes are right, Parquet files begin
    /// and end as such.
    ///
    /// # Errors
    /// When the disk cannot be read. Damage is not an error but a [`Lookup`].
    pub fn find(&self, kind: &str, key: &Key) -> Result<Lookup> {
        let folder = self.place(kind, key)?;
        let text = match fs_err::read(folder.join("manifest.json")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(match folder.symlink_metadata() {
                    Ok(_) => Lookup::Damaged(Damage::new(&folder, "manifest.json", "is missing")),
                    Err(_) => Lookup::Absent,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let manifest = match damage::parse_manifest(&folder, &text, kind, key) {
            Ok(manifest) => manifest,
            Err(damage) => return Ok(Lookup::Damaged(damage)),
        };
        let entry = Entry { folder, manifest };
        Ok(match damage::check_cheaply(&entry)? {
            None => Lookup::Hit(entry),
            Some(damage) => Lookup::Damaged(damage),
        })
    }

    /// Digests every file of an entry.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn verify(&self, entry: &Entry) -> Result<Option<Damage>> {
        damage::check_fully(entry)
    }

    /// Everything published: kind and key, sorted, each with what a cheap check says.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn list(&self) -> Result<Vec<(String, Key, Lookup)>> {
        let mut found = Vec::new();
        for (kind, key, _) in self.places()? {
            let lookup = self.find(&kind, &key)?;
            found.push((kind, key, lookup));
        }
        Ok(found)
    }

    /// Kind, key and folder of everything published.
    pub(crate) fn places(&self) -> Result<Vec<(String, Key, PathBuf)>> {
        let mut places = Vec::new();
        for folder in files::list(&self.folder)? {
            let kind = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if kind.starts_with('.') || !folder.is_dir() {
                continue;
            }
            for entry in files::list(&folder)? {
                let name = entry.file_name().unwrap_or_default().to_string_lossy();
                if let Some(key) = Key::parse(&name) {
                    places.push((kind.clone(), key, entry));
                }
            }
        }
        Ok(places)
    }
}
