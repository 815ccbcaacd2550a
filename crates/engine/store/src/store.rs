//! The store itself: where things lie, and finding them.

use std::{
    io,
    path::{Path, PathBuf},
};

use scarce_artifact::{CACHE_TAG, mark_as_cache};

use crate::{Damage, Error, Key, Manifest, Output, Result, damage, files};

/// The folders of the store's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// Entries being written.
    Temporary,
    /// Lock files, one per key.
    Locks,
    /// Damaged entries.
    Quarantine,
    /// Logs of stages that failed.
    Failed,
    /// Digests of files outside.
    Digests,
    /// What host programs say of themselves; written by the orchestrator.
    Hosts,
    /// What stages remember of single items.
    Memo,
}

impl Own {
    pub(crate) const ALL: [Self; 7] = [
        Self::Temporary,
        Self::Locks,
        Self::Quarantine,
        Self::Failed,
        Self::Digests,
        Self::Hosts,
        Self::Memo,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Temporary => ".tmp",
            Self::Locks => ".locks",
            Self::Quarantine => ".quarantine",
            Self::Failed => ".failed",
            Self::Digests => ".digests",
            Self::Hosts => ".hosts",
            Self::Memo => ".memo",
        }
    }

    /// Whether something of this name in the folder is the store's.
    pub(crate) fn bears(self, name: &str) -> bool {
        match self {
            // `KEY-PROCESS-NUMBER`, and `PROCESS-NUMBER` of an entry on its way out.
            Self::Temporary => {
                let unique = name.split_once('-').filter(|(key, _)| Key::parse(key).is_some());
                files::writer_of(unique.map_or(name, |(_, unique)| unique)).is_some()
            }
            Self::Locks => Key::parse(name).is_some(),
            // `KIND-KEY-PROCESS-NUMBER`, with `.json` why.
            Self::Quarantine => {
                let name = name.strip_suffix(".json").unwrap_or(name);
                let mut parts = name.rsplitn(4, '-').skip(2);
                parts.next().is_some_and(|key| Key::parse(key).is_some())
            }
            // `KIND-KEY.jsonl`
            Self::Failed => name.strip_suffix(".jsonl").is_some_and(ends_with_key),
            Self::Memo => ends_with_key(name),
            Self::Digests | Self::Hosts => name.strip_suffix(".json").is_some(),
        }
    }
}

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
    /// When there is no such folder and it cannot be made; [`Error::Foreign`] when a folder of its own
    /// is a link, since what is removed there would be somebody else's.
    pub fn open(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root)?;
        let folder = root.join("store");
        if !folder.is_dir() {
            fs_err::create_dir_all(&folder)?;
        }
        let store = Self { folder };
        for own in Own::ALL {
            let path = store.own(own);
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(Error::foreign(&path, "is a link"));
                }
                Ok(metadata) if !metadata.is_dir() => {
                    return Err(Error::foreign(&path, "is not a folder"));
                }
                _ => {}
            }
        }
        // So that neither backups nor data sets around it take it for something else. A folder that
        // holds other things besides is not marked as a whole.
        mark_as_cache(&store.folder);
        if holds_nothing_else(&root) {
            mark_as_cache(&root);
        }
        Ok(store)
    }

    /// `<root>/store`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder of the store's own, such as `.locks`.
    pub(crate) fn own(&self, own: Own) -> PathBuf {
        self.folder.join(own.name())
    }

    /// Where the entry of a key lies, or would.
    ///
    /// # Errors
    /// [`Error::KindName`] for a name that cannot be a folder.
    pub fn place(&self, kind: &str, key: &Key) -> Result<PathBuf> {
        if !is_kind_name(kind) {
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
        let path = folder.join("manifest.json");
        let text = match fs_err::symlink_metadata(&path) {
            Ok(metadata) if !metadata.is_file() => Err("is not a file".to_owned()),
            Ok(_) => files::read_file(&path).map_err(|error| format!("cannot be read: {error}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if folder.symlink_metadata().is_err() {
                    return Ok(Lookup::Absent);
                }
                Err("is missing".to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return match folder.symlink_metadata() {
                    Ok(_) => Ok(Lookup::Damaged(Damage::new(&folder, "", "is not a folder"))),
                    // Not the entry: the folder of all of its kind.
                    Err(_) => Err(Error::from(error)),
                };
            }
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let text = match text {
            Ok(text) => text,
            Err(what) => return Ok(Lookup::Damaged(Damage::new(&folder, "manifest.json", what))),
        };
        let manifest = match damage::parse_manifest(&folder, &text, kind, key) {
            Ok(manifest) => manifest,
            Err(damage) => return Ok(Lookup::Damaged(damage)),
        };
        let entry = Entry { folder, manifest };
        Ok(match damage::check_cheaply(&entry) {
            None => Lookup::Hit(entry),
            Some(damage) => Lookup::Damaged(damage),
        })
    }

    /// Digests every file of an entry.
    pub fn verify(&self, entry: &Entry) -> Option<Damage> {
        damage::check_fully(entry)
    }

    /// As [`Store::find`], and digests every file.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn find_verified(&self, kind: &str, key: &Key) -> Result<Lookup> {
        let found = self.find(kind, key)?;
        let damage = match &found {
            Lookup::Hit(entry) => self.verify(entry),
            Lookup::Absent | Lookup::Damaged(_) => None,
        };
        Ok(damage.map_or(found, Lookup::Damaged))
    }

    /// Kind and key of everything published, sorted.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn names(&self) -> Result<Vec<(String, Key)>> {
        Ok(self.places()?.0.into_iter().map(|(kind, key, _)| (kind, key)).collect())
    }

    /// Everything published: kind and key, sorted, each with what a cheap check says.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn list(&self) -> Result<Vec<(String, Key, Lookup)>> {
        let mut found = Vec::new();
        for (kind, key) in self.names()? {
            let lookup = self.find(&kind, &key)?;
            found.push((kind, key, lookup));
        }
        Ok(found)
    }

    /// What lies in the store and is not of it; nothing ever touches it.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn foreign(&self) -> Result<Vec<PathBuf>> {
        Ok(self.places()?.1)
    }

    /// Kind, key and folder of everything published; and what is there besides.
    #[expect(clippy::type_complexity, reason = "two lists that are taken apart at once")]
    pub(crate) fn places(&self) -> Result<(Vec<(String, Key, PathBuf)>, Vec<PathBuf>)> {
        let mut places = Vec::new();
        let mut foreign = Vec::new();
        for folder in files::list(&self.folder)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == ".lock" || name == CACHE_TAG || Own::ALL.iter().any(|own| own.name() == name)
            {
                continue;
            }
            let is_folder = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
            if !is_folder || !is_kind_name(&name) {
                foreign.push(folder);
                continue;
            }
            for entry in files::list(&folder)? {
                match Key::parse(&entry.file_name().unwrap_or_default().to_string_lossy()) {
                    Some(key) => places.push((name.clone(), key, entry)),
                    None => foreign.push(entry),
                }
            }
        }
        Ok((places, foreign))
    }
}

fn ends_with_key(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, key)| Key::parse(key).is_some())
}

fn is_kind_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(good)
}

/// Whether a folder of artifacts holds only what this program puts there.
fn holds_nothing_else(root: &Path) -> bool {
    let ours = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name == "store" || name == "runs" || name == CACHE_TAG)
    };
    files::list(root).is_ok_and(|paths| paths.iter().all(ours))
}
