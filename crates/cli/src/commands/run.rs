//! `scarce run`: run what changed, then show what came out.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use comfy_table::{Table, presets};
use scarce_orchestrator::{Orchestrator, RunEvent, Summary, view};
use scarce_report::{Figure, SummaryRow, summary_table};

use super::stages::trimmed;
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
    catch_interrupts()?;
    let reached = Mutex::new(HashSet::new());
    let summary = orchestrator.run(&INTERRUPT, &|event| {
        if let (Some(task), Ok(mut reached)) = (reached_by(&event), reached.lock()) {
            reached.insert(task);
        }
        progress.show(&event);
    })?;
    if !out.json() {
        progress.conclude(&sentence(&summary));
        let reached = reached.into_inner().unwrap_or_default();
        show_reports(orchestrator, root, &reached, out)?;
    }
    Ok(match () {
        () if summary.interrupted => 130,
        () if summary.is_success() => 0,
        () => 1,
    })
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
        for group in groups(&summary_table(&summary)?) {
            out.line(&format!("\n{}", trimmed(&headlines(&group))))?;
        }
        out.line(&format!("\nreport: {}", folder.join("page.html").display()))?;
    }
    Ok(())
}

/// Rows with the same figures stand in one table: scores of clusters have other columns than those of
/// classifiers.
fn groups(rows: &[SummaryRow]) -> Vec<Vec<&SummaryRow>> {
    let mut groups: Vec<Vec<&SummaryRow>> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|group| metrics(group[0]).eq(metrics(row))) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

fn metrics(row: &SummaryRow) -> impl Iterator<Item = &str> {
    row.figures.iter().map(|figure| figure.metric.as_str())
}

/// Method, what the images were to it, and a column per metric.
fn headlines(rows: &[&SummaryRow]) -> Table {
    let metrics: Vec<&str> = rows.first().map_or(Vec::new(), |row| metrics(row).collect());
    let published = rows.iter().flat_map(|row| &row.figures).any(|f| f.published.is_some());
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["method".to_owned(), "on".to_owned()];
    header.extend(metrics.iter().map(|metric| metric.replace('_', " ")));
    if published {
        header.push("published".to_owned());
    }
    table.set_header(header);
    for row in rows {
        let mut cells = vec![row.method(), row.setting.clone()];
        let figures = metrics.iter().map(|metric| row.figure(metric));
        cells.extend(figures.map(|figure| figure.map_or(String::new(), ToString::to_string)));
        if published {
            cells
                .push(row.figures.iter().filter_map(published_text).collect::<Vec<_>>().join("; "));
        }
        table.add_row(cells);
    }
    table
}

/// `accuracy 49.0: inside our interval`.
fn published_text(figure: &Figure) -> Option<String> {
    let published = figure.published.as_ref()?;
    let metric = figure.metric.replace('_', " ");
    Some(format!("{metric} {:.1}: {}", published.value * 100.0, published.verdict.words()))
}
