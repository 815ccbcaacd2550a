//! How to run.

use std::{num::NonZero, path::PathBuf, thread};

use crate::machine;

/// How a pipeline is planned and run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Stages that run at the same time.
    pub jobs: usize,
    /// Threads that they share.
    pub threads: usize,
    /// Bytes of memory that they share, as far as stages declare what they need.
    pub memory: Option<u64>,
    /// Go on with what does not depend on a failed stage.
    pub keep_going: bool,
    /// Only these stages and what they need; all if empty.
    pub targets: Vec<String>,
    /// Stages to run again although their results are there.
    pub force: Vec<String>,
    /// Folders where data sets lie, looked through in order; downloads go to the first.
    pub data: Vec<PathBuf>,
    /// What the command line changed (`--set …`, `--axis …`), for the record.
    pub overrides: Vec<String>,
}

impl Default for Options {
    /// What the machine has: a job and a thread per processor, its memory (less if the control group
    /// of this process allows less). Keep going, run everything, no folders of data.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            jobs: processors,
            threads: processors,
            memory: machine::memory(),
            keep_going: true,
            targets: Vec::new(),
            force: Vec::new(),
            data: Vec::new(),
            overrides: Vec::new(),
        }
    }
}
