//! `scarce verify` and `scarce gc`: looking after the store.

use std::path::Path;

use scarce_orchestrator::collect_garbage;
use scarce_store::{Damage, Lookup, Store};
use serde_json::json;

use crate::{error::CliError, output::Output};

/// Reads every artifact; sets aside what is damaged.
pub(crate) fn verify(root: &Path, out: &mut Output) -> Result<(), CliError> {
    let store = Store::open(root)?;
    let entries = store.list()?;
    let total = entries.len();
    let mut damaged = Vec::new();
    for (kind, key, lookup) in entries {
        if let Some(damage) = damage_of(&store, &lookup)? {
            store.quarantine(&kind, &key, &damage)?;
            if !out.json() {
                out.line(&format!("damaged: {damage}"))?;
            }
            damaged.push(json!({ "kind": kind, "key": key, "damage": damage }));
        }
    }
    let count = damaged.len();
    if out.json() {
        out.print_json(&json!({ "artifacts": total, "damaged": damaged }))?;
    } else {
        out.line(&format!("{total} artifacts read, {count} damaged"))?;
    }
    if count == 0 { Ok(()) } else { Err(CliError::Damaged { count, total }) }
}

fn damage_of(store: &Store, lookup: &Lookup) -> Result<Option<Damage>, CliError> {
    match lookup {
        Lookup::Hit(entry) => Ok(store.verify(entry)?),
        Lookup::Damaged(damage) => Ok(Some(damage.clone())),
        Lookup::Absent => Ok(None),
    }
}

/// Deletes, or lists, what no recorded run reaches.
pub(crate) fn collect(
    root: &Path,
    keep_runs: Option<usize>,
    dry_run: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    let collected = collect_garbage(root, keep_runs, dry_run)?;
    if out.json() {
        return out.print_json(&collected);
    }
    for entry in &collected.entries {
        out.line(&format!("{:>10}  {}/{}", size(entry.bytes), entry.kind, entry.key))?;
    }
    let verb = if dry_run { "would free" } else { "freed" };
    out.line(&format!(
        "{verb} {} in {} artifacts, {} of leftovers and quarantine; kept {} in {}",
        size(collected.entry_bytes),
        collected.entries.len(),
        size(collected.leftover_bytes + collected.quarantine_bytes),
        size(collected.kept_bytes),
        collected.kept,
    ))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
