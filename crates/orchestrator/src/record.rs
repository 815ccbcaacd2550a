//! The record of a run: what ran, with which ingredients, and what came of it.

use std::{
    io,
    path::{Path, PathBuf},
};

use fs_err::File;
use jiff::Timestamp;
use scarce_stage::Failure;
use scarce_store::{Durability, Key, Usage, write_atomic};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// Raised when a record changes its meaning.
const FORMAT: u32 = 1;

/// `run.json`: one run of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this file.
    pub format: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// Its TOML file.
    pub file: PathBuf,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What the command line changed.
    pub overrides: Vec<String>,
    /// The stages that were asked for; all if empty.
    pub targets: Vec<String>,
    /// The stages that were to run again.
    pub forced: Vec<String>,
    /// The program and version that ran it.
    pub tool: String,
    /// Its tasks, in topological order; after them those of stages that were not asked for, as the
    /// run before left them.
    pub tasks: Vec<TaskRecord>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was asked for is there.
    Done,
    /// A stage failed.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// The stage.
    pub stage: String,
    /// Its kind.
    pub kind: String,
    /// The variant.
    pub axes: Vec<(String, Value)>,
    /// What became of it.
    pub status: TaskStatus,
    /// The entry that holds its result; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What its key is made of, as far as it got known: for a task that was not reached, what it was
    /// the time before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingredients: Option<Value>,
    /// Threads that it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// What it cost, if it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It was computed.
    Ran,
    /// Its result was there.
    Cached,
    /// It failed.
    Failed,
    /// Something that it needs failed.
    Skipped,
    /// The run ended before it was its turn.
    NotReached,
    /// It was not asked for.
    NotSelected,
}

/// `<root>/runs/<pipeline>`.
pub(crate) fn folder(root: &Path, pipeline: &str) -> PathBuf {
    root.join("runs").join(pipeline)
}

impl Record {
    /// The version that this program writes.
    pub(crate) const FORMAT: u32 = FORMAT;

    /// Where the record of a pipeline's last run lies.
    pub fn path(root: &Path, pipeline: &str) -> PathBuf {
        folder(root, pipeline).join("run.json")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Error::Record`] when it is not one.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read(path)?;
        let wrong = |message: String| Error::Record { path: path.to_owned(), message };
        let record: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if record.format != FORMAT {
            return Err(wrong(format!("it has format {}, not {FORMAT}", record.format)));
        }
        Ok(record)
    }

    /// The last run of a pipeline, if there was one.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn last(root: &Path, pipeline: &str) -> Result<Option<Self>> {
        let path = Self::path(root, pipeline);
        if path.exists() { Self::read(&path).map(Some) } else { Ok(None) }
    }

    /// Where the records of a pipeline lie, the last first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(root: &Path, pipeline: &str) -> Result<Vec<PathBuf>> {
        let mut paths = list(&folder(root, pipeline).join("history"))?;
        paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
        paths.reverse();
        let last = Self::path(root, pipeline);
        if last.exists() {
            paths.insert(0, last);
        }
        Ok(paths)
    }

    /// The pipelines that have run, by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn pipelines(root: &Path) -> Result<Vec<String>> {
        let folders = list(&root.join("runs"))?;
        let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        Ok(folders.iter().filter(|path| path.is_dir()).filter_map(name).collect())
    }

    /// The task of a stage and variant.
    pub fn task(&self, stage: &str, axes: &[(String, Value)]) -> Option<&TaskRecord> {
        self.tasks.iter().find(|task| task.stage == stage && task.axes == axes)
    }

    /// Whether another record says the same of the results, whenever and however they came about.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let of = |record: &Self| -> Vec<_> {
            let tasks = record.tasks.iter();
            tasks
                .map(|t| (t.stage.clone(), t.axes.clone(), t.key.clone(), t.failure.clone()))
                .collect()
        };
        self.outcome == other.outcome && self.file == other.file && of(self) == of(other)
    }

    /// Makes this the last run; the one before goes to `history`. Whoever calls holds [`lock`].
    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        let path = Self::path(root, &self.pipeline);
        if let Ok(before) = Self::read(&path) {
            let name = before.started.strftime("%Y-%m-%dT%H-%M-%S%.6f.json").to_string();
            let history = folder(root, &self.pipeline).join("history");
            fs_err::create_dir_all(&history)?;
            let place = history.join(name);
            // Some file systems have no second names for a file.
            if !place.exists() && fs_err::hard_link(&path, &place).is_err() {
                fs_err::copy(&path, &place)?;
            }
        }
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        Ok(write_atomic(&path, &text, Durability::Machine)?)
    }
}

/// Keeps two runs of one pipeline from mixing their views; held for moments only.
pub(crate) fn lock(root: &Path, pipeline: &str) -> Result<File> {
    let folder = folder(root, pipeline);
    fs_err::create_dir_all(&folder)?;
    let path = folder.join(".lock");
    let file = fs_err::OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

/// What a folder holds, sorted; nothing when it is not there.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
