//! Looking for models, and checking what is found.

use std::path::{Path, PathBuf};

use scarce_wheels::sha256;

use crate::{DESCRIPTION, FOLDER, KnownModel, NETWORK, known};

/// What is there of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The model.
    pub known: &'static KnownModel,
    /// Its folder, where there is one.
    pub folder: Option<PathBuf>,
    /// Whether its network is there and right.
    pub state: State,
}

/// The state of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not there, or not all of it.
    Missing,
    /// Its network has the digest of the list, and a description lies beside it.
    Good,
    /// Its network is another file; what is wrong.
    Wrong(String),
}

/// Looks for every known model in the data folders and reads what is there.
pub fn survey(data: &[PathBuf]) -> Vec<Survey> {
    known().iter().map(|known| survey_one(known, data)).collect()
}

/// The same for one model.
pub fn survey_one(known: &'static KnownModel, data: &[PathBuf]) -> Survey {
    let folder = find(known.name, data);
    let state = folder.as_deref().map_or(State::Missing, |folder| look(known, folder));
    Survey { known, folder, state }
}

/// The folder of a model, known or not: `models/NAME` of the first data folder that has it.
pub fn find(name: &str, data: &[PathBuf]) -> Option<PathBuf> {
    let plain = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
    let folders = data.iter().map(|data| data.join(FOLDER).join(name));
    folders.filter(|_| plain).find(|folder| folder.is_dir())
}

/// The first model of the list that is there, or else any folder below `models/` that holds a network
/// and a description, by name.
pub fn find_any(data: &[PathBuf]) -> Option<PathBuf> {
    let listed = known().iter().find_map(|model| find(model.name, data).filter(|f| is_model(f)));
    listed.or_else(|| data.iter().find_map(|data| first_model(&data.join(FOLDER))))
}

fn first_model(models: &Path) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs_err::read_dir(models).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders.into_iter().find(|folder| is_model(folder))
}

fn is_model(folder: &Path) -> bool {
    folder.join(NETWORK).is_file() && folder.join(DESCRIPTION).is_file()
}

pub(crate) fn look(known: &KnownModel, folder: &Path) -> State {
    if !is_model(folder) {
        return State::Missing;
    }
    let path = folder.join(NETWORK);
    match sha256(&path) {
        Ok(found) if found == known.sha256 => State::Good,
        Ok(found) => {
            let (path, expected) = (path.display(), known.sha256);
            State::Wrong(format!("the SHA-256 of `{path}` is {found}, not {expected}"))
        }
        Err(error) => State::Wrong(error.to_string()),
    }
}
