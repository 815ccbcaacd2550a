//! What became of a run.

use std::path::PathBuf;

use scarce_stage::Failure;
use serde::Serialize;

use crate::TaskRef;

/// What became of a run, in numbers of tasks.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Computed.
    pub ran: usize,
    /// There already, or computed by another run meanwhile.
    pub cached: usize,
    /// Failed.
    pub failed: usize,
    /// Not possible since something that they need failed.
    pub skipped: usize,
    /// Not reached: the run was interrupted, or stopped at the first failure.
    pub not_reached: usize,
    /// Somebody stopped it.
    pub interrupted: bool,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// The failures, in topological order.
    pub failures: Vec<FailedTask>,
    /// The record of the run.
    pub record: PathBuf,
}

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedTask {
    /// The task.
    pub task: TaskRef,
    /// Why.
    pub failure: Failure,
    /// Its log.
    pub log: Option<PathBuf>,
}

impl Summary {
    /// Whether everything that was asked for is there.
    pub fn is_success(&self) -> bool {
        !self.interrupted && self.failed + self.skipped + self.not_reached == 0
    }
}
