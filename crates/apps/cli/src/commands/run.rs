//! `scarce run`: run what changed, then show what came out.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use scarce_orchestrator::{Orchestrator, RunEvent, Summary, view};
use scarce_report::summary_table;

use super::headlines;
use crate::{error::CliError, output::Output, progress::Progress};

/// Set by the first Ctrl-C; the second ends the process at once.
static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs, prints the reports' headline figures, and returns the exit code.
pub(crate) fn run(
    orchestrator: &Orchestrator<'_>,
    root: &Path,
    progress: &Progress,
    out: &mut Output,
) -> Result<u8, CliError> {
    let reached = Mutex::new(HashSet::new());
    let summary = watched(orchestrator, &|event| {
        if let (Some(task), Ok(mut reached)) = (reached_by(event), reached.lock()) {
            reached.insert(task);
        }
        progress.show(event);
    })?;
    if !out.json() {
        progress.conclude(&sentence(&summary));
        let reached = reached.into_inner().unwrap_or_default();
        show_reports(orchestrator, root, &reached, out)?;
    }
    Ok(exit_code(&summary))
}

/// Runs with its progress on standard error, and returns the exit code.
pub(crate) fn quietly(
    orchestrator: &Orchestrator<'_>,
    progress: &Progress,
) -> Result<u8, CliError> {
    let summary = watched(orchestrator, &|event| progress.show(event))?;
    Ok(exit_code(&summary))
}

fn watched(
    orchestrator: &Orchestrator<'_>,
    events: &(dyn Fn(&RunEvent) + Sync),
) -> Result<Summary, CliError> {
    catch_interrupts()?;
    Ok(orchestrator.run(&INTERRUPT, &|event| events(&event))?)
}

fn exit_code(summary: &Summary) -> u8 {
    match () {
        () if summary.interrupted => 130,
        () if summary.is_success() => 0,
        () => 1,
    }
}

/// The task whose result this event says to be there.
fn reached_by(event: &RunEvent) -> Option<usize> {
    match event {
        RunEvent::Cached { task, .. } | RunEvent::Finished { task, .. } => Some(task.index),
        _ => None,
    }
}

#[expect(clippy::exit, reason = "whoever interrupts twice wants no more waiting")]
fn catch_interrupts() -> Result<(), CliError> {
    let handler = || {
        if INTERRUPT.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    Ok(ctrlc::set_handler(handler).map_err(std::io::Error::other)?)
}

fn sentence(summary: &Summary) -> String {
    let mut parts = vec![format!("{} ran", summary.ran), format!("{} cached", summary.cached)];
    for (count, word) in [
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
        (summary.not_reached, "not reached"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let time = crate::progress::seconds(summary.wall_seconds);
    format!("{:>8}  {}", time, parts.join(", "))
}

/// The headline figures of every report that this run reached, and where its page is.
fn show_reports(
    orchestrator: &Orchestrator<'_>,
    root: &Path,
    reached: &HashSet<usize>,
    out: &mut Output,
) -> Result<(), CliError> {
    let pipeline = orchestrator.pipeline();
    for (index, task) in pipeline.tasks() {
        if task.kind != "report" || !reached.contains(&index.index()) {
            continue;
        }
        let folder: PathBuf = view(root, &pipeline.name, task);
        let summary = folder.join("summary.parquet");
        if !summary.exists() {
            continue;
        }
        for table in headlines::tables(&summary_table(&summary)?) {
            out.line(&format!("\n{table}"))?;
        }
        out.line(&format!("\nreport: {}", folder.join("page.html").display()))?;
    }
    Ok(())
}
