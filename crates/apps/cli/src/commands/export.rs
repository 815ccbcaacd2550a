//! `scarce export`: the tables of a run as plain files, for readers that follow no links.
//!
//! Each table becomes a data set of its own, whose folder holds nothing else and is partitioned as
//! Hive does it: `DIR/STAGE/TABLE/AXIS=VALUE/…/TABLE.parquet`. The whole tree appears at once, each file
//! compared with its digest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scarce_artifact::{Digest, digest_file};
use scarce_store::{Key, Lookup, Store};
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
    let run = pipeline.unwrap_or(&args.run);
    let tables = find(run, root)?;
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
    let store = Store::open(root)?;
    // Nothing is collected meanwhile.
    let _session = store.session(&mut || true)?;
    let mut sizes: BTreeMap<(&str, &str), (usize, u64)> = BTreeMap::new();
    for table in &tables {
        let from = fs_err::canonicalize(&table.path)?;
        // What somebody else put beside the views is not of the run.
        let Some(digest) = recorded(&store, &from)? else { continue };
        let (files, bytes) = sizes.entry((&table.stage, &table.name)).or_default();
        *files += 1;
        *bytes += put(table, &from, &digest, &tree, args.link)?;
    }
    if sizes.is_empty() {
        return Err(place::no_table(run, root));
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

/// What the store says the digest of a file is; `None` for a file that is not in the store.
fn recorded(store: &Store, file: &Path) -> Result<Option<Digest>, CliError> {
    let within = fs_err::canonicalize(store.folder())?;
    let Ok(place) = file.strip_prefix(&within) else { return Ok(None) };
    let parts: Vec<&str> = place.iter().filter_map(|part| part.to_str()).collect();
    let [kind, key, name] = parts[..] else { return Ok(None) };
    let Some(key) = Key::parse(key) else { return Ok(None) };
    match store.find(kind, &key)? {
        Lookup::Hit(entry) => {
            let mut files = entry.manifest.outputs.values().flatten().flat_map(|o| &o.files);
            Ok(files.find(|file| file.name == name).map(|file| file.digest.clone()))
        }
        Lookup::Damaged(_) => Err(CliError::DamagedTable { path: file.to_owned() }),
        Lookup::Absent => Ok(None),
    }
}

/// Puts one file into the tree and returns its size.
fn put(
    table: &Table,
    from: &Path,
    digest: &Digest,
    tree: &Path,
    link: bool,
) -> Result<u64, CliError> {
    let folder = tree.join(&table.stage).join(&table.name).join(&table.variant);
    fs_err::create_dir_all(&folder)?;
    let to = folder.join(format!("{}.parquet", table.name));
    if link {
        fs_err::hard_link(from, &to)
            .map_err(|error| CliError::NoLink { message: error.to_string() })?;
    } else {
        // As a new file: that of the store is one nobody may write to.
        let mut source = fs_err::File::open(from)?;
        std::io::copy(&mut source, &mut fs_err::File::create_new(&to)?)?;
    }
    if digest_file(&to)? != *digest {
        return Err(CliError::DamagedTable { path: from.to_owned() });
    }
    Ok(fs_err::metadata(&to)?.len())
}
