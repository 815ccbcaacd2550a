//! The files and folders that parameters name: which are there, and which were meant.

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::names;

/// Entries of a folder that are looked through for the one that was meant.
const MOST_ENTRIES: usize = 10_000;

/// What was found of the paths so far: each is looked for once, however many variants name it.
#[derive(Default)]
pub(crate) struct Files {
    known: RefCell<HashMap<PathBuf, Option<Absence>>>,
}

/// Why a path cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absence {
    /// There is nothing of that name; what was meant, or how far the path leads.
    Missing(String),
    /// It may be there, but nobody can look.
    Hidden(String),
}

impl Absence {
    /// The same for a parameter that may be a name, which is looked for elsewhere too.
    pub(crate) fn of_named(self, below: Option<&str>) -> Self {
        match (self, below) {
            (Self::Missing(help), Some(below)) => Self::Missing(format!(
                "{help}; by name it is looked for below `{below}` in the data folders: `scarce data \
                 list` lists them, `scarce data fetch` downloads them"
            )),
            (absence, _) => absence,
        }
    }
}

impl Files {
    /// What is wrong with a path, which is absolute.
    pub(crate) fn absence(&self, path: &Path) -> Option<Absence> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let found = look(path);
        self.known.borrow_mut().insert(path.to_owned(), found.clone());
        found
    }
}

fn look(path: &Path) -> Option<Absence> {
    match path.metadata() {
        Ok(_) => None,
        Err(error) if is_absent(&error) => Some(Absence::Missing(help(path))),
        Err(error) => Some(Absence::Hidden(error.to_string())),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The nearest name in the innermost folder that is there.
fn help(path: &Path) -> String {
    let relative = "paths in a pipeline are relative to its TOML file";
    if let Ok(target) = fs_err::read_link(path) {
        return format!(
            "it is a link, and `{}`, to which it leads, is not there",
            target.display()
        );
    }
    let mut missing = path;
    let Some(there) = missing.ancestors().skip(1).find(|folder| {
        let found = folder.exists();
        if !found {
            missing = folder;
        }
        found
    }) else {
        return relative.to_owned();
    };
    if !there.is_dir() {
        return format!("`{}` is not a folder; {relative}", there.display());
    }
    let name = missing.file_name().unwrap_or_default().to_string_lossy();
    let entries = fs_err::read_dir(there).into_iter().flatten().flatten().take(MOST_ENTRIES);
    let mut entries: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    entries.sort_unstable();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let within = if missing == path {
        String::new()
    } else {
        format!("there is no folder `{}`; ", missing.display())
    };
    match names::did_you_mean(&name, &entries) {
        Some(meant) => format!("{within}{meant} ({relative})"),
        None => format!("{within}{relative}"),
    }
}
