//! What would run, and why.

use scarce_store::Key;
use serde::Serialize;

use crate::{Reason, TaskRef};

/// What becomes of a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// The result is there.
    Cached {
        /// Its key.
        key: Key,
    },
    /// It will run.
    Run {
        /// Its key.
        key: Key,
        /// Why; never empty.
        reasons: Vec<Reason>,
    },
    /// Something that it needs will run, so what it gets is not known yet. It may still be cached.
    Depends {
        /// The tasks that it needs and that will run, or depend themselves.
        on: Vec<TaskRef>,
    },
}

/// A task of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTask {
    /// The task.
    pub task: TaskRef,
    /// Its kind.
    pub kind: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub status: Status,
}

/// What would run, and why: one entry per task, in topological order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
}

impl Plan {
    /// How many tasks have their results, will run, and depend on one that will.
    pub fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for task in &self.tasks {
            match task.status {
                Status::Cached { .. } => counts.0 += 1,
                Status::Run { .. } => counts.1 += 1,
                Status::Depends { .. } => counts.2 += 1,
            }
        }
        counts
    }
}
