//! Looking for hosts.

use std::{
    collections::HashSet,
    env,
    ffi::OsString,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use scarce_stage::Description;

use super::{
    Rank,
    describe::{self, Mute},
};

/// The program that runs the pipeline, as a host: nobody needs to start it to know its kinds.
#[derive(Debug, Clone)]
pub struct BuiltIn {
    /// The program: `std::env::current_exe()`.
    pub program: PathBuf,
    /// Its kinds.
    pub kinds: Vec<Description>,
}

/// Where to look for hosts.
#[derive(Debug, Clone)]
pub struct Search {
    /// Programs that the pipeline names: absolute paths, or names to look up on the path.
    pub named: Vec<PathBuf>,
    /// The running program.
    pub builtin: Option<BuiltIn>,
    /// A folder whose programs `scarce-*` are hosts.
    pub siblings: Option<PathBuf>,
    /// Folders whose programs `scarce-*` are hosts too, as in the variable `PATH`.
    pub path: Option<OsString>,
    /// Where answers are remembered; usually `artifacts/store/.hosts`.
    pub cache: Option<PathBuf>,
    /// How long a host may take to answer.
    pub timeout: Duration,
}

impl Search {
    /// The usual places: what the pipeline names, the program itself, its folder, the `PATH`.
    pub fn usual(named: &[PathBuf], builtin: BuiltIn, root: &Path) -> Self {
        Self {
            named: named.to_vec(),
            siblings: builtin.program.parent().map(Path::to_owned),
            builtin: Some(builtin),
            path: env::var_os("PATH"),
            cache: Some(root.join("store/.hosts")),
            timeout: Duration::from_secs(20),
        }
    }
}

/// A program that may be a host.
pub(super) struct Found {
    pub(super) program: PathBuf,
    pub(super) rank: Rank,
}

type Answer = Result<Vec<Description>, String>;

/// Every candidate with what it says, by rank; all are asked at the same time.
pub(super) fn answers(search: &Search) -> Vec<(Found, Answer)> {
    let candidates = candidates(search);
    thread::scope(|scope| {
        let asked: Vec<_> = candidates
            .into_iter()
            .map(|found| {
                let builtin = search.builtin.as_ref().filter(|_| found.rank == Rank::BuiltIn);
                if let Some(builtin) = builtin {
                    return (found, Err(Ok(builtin.kinds.clone())));
                }
                // Most answers are remembered: no thread is needed for those.
                let remembered = describe::recall(search.cache.as_deref(), &found.program);
                if let Some(kinds) = remembered {
                    return (found, Err(Ok(kinds)));
                }
                // Those on the path that nobody asked for must not cost their silence every time.
                let stray = found.rank == Rank::Path;
                if stray && describe::was_silent(search.cache.as_deref(), &found.program) {
                    let message = "it did not answer `describe` the last time, and is asked again \
                                   when the file changes or after a day; remove it, or name it in \
                                   `hosts` if it only takes long";
                    return (found, Err(Err(message.to_owned())));
                }
                let program = found.program.clone();
                (found, Ok(scope.spawn(move || ask(&program, search, stray))))
            })
            .collect();
        let wait = |asked: Result<thread::ScopedJoinHandle<'_, Answer>, Answer>| match asked {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err("it could not be asked".to_owned())),
            Err(answer) => answer,
        };
        asked.into_iter().map(|(found, asked)| (found, wait(asked))).collect()
    })
}

/// Asks a program, and remembers its answer or, if so told, that there was none.
fn ask(program: &Path, search: &Search, stray: bool) -> Answer {
    let cache = search.cache.as_deref();
    let answer = describe::ask(program, search.timeout);
    match &answer {
        Ok(kinds) => describe::remember(cache, program, kinds),
        Err(Mute::Silent(_)) if stray => describe::remember_silence(cache, program),
        Err(_) => {}
    }
    answer.map_err(Mute::message)
}

fn candidates(search: &Search) -> Vec<Found> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut add = |program: PathBuf, rank: Rank| {
        // What cannot be resolved stays as it is: asking it says what is wrong.
        let program = fs_err::canonicalize(&program).unwrap_or(program);
        if seen.insert(program.clone()) {
            found.push(Found { program, rank });
        }
    };
    for name in &search.named {
        add(look_up(name, search.path.as_ref()), Rank::Named);
    }
    if let Some(builtin) = &search.builtin {
        add(builtin.program.clone(), Rank::BuiltIn);
    }
    for program in search.siblings.iter().flat_map(|folder| programs(folder)) {
        add(program, Rank::Sibling);
    }
    // As in a shell, a name hides the same name further down the path.
    let mut names = HashSet::new();
    for folder in search.path.iter().flat_map(env::split_paths) {
        for program in programs(&folder) {
            if names.insert(program.file_name().unwrap_or_default().to_owned()) {
                add(program, Rank::Path);
            }
        }
    }
    found
}

/// A bare name is looked up on the path.
fn look_up(name: &Path, path: Option<&OsString>) -> PathBuf {
    if name.components().count() > 1 || name.is_absolute() {
        return name.to_owned();
    }
    let folders = path.into_iter().flat_map(env::split_paths);
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| is_executable(place)).unwrap_or_else(|| name.to_owned())
}

/// Executable files called `scarce-*`, sorted.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let named = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"scarce-"))
    };
    let mut programs: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(named)
        .filter(|p| is_executable(p))
        .collect();
    programs.sort();
    programs
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
