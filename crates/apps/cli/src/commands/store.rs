//! `scarce verify` and `scarce gc`: looking after the store.

use std::{path::Path, time::Duration};

use scarce_orchestrator::{Garbage, collect_garbage};
use scarce_store::{Collected, Damage, ForgottenMemos, Key, Lookup, Store};
use serde::Serialize;
use serde_json::json;

use crate::{error::CliError, output::Output};

/// Reads every artifact; sets aside what is damaged.
pub(crate) fn verify(root: &Path, out: &mut Output) -> Result<(), CliError> {
    let store = Store::open(root)?;
    // Nothing is collected meanwhile; what runs repair, they repair under its lock.
    let _session = store.session(&mut || true)?;
    let names = store.names()?;
    let total = names.len();
    let mut damaged = Vec::new();
    for (kind, key) in names {
        if let Some(damage) = look(&store, &kind, &key)? {
            if !out.json() {
                out.line(&format!("damaged: {damage}"))?;
            }
            damaged.push(json!({ "kind": kind, "key": key, "damage": damage }));
        }
    }
    let foreign = store.foreign()?;
    let count = damaged.len();
    if out.json() {
        out.print_json(&json!({ "artifacts": total, "damaged": damaged, "foreign": foreign }))?;
    } else {
        for path in &foreign {
            out.line(&format!("not of the store, and left alone: `{}`", path.display()))?;
        }
        out.line(&format!("{total} artifacts read, {count} damaged"))?;
    }
    if count == 0 { Ok(()) } else { Err(CliError::Damaged { count, total }) }
}

/// Looks at an entry, and if it is damaged, again under its lock: a run may have repaired it meanwhile.
/// One that is being computed now is that run's business.
fn look(store: &Store, kind: &str, key: &Key) -> Result<Option<Damage>, CliError> {
    if !matches!(store.find_verified(kind, key)?, Lookup::Damaged(_)) {
        return Ok(None);
    }
    let Some(lock) = store.lock(key, &mut || false)? else { return Ok(None) };
    Ok(store.set_aside(kind, &lock)?.map(|aside| aside.damage))
}

/// Deletes, or lists, what no recorded run reaches.
pub(crate) fn collect(
    root: &Path,
    garbage: &Garbage,
    memo_days: u32,
    out: &mut Output,
) -> Result<(), CliError> {
    let collected = collect_garbage(root, garbage)?;
    let unused = Duration::from_secs(u64::from(memo_days) * 86_400);
    let memos = Store::open(root)?.forget_memos(unused, garbage.dry_run)?;
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
    for left in &collected.left {
        out.line(&format!("left alone: {left}"))?;
    }
    if collected.young > 0 {
        out.line(&format!(
            "{} artifacts that no record knows of are too young to go: see `--grace`",
            collected.young
        ))?;
    }
    let verb = if garbage.dry_run { "would free" } else { "freed" };
    out.line(&format!(
        "{verb} {} in {} artifacts, {} of leftovers and quarantine; kept {} in {}",
        size(collected.entry_bytes),
        collected.entries.len(),
        size(collected.bytes() - collected.entry_bytes),
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
