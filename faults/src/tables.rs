//! What a run shows, byte for byte.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

/// Digests of every file that the views of a pipeline lead to, by path below the pipeline's folder.
pub type Tables = BTreeMap<String, blake3::Hash>;

/// The tables, models and pages of a pipeline's last run. Its records are left out: they hold times.
pub fn tables(artifacts: &Path, pipeline: &str) -> Tables {
    let base = artifacts.join("runs").join(pipeline);
    let mut tables = Tables::new();
    for link in WalkDir::new(&base).sort_by_file_name() {
        let link = link.unwrap_or_else(|error| panic!("{error}"));
        let relative = link.path().strip_prefix(&base).unwrap().to_string_lossy().into_owned();
        if !link.file_type().is_symlink() || relative.starts_with("history") {
            continue;
        }
        let bytes = fs_err::read(link.path())
            .unwrap_or_else(|error| panic!("a view leads to nothing that can be read: {error}"));
        tables.insert(relative, blake3::hash(&bytes));
    }
    tables
}

/// Every file of the artifacts, sorted, without links and locks.
pub fn files(artifacts: &Path) -> Vec<PathBuf> {
    let files = WalkDir::new(artifacts).sort_by_file_name().into_iter().flatten();
    let files = files.filter(|file| file.file_type().is_file()).map(walkdir::DirEntry::into_path);
    let is_lock = |path: &PathBuf| {
        path.ends_with(".lock") || path.components().any(|part| part.as_os_str() == ".locks")
    };
    files.filter(|path| !is_lock(path)).collect()
}

/// Panics with the names of what differs.
#[track_caller]
pub fn assert_same(found: &Tables, expected: &Tables, when: &str) {
    assert!(!expected.is_empty(), "the undisturbed run shows nothing");
    if found == expected {
        return;
    }
    let names: std::collections::BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let differing =
        names.into_iter().filter_map(|name| match (found.get(name), expected.get(name)) {
            (Some(found), Some(expected)) if found == expected => None,
            (Some(_), Some(_)) => Some(format!("`{name}` has other bytes")),
            (None, _) => Some(format!("`{name}` is missing")),
            (_, None) => Some(format!("`{name}` should not be there")),
        });
    let differing: Vec<String> = differing.collect();
    panic!("{when}: not what an undisturbed run shows: {}", differing.join(", "));
}
