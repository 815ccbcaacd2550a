//! The end of a run: views, record, summary.

use std::{collections::HashSet, path::PathBuf, time::Instant};

use jiff::Timestamp;
use scarce_stage::Level;

use crate::{
    FailedTask, Orchestrator, Record, Result, Summary, TaskRecord, TaskStatus,
    orchestrator::say,
    record::{self, Outcome},
    schedule::{Run, State},
    views,
};

/// Makes the views show what the run has found, writes its record, and sums it up.
pub(crate) fn finish(
    run: &Run<'_>,
    last: Option<&Record>,
    (begin, started): (Instant, Timestamp),
) -> Result<Summary> {
    let orchestrator = run.shared.orchestrator;
    let mut summary = summarise(run);
    let carried = carried(orchestrator, last);
    let record = record(run, &summary, &carried, started);
    summary.record = Record::path(&orchestrator.root, &orchestrator.whole.name);
    let unchanged = summary.ran == 0 && last.is_some_and(|last| last.agrees(&record));
    let kept = keep(run, &carried, &record, unchanged);
    match kept {
        Ok(()) => {}
        // A store that can only be read serves runs that have nothing to do.
        Err(error) if summary.ran == 0 => {
            say(run.shared.events, Level::Warn, format!("the run is not recorded: {error}"));
        }
        Err(error) => return Err(error),
    }
    summary.wall_seconds = begin.elapsed().as_secs_f64();
    Ok(summary)
}

/// A run that was stopped while it waited for the store.
pub(crate) fn never_began(orchestrator: &Orchestrator<'_>) -> Summary {
    Summary {
        not_reached: orchestrator.pipeline.graph.node_count(),
        interrupted: true,
        record: Record::path(&orchestrator.root, &orchestrator.whole.name),
        ..Summary::default()
    }
}

fn keep(run: &Run<'_>, carried: &[TaskRecord], record: &Record, unchanged: bool) -> Result<()> {
    let Orchestrator { root, whole, .. } = run.shared.orchestrator;
    let _lock = record::lock(root, &whole.name)?;
    show(run, carried)?;
    if unchanged { Ok(()) } else { record.write(root) }
}

/// Every result gets its view; views of anything else go.
fn show(run: &Run<'_>, carried: &[TaskRecord]) -> Result<()> {
    let Orchestrator { root, whole, .. } = run.shared.orchestrator;
    let mut views: HashSet<PathBuf> = HashSet::new();
    for (index, state) in run.states.iter().enumerate() {
        if let Some(entry) = state.entry() {
            let folder = run.shared.task(index).folder();
            views::link(root, &whole.name, &folder, &entry.folder)?;
            views.insert(folder);
        }
    }
    // Stages that were not asked for keep the views that they have.
    let stages: HashSet<&str> = carried.iter().map(|task| task.stage.as_str()).collect();
    let tasks = whole.tasks().filter(|(_, task)| stages.contains(task.stage.as_str()));
    views.extend(tasks.map(|(_, task)| task.folder()));
    views::prune(root, &whole.name, &views)
}

/// What the last run left of stages that are in the pipeline but were not asked for.
fn carried(orchestrator: &Orchestrator<'_>, last: Option<&Record>) -> Vec<TaskRecord> {
    let Orchestrator { whole, pipeline, .. } = orchestrator;
    let of = |record: &TaskRecord| {
        pipeline.stage(&record.stage).is_none() && whole.stage(&record.stage).is_some()
    };
    let tasks = last.into_iter().flat_map(|record| &record.tasks).filter(|task| of(task));
    tasks.map(|task| TaskRecord { status: TaskStatus::NotSelected, ..task.clone() }).collect()
}

fn summarise(run: &Run<'_>) -> Summary {
    let mut summary = Summary::default();
    for (index, state) in run.states.iter().enumerate() {
        match state.status() {
            TaskStatus::Ran => summary.ran += 1,
            TaskStatus::Cached => summary.cached += 1,
            TaskStatus::Failed => summary.failed += 1,
            TaskStatus::Skipped => summary.skipped += 1,
            TaskStatus::NotReached | TaskStatus::NotSelected => summary.not_reached += 1,
        }
        if let State::Failed { failure, log } = state {
            let task = run.shared.reference(index);
            summary.failures.push(FailedTask { task, failure: failure.clone(), log: log.clone() });
        }
    }
    let asked = run.shared.interrupt.load(std::sync::atomic::Ordering::Relaxed);
    summary.interrupted = asked && summary.not_reached > 0;
    summary
}

fn record(run: &Run<'_>, summary: &Summary, carried: &[TaskRecord], started: Timestamp) -> Record {
    let Orchestrator { whole, options, .. } = run.shared.orchestrator;
    let tasks = (0..run.states.len()).map(|index| task(run, index));
    Record {
        format: Record::FORMAT,
        pipeline: whole.name.clone(),
        file: whole.path.clone(),
        started,
        ended: scarce_store::now(),
        outcome: match summary {
            Summary { interrupted: true, .. } => Outcome::Interrupted,
            summary if summary.is_success() => Outcome::Done,
            _ => Outcome::Failed,
        },
        overrides: options.overrides.clone(),
        targets: options.targets.clone(),
        forced: options.force.clone(),
        tool: concat!("scarce ", env!("CARGO_PKG_VERSION")).to_owned(),
        tasks: tasks.chain(carried.iter().cloned()).collect(),
    }
}

fn task(run: &Run<'_>, index: usize) -> TaskRecord {
    let task = run.shared.task(index);
    let state = &run.states[index];
    let before = run.assessor.before(index);
    let ingredients = match (state.entry(), &run.works[index]) {
        (Some(entry), _) => Some(entry.manifest.ingredients.clone()),
        (None, Some(work)) => Some(work.ingredients.clone()),
        (None, None) => before.and_then(|before| before.ingredients.clone()),
    };
    let (usage, failure) = match state {
        State::Done { usage, .. } => (*usage, None),
        State::Failed { failure, .. } => (None, Some(failure.clone())),
        _ => (None, None),
    };
    TaskRecord {
        stage: task.stage.clone(),
        kind: task.kind.clone(),
        axes: task.axes.clone(),
        status: state.status(),
        key: state.entry().map(|entry| entry.manifest.key.clone()),
        ingredients,
        threads: run.threads[index],
        usage,
        failure,
    }
}
