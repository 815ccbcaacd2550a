//! Looking for the files of a data set, and checking what is found.

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::{Known, KnownFile, known};
use crate::{Error, Result, stream::Stream};

/// What is there of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The data set.
    pub known: &'static Known,
    /// One entry per file, in the order of [`Known::files`]; empty for what is built in.
    pub files: Vec<FoundFile>,
}

impl Survey {
    /// Whether every file is there and right.
    pub fn is_complete(&self) -> bool {
        self.files.iter().all(|file| file.state == State::Good)
    }
}

/// A file of a data set and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its name without `.gz`.
    pub name: &'static str,
    /// Where it lies.
    pub path: Option<PathBuf>,
    /// Whether it is right.
    pub state: State,
}

/// The state of a file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Found nowhere.
    Missing,
    /// Its checksum is right.
    Good,
    /// It is there, but cut short, damaged, or something else; the error's text.
    Wrong(String),
}

/// Looks for every known data set in the data folders, then where the system keeps it.
pub fn survey(dirs: &[PathBuf]) -> Vec<Survey> {
    known().iter().map(|known| survey_one(known, &places(known, dirs))).collect()
}

/// Checks the files of every known data set that lie in or below one data folder.
pub fn verify(dir: &Path) -> Vec<Survey> {
    known().iter().map(|known| survey_one(known, &data_folders(known, dir))).collect()
}

fn survey_one(known: &'static Known, places: &[Place]) -> Survey {
    let look = |file: &'static KnownFile| match look_for(known, file, places) {
        Ok(None) => FoundFile { name: file.name, path: None, state: State::Missing },
        Ok(Some(path)) => FoundFile { name: file.name, path: Some(path), state: State::Good },
        Err(wrong) => {
            let (path, error) = *wrong;
            FoundFile { name: file.name, path: Some(path), state: State::Wrong(error.to_string()) }
        }
    };
    Survey { known, files: known.files.iter().map(look).collect() }
}

/// The files in the one folder that the user names.
pub(super) fn in_folder(known: &'static Known, folder: &Path) -> Result<Vec<Option<PathBuf>>> {
    if !fs_err::metadata(folder)?.is_dir() {
        let found = "a file: give the folder that holds the four files".to_owned();
        return Err(Error::Format { path: folder.to_owned(), found });
    }
    let own = Place { folder: folder.to_owned(), shared: false };
    find_all(known, &[own])
}

/// The files in the data folders, or where the system keeps them.
pub(super) fn in_places(known: &'static Known, dirs: &[PathBuf]) -> Result<Vec<Option<PathBuf>>> {
    find_all(known, &places(known, dirs))
}

fn find_all(known: &'static Known, places: &[Place]) -> Result<Vec<Option<PathBuf>>> {
    let look = |file| look_for(known, file, places).map_err(|wrong| wrong.1);
    known.files.iter().map(look).collect()
}

/// A folder to look in.
struct Place {
    folder: PathBuf,
    /// Files of other data sets, which have the same names, may lie here too.
    shared: bool,
}

fn places(known: &Known, dirs: &[PathBuf]) -> Vec<Place> {
    let own = |folder: &&str| Place { folder: PathBuf::from(folder), shared: false };
    let system = known.system.iter().map(own);
    dirs.iter().flat_map(|dir| data_folders(known, dir)).chain(system).collect()
}

fn data_folders(known: &Known, dir: &Path) -> Vec<Place> {
    vec![
        Place { folder: dir.join(known.name), shared: false },
        Place { folder: dir.to_owned(), shared: true },
    ]
}

/// The first file of that name, checked; the error comes with the path.
fn look_for(
    known: &Known,
    file: &KnownFile,
    places: &[Place],
) -> Result<Option<PathBuf>, Box<(PathBuf, Error)>> {
    for place in places {
        for name in spellings(file.name) {
            let path = place.folder.join(name);
            if !path.is_file() {
                continue;
            }
            match check(known, file, &path) {
                Ok(()) => return Ok(Some(path)),
                Err(Error::Checksum { found, .. }) if place.shared && belongs_elsewhere(&found) => {
                }
                Err(error) => return Err(Box::new((path, error))),
            }
        }
    }
    Ok(None)
}

/// The names under which a file goes about.
fn spellings(name: &str) -> [String; 4] {
    let dotted = name.replacen("-idx", ".idx", 1);
    [format!("{name}.gz"), name.to_owned(), format!("{dotted}.gz"), dotted]
}

/// The data set that has a file with this MD5.
fn owner(md5: &str) -> Option<&'static Known> {
    known().iter().find(|known| known.files.iter().any(|file| file.md5 == md5))
}

fn belongs_elsewhere(md5: &str) -> bool {
    owner(md5).is_some()
}

/// Hexadecimal digits, two a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Compares a file with the published checksum.
pub(super) fn check(known: &Known, file: &KnownFile, path: &Path) -> Result<()> {
    let mut md5 = Md5::new();
    let mut bytes = 0;
    Stream::open(path)?.for_each(|piece| {
        md5.update(piece);
        bytes += piece.len() as u64;
        // A bomb is not unpacked to its end.
        bytes <= file.bytes
    })?;
    let found = hex(&md5.finalize());
    if found == file.md5 {
        return Ok(());
    }
    let help = match owner(&found) {
        Some(other) if other.name != known.name => {
            format!("it is a file of {}: put each data set into a folder of its own", other.name)
        }
        _ => format!(
            "it holds {bytes} bytes, expected {}: remove it and run `scarce data fetch {}`",
            file.bytes, known.name
        ),
    };
    Err(Error::Checksum {
        path: path.to_owned(),
        file: format!("`{}` of {}", file.name, known.name),
        found,
        expected: file.md5,
        help,
    })
}
