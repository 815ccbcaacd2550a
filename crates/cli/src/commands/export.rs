//! `scarce export`: the tables of a run as plain files, for readers that follow no links.
//!
//! Each table becomes a data set of its own, whose folder holds nothing else and is partitioned as
//! Hive does it: `DIR/STAGE/TABLE/AXIS=VALUE/…/TABLE.parquet`. The whole tree appears at once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{place, stages};
use crate::{args::ExportArgs, error::CliError, output::Output};

/// A stage varies over fewer axes than this.
const DEEPEST: usize = 32;

/// A file of a run.
struct Table {
    stage: String,
    name: String,
    /// `seed=0/k=3`; empty without axes.
    variant: PathBuf,
    path: PathBuf,
}

/// Copies or links every table of a run, or of one of its stages. `pipeline` is the name of the pipeline
/// where the argument is a TOML file.
pub(crate) fn run(
    args: &ExportArgs,
    pipeline: Option<&str>,
    root: &Path,
    out: &mut Output,
) -> Result<(), CliError> {
    let tables = find(pipeline.unwrap_or(&args.run), root)?;
    let exists = || CliError::Exists { path: args.to.clone(), option: "--to" };
    if args.to.symlink_metadata().is_ok() && !is_empty_folder(&args.to) {
        return Err(exists());
    }
    let to = std::path::absolute(&args.to)?;
    let beside = to.parent().unwrap_or(&to);
    fs_err::create_dir_all(beside)?;
    let room = tempfile::Builder::new().prefix(".export-").tempdir_in(beside)?;
    // Not the temporary folder itself, which nobody else may enter.
    let tree = room.path().join("tree");
    let mut sizes: BTreeMap<(&str, &str), (usize, u64)> = BTreeMap::new();
    for table in &tables {
        let (files, bytes) = sizes.entry((&table.stage, &table.name)).or_default();
        *files += 1;
        *bytes += put(table, &tree, args.link)?;
    }
    fs_err::rename(&tree, &to).map_err(|error| match error.kind() {
        // It was not there, or empty, a moment ago.
        std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::NotADirectory => exists(),
        _ => error.into(),
    })?;
    if out.json() {
        let table = |((stage, table), (files, bytes))| json!({ "stage": stage, "table": table, "files": files, "bytes": bytes });
        let tables: Vec<_> = sizes.into_iter().map(table).collect();
        return out.print_json(&json!({ "folder": args.to, "tables": tables }));
    }
    let mut listed = stages::plain_table();
    for ((stage, name), (files, bytes)) in sizes {
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let bytes = indicatif::HumanBytes(bytes).to_string();
        listed.add_row([args.to.join(stage).join(name).display().to_string(), files, bytes]);
    }
    out.line(&stages::trimmed(&listed))
}

fn is_empty_folder(path: &Path) -> bool {
    let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    is_folder && fs_err::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The tables of `PIPELINE` or `PIPELINE/STAGE`, in order.
fn find(name: &str, root: &Path) -> Result<Vec<Table>, CliError> {
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let folder = place::under_runs(name, root);
    if !folder.is_dir() || parts.len() > 2 || parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(place::no_table(name, root));
    }
    let mut found = Vec::new();
    if let [_, stage] = parts[..] {
        collect(stage, &folder, Path::new(""), &mut found)?;
    } else {
        // `history` holds records.
        for stage in place::visible(&folder)?.into_iter().filter(|name| name != "history") {
            collect(&stage, &folder.join(&stage), Path::new(""), &mut found)?;
        }
    }
    if found.is_empty() { Err(place::no_table(name, root)) } else { Ok(found) }
}

/// The tables of a stage's variants, which lie in folders such as `seed=0`.
fn collect(
    stage: &str,
    folder: &Path,
    variant: &Path,
    found: &mut Vec<Table>,
) -> Result<(), CliError> {
    if !folder.is_dir() || variant.components().count() > DEEPEST {
        return Ok(());
    }
    for name in place::visible(folder)? {
        let path = folder.join(&name);
        if path.is_dir() && name.contains('=') {
            collect(stage, &path, &variant.join(&name), found)?;
        } else if let Some(table) = name.strip_suffix(".parquet").filter(|_| path.is_file()) {
            let (stage, name) = (stage.to_owned(), table.to_owned());
            found.push(Table { stage, name, variant: variant.to_owned(), path });
        }
    }
    Ok(())
}

/// Puts one file into the tree and returns its size.
fn put(table: &Table, tree: &Path, link: bool) -> Result<u64, CliError> {
    let folder = tree.join(&table.stage).join(&table.name).join(&table.variant);
    fs_err::create_dir_all(&folder)?;
    let to = folder.join(format!("{}.parquet", table.name));
    let from = fs_err::canonicalize(&table.path)?;
    if link {
        std::fs::hard_link(&from, &to).map_err(|error| CliError::NoLink {
            from: from.clone(),
            to,
            message: error.to_string(),
        })?;
        return Ok(fs_err::metadata(&from)?.len());
    }
    // As a new file: that of the store is one nobody may write to.
    let mut source = fs_err::File::open(&from)?;
    Ok(std::io::copy(&mut source, &mut fs_err::File::create_new(&to)?)?)
}
