//! What a run says while it goes on.

use std::path::PathBuf;

use scarce_pipeline::Task;
use scarce_stage::{Failure, Level};
use scarce_store::{Damage, Key, Usage};
use serde::Serialize;
use serde_json::Value;

use crate::{PlannedTask, Reason, Summary};

/// A task, as events name it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskRef {
    /// Its place among the tasks of the run, which is a topological order.
    pub index: usize,
    /// The stage's name.
    pub stage: String,
    /// The variant: values of its axes.
    pub axes: Vec<(String, Value)>,
    /// Both, for people: `encoder [seed=3]`.
    pub label: String,
}

impl TaskRef {
    /// The reference to a task.
    pub fn new(index: usize, task: &Task) -> Self {
        let (stage, axes) = (task.stage.clone(), task.axes.clone());
        Self { index, stage, axes, label: task.label() }
    }
}

/// Something that happened in a run. Serialised it is an object with `event`, in snake case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The plan with which the run begins; the first event.
    Planned {
        /// Every task, in topological order.
        tasks: Vec<PlannedTask>,
    },
    /// A result is there already: found when the plan was made, or, for a task that waited for
    /// others, now (its inputs came out as before).
    Cached {
        /// The task.
        task: TaskRef,
        /// Its key.
        key: Key,
    },
    /// Another run is computing the same; this task waits for it.
    Waiting {
        /// The task.
        task: TaskRef,
        /// The key that both need.
        key: Key,
    },
    /// A process was started.
    Started {
        /// The task.
        task: TaskRef,
        /// Its key.
        key: Key,
        /// Why it runs.
        reasons: Vec<Reason>,
        /// Threads that it may use.
        threads: usize,
    },
    /// How far a task is.
    Progress {
        /// The task.
        task: TaskRef,
        /// Steps done.
        done: u64,
        /// Steps in all; 0 when nobody knows.
        total: u64,
        /// What a step is, in the plural.
        unit: String,
        /// Anything worth showing beside the bar.
        message: String,
    },
    /// A message of a stage, or of the run itself.
    Log {
        /// The task; `null` when the run itself speaks.
        task: Option<TaskRef>,
        /// How much it matters.
        level: Level,
        /// The message.
        message: String,
    },
    /// A task was computed and its result published.
    Finished {
        /// The task.
        task: TaskRef,
        /// Its key.
        key: Key,
        /// What it cost.
        usage: Usage,
    },
    /// A task failed.
    Failed {
        /// The task.
        task: TaskRef,
        /// Why.
        failure: Failure,
        /// Its log.
        log: Option<PathBuf>,
    },
    /// A task cannot run since one that it needs failed.
    Skipped {
        /// The task.
        task: TaskRef,
        /// What failed.
        because: TaskRef,
    },
    /// An artifact was damaged; it is computed again.
    Damaged {
        /// The task that made it.
        task: TaskRef,
        /// What is wrong.
        damage: Damage,
        /// Where it was put aside.
        quarantine: Option<PathBuf>,
    },
    /// The run is over; the last event.
    Ended {
        /// What became of it.
        summary: Summary,
    },
}
