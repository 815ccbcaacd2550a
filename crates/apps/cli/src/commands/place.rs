//! Places under the runs, `PIPELINE/STAGE/…`, as people name them.

use std::path::{Component, Path, PathBuf};

use scarce_pipeline::did_you_mean;

use crate::error::CliError;

/// Where a place lies.
pub(crate) fn under_runs(name: &str, artifacts: &Path) -> PathBuf {
    artifacts.join("runs").join(name)
}

/// The error for a place that is not there, or holds no table: with the nearest name where it leads off.
pub(crate) fn no_table(name: &str, artifacts: &Path) -> CliError {
    let otherwise = "name a Parquet file, a folder of them, or `PIPELINE/STAGE` of a run; `scarce \
                     runs` lists runs";
    let help = meant(name, artifacts).unwrap_or_else(|| otherwise.to_owned());
    CliError::NoTable { name: name.to_owned(), help }
}

fn meant(name: &str, artifacts: &Path) -> Option<String> {
    let mut folder = artifacts.join("runs");
    for part in Path::new(name).components() {
        let Component::Normal(part) = part else { return None };
        let next = folder.join(part);
        if !next.exists() {
            let names = visible(&folder).ok()?;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return did_you_mean(&part.to_string_lossy(), &names);
        }
        folder = next;
    }
    None
}

/// The names in a folder that are not hidden, sorted.
pub(crate) fn visible(folder: &Path) -> Result<Vec<String>, CliError> {
    let entries = fs_err::read_dir(folder)?.flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort_unstable();
    Ok(names)
}
