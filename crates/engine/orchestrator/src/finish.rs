//! The end of a run: views, record, summary.

use std::{collections::HashSet, path::PathBuf, time::Instant};

use jiff::Timestamp;
use scarce_stage::Level;
use serde_json::Value;

use crate::{
    Error, FailedTask, Orchestrator, Record, Result, Summary, TaskRecord, TaskStatus,
    orchestrator::say,
    record::{self, Journal, Outcome},
    schedule::{Run, State},
    views::Views,
};

/// Makes the views show what the run has found, writes its record, and sums it up.
pub(crate) fn finish(
    run: &mut Run<'_>,
    last: Option<&Record>,
    (begin, started): (Instant, Timestamp),
) -> Result<Summary> {
    let orchestrator = run.shared.orchestrator;
    let mut summary = summarise(run);
    let carried = carried(orchestrator, last);
    let mut record = blank(orchestrator, started);
    record.ended = scarce_store::now();
    record.outcome = match &summary {
        Summary { interrupted: true, .. } => Outcome::Interrupted,
        summary if summary.is_success() => Outcome::Done,
        _ => Outcome::Failed,
    };
    record.tasks = (0..run.states.len()).map(|index| task(run, index)).collect();
    record.tasks.extend(carried.iter().cloned());
    summary.record = Record::path(&orchestrator.root, &orchestrator.whole.name);
    let unchanged = summary.ran == 0 && last.is_some_and(|last| last.agrees(&record));
    let kept = keep(run, &carried, &record, unchanged);
    match kept {
        Ok(()) => {
            if let Some(Err(error)) = run.journal.take().map(Journal::end) {
                tracing::warn!("the journal of a run that has ended stays: {error}");
            }
        }
        // A store that can only be read serves runs that have nothing to do.
        Err(error) if summary.ran == 0 => {
            say(run.shared.events, Level::Warn, format!("the run is not recorded: {error}"));
        }
        Err(error) => return Err(error),
    }
    summary.wall_seconds = begin.elapsed().as_secs_f64();
    Ok(summary)
}

/// Begins to note down what the run finishes, if it will finish anything.
pub(crate) fn begin_journal(run: &mut Run<'_>, started: Timestamp) {
    let done = |state: &State| state.entry().is_some();
    if run.states.iter().all(done) {
        return;
    }
    let Orchestrator { root, .. } = run.shared.orchestrator;
    let there = (0..run.states.len()).filter(|&index| done(&run.states[index]));
    let there: Vec<TaskRecord> = there.map(|index| brief(run, index)).collect();
    let begun = Journal::begin(root, &blank(run.shared.orchestrator, started))
        .and_then(|mut journal| journal.add(&there).map(|()| journal));
    match begun {
        Ok(journal) => run.journal = Some(journal),
        Err(error) => unrecorded(run, &error),
    }
}

/// Notes that a task has a result.
pub(crate) fn note(run: &mut Run<'_>, index: usize) {
    if run.journal.is_none() {
        return;
    }
    let brief = brief(run, index);
    if let Some(Err(error)) = run.journal.as_mut().map(|journal| journal.add(&[brief])) {
        run.journal = None;
        unrecorded(run, &error);
    }
}

fn unrecorded(run: &Run<'_>, error: &Error) {
    let message = format!("what is finished is not recorded before the run ends: {error}");
    say(run.shared.events, Level::Warn, message);
}

/// What a journal says of a task: where its result is.
fn brief(run: &Run<'_>, index: usize) -> TaskRecord {
    let (task, state) = (run.shared.task(index), &run.states[index]);
    TaskRecord {
        stage: task.stage.clone(),
        kind: task.kind.clone(),
        axes: task.axes.clone(),
        status: state.status(),
        key: state.entry().map(|entry| entry.manifest.key.clone()),
        ingredients: None,
        threads: None,
        usage: None,
        failure: None,
    }
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
    let views = Views::new(root, &whole.name);
    let mut shown: HashSet<PathBuf> = HashSet::new();
    for (index, state) in run.states.iter().enumerate() {
        if let Some(entry) = state.entry() {
            let folder = run.shared.task(index).folder();
            match views.show(&folder, entry) {
                Err(error @ Error::InTheWay { .. }) => {
                    say(run.shared.events, Level::Warn, error.to_string());
                }
                shown => shown?,
            }
            shown.insert(folder);
        }
    }
    // What was not asked for keeps the views that it has.
    shown.extend(carried.iter().map(TaskRecord::folder));
    views.prune(&shown)
}

/// What the last run left of stages that are in the pipeline but were not asked for, and of variants
/// when this run is about a part of them.
fn carried(orchestrator: &Orchestrator<'_>, last: Option<&Record>) -> Vec<TaskRecord> {
    let Orchestrator { whole, pipeline, .. } = orchestrator;
    let axes = |axes: &[(String, Value)]| axes.iter().map(|(name, _)| name.clone()).collect();
    let now: HashSet<PathBuf> = pipeline.tasks().map(|(_, task)| task.folder()).collect();
    let other_variant = |record: &TaskRecord| {
        let varies: Vec<String> = axes(&record.axes);
        whole.partial
            && pipeline.stage(&record.stage).is_some_and(|stage| stage.axes == varies)
            && !now.contains(&record.folder())
    };
    let of = |record: &TaskRecord| match pipeline.stage(&record.stage) {
        None => whole.stage(&record.stage).is_some(),
        Some(_) => other_variant(record),
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

/// The record of a run of which nothing is known yet.
fn blank(orchestrator: &Orchestrator<'_>, started: Timestamp) -> Record {
    let Orchestrator { whole, options, .. } = orchestrator;
    Record {
        format: Record::FORMAT,
        pipeline: whole.name.clone(),
        file: whole.path.clone(),
        started,
        ended: started,
        outcome: Outcome::Unfinished,
        overrides: options.overrides.clone(),
        targets: options.targets.clone(),
        forced: options.force.clone(),
        tool: concat!("scarce ", env!("CARGO_PKG_VERSION")).to_owned(),
        tasks: Vec::new(),
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
