//! `scarce report`: what a report found, its page, and the table for a document.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use scarce_orchestrator::Record;
use scarce_report::{needed_table, summary_table};
use serde_json::json;

use super::headlines;
use crate::{
    args::{Language, ReportArgs},
    error::CliError,
    output::Output,
};

/// Shows every report that the argument names, or copies or opens the only one. `pipeline` is the
/// name of the pipeline where the argument is a TOML file.
pub(crate) fn run(
    args: &ReportArgs,
    pipeline: Option<&str>,
    root: &Path,
    out: &mut Output,
) -> Result<(), CliError> {
    let folders = find(pipeline.unwrap_or(&args.report), root)?;
    if let Some(file) = &args.output {
        // Not a copy of the file, which nobody may write to.
        fs_err::write(file, fs_err::read(only(&folders)?.join(PAGE))?)?;
    }
    if args.open {
        open(only(&folders)?.join(PAGE).as_os_str())?;
    }
    let mut reports = Vec::new();
    for folder in &folders {
        // Reports of older versions have no such table.
        let table = folder.join(NEEDED);
        let needed = if table.is_file() { needed_table(&table)? } else { Vec::new() };
        reports.push((folder.join(PAGE), summary_table(&folder.join(SUMMARY))?, needed));
    }
    if out.json() {
        let report = |(page, rows, needed)| json!({ "page": page, "rows": rows, "needed": needed });
        return out.print_json(&reports.into_iter().map(report).collect::<Vec<_>>());
    }
    for (at, (page, rows, needed)) in reports.iter().enumerate() {
        if at > 0 {
            out.line("")?;
        }
        if args.format == Language::Markdown {
            out.line(&(headlines::markdown(rows) + &headlines::needed(needed)))?;
            continue;
        }
        for table in headlines::tables(rows) {
            out.line(&format!("{table}\n"))?;
        }
        out.line(&format!("page: {}", page.display()))?;
    }
    Ok(())
}

const PAGE: &str = "page.html";
const SUMMARY: &str = "summary.parquet";
const NEEDED: &str = "needed.parquet";
/// A stage varies over fewer axes than this.
const DEEPEST: usize = 12;

/// The folders of the reports: a page or folder, given as such or as a place under the runs.
fn find(name: &str, root: &Path) -> Result<Vec<PathBuf>, CliError> {
    let given = PathBuf::from(name);
    let place = if given.is_file() {
        given.parent().map(Path::to_owned).unwrap_or_default()
    } else if given.is_dir() {
        given
    } else {
        root.join("runs").join(name)
    };
    if !place.is_dir() {
        let known = Record::pipelines(root)?;
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let otherwise = "`scarce runs` lists the pipelines that ran";
        return Err(CliError::unknown("report or pipeline that ran", name, &known, otherwise));
    }
    let mut found = Vec::new();
    collect(&place, DEEPEST, &mut found)?;
    if found.is_empty() { Err(CliError::NoReport { name: name.to_owned() }) } else { Ok(found) }
}

/// Adds the folders at and below one that hold a report, sorted by name.
fn collect(folder: &Path, deep: usize, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    if folder.join(PAGE).is_file() && folder.join(SUMMARY).is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let mut below: Vec<PathBuf> = fs_err::read_dir(folder)?.flatten().map(|e| e.path()).collect();
    below.retain(|path| path.is_dir());
    below.sort();
    for path in below.iter().filter(|_| deep > 0) {
        collect(path, deep - 1, found)?;
    }
    Ok(())
}

fn only(folders: &[PathBuf]) -> Result<&PathBuf, CliError> {
    match folders {
        [only] => Ok(only),
        several => Err(CliError::SeveralReports {
            folders: several.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Asks the desktop to show a page.
pub(crate) fn open(page: &OsStr) -> Result<(), CliError> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let failed = |message: String| CliError::NoBrowser { page: page.into(), message };
    let ended = Command::new(program).arg(page).status();
    match ended.map_err(|error| failed(format!("`{program}`: {error}")))? {
        status if status.success() => Ok(()),
        status => Err(failed(format!("`{program}` ended with {status}"))),
    }
}
