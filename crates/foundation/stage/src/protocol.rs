//! What passes between the orchestrator and a host, as JSON.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Failure, Learnt};

/// One stage to run: the content of the file behind `HOST exec JOB.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// [`crate::PROTOCOL`].
    pub protocol: u32,
    /// The kind to run.
    pub kind: String,
    /// The stage's name in the pipeline, for messages.
    pub stage: String,
    /// Parameters with defaults filled in, axes put in, and paths made absolute.
    pub params: Map<String, Value>,
    /// Artifacts by input port, in the order of the TOML.
    pub inputs: BTreeMap<String, Vec<JobInput>>,
    /// Where to write: for each output port a path without extension (see [`crate::Format`]).
    pub outputs: BTreeMap<String, PathBuf>,
    /// Threads that this stage may use.
    pub threads: usize,
    /// Folders where data sets lie, looked through in order; the first is where downloads go.
    pub data: Vec<PathBuf>,
    /// The tasks that the inputs come from, each after those that it reads; only for kinds that ask
    /// for it ([`crate::Description::lineage`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Ancestor>,
    /// The [`crate::Description::environment`] that the key of the result is made of. A host that
    /// finds itself in another one fails with [`crate::OTHER_ENVIRONMENT`] instead of computing:
    /// what it said of itself may be remembered from a day when there was a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, String>>,
    /// A folder for what may speed up later runs of the same kind; only for kinds that ask for it
    /// ([`crate::Description::memo`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<PathBuf>,
}

/// A task that the inputs of a job come from, directly or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ancestor {
    /// The stage.
    pub stage: String,
    /// Its kind.
    pub kind: String,
    /// The variant.
    pub axes: Vec<(String, Value)>,
    /// Its parameters as in [`Job::params`]; of paths only the last part.
    pub params: Map<String, Value>,
    /// Names of the parameters that differ from the kind's defaults.
    pub chosen: Vec<String>,
    /// Where its results can be seen, below the artifacts: `runs/quickstart/encoder/seed=3`.
    pub folder: String,
    /// The files there; those of optional outputs may be missing.
    pub files: Vec<String>,
    /// The tasks that it reads, by their places in the list.
    pub reads: Vec<usize>,
    /// Which images it learns from; none where its kind does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learns: Option<Learnt>,
}

/// One artifact that enters a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobInput {
    /// The stage that made it.
    pub stage: String,
    /// The port it came out of.
    pub port: String,
    /// The values of the axes behind it, in the order of the TOML.
    pub axes: Vec<(String, Value)>,
    /// Path without extension.
    pub path: PathBuf,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing afterwards.
    Info,
    /// Worth knowing now: the result may not be what was meant.
    Warn,
    /// Something failed.
    Error,
}

/// One line of a running host's standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// How far the stage is.
    Progress {
        /// Steps done.
        done: u64,
        /// Steps in all; 0 when nobody knows.
        total: u64,
        /// What a step is, in the plural: `epochs`, `images`.
        unit: String,
        /// Anything worth showing beside the bar, for instance the loss.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A message for the log.
    Log {
        /// How much it matters.
        level: Level,
        /// The message.
        message: String,
    },
    /// The stage failed; the process ends with 1.
    Failed(Failure),
    /// The stage is done and its outputs are complete; the process ends with 0.
    Done,
}
