//! `scarce verify` and `scarce gc`: looking after the store.

use std::{path::Path, time::Duration};

use scarce_orchestrator::collect_garbage;
use scarce_store::{Collected, Damage, ForgottenMemos, Lookup, Store};
use serde::Serialize;
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
    memo_days: u32,
    dry_run: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    let collected = collect_garbage(root, keep_runs, dry_run)?;
    let unused = Duration::from_secs(u64::from(memo_days) * 86_400);
    let memos = Store::open(root)?.forget_memos(unused, dry_run)?;
    if out.json() {
        #[derive(Serialize)]
        struct Both {
            #[serde(flatten)]
            collected: Collected,
            memos: ForgottenMemos,
        }
        return out.print_json(&Both { collected, memos });
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
    ))?;
    if memos.memos + memos.kept == 0 {
        return Ok(());
    }
    out.line(&format!(
        "{verb} {} of what stages remember of single items; kept {}",
        size(memos.bytes),
        size(memos.kept_bytes),
    ))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
