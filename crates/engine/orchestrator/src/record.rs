//! The record of a run: what ran, with which ingredients, and what came of it.

use std::{
    fs::TryLockError,
    io::Write,
    path::{Path, PathBuf},
};

use fs_err::File;
use jiff::Timestamp;
use scarce_artifact::mark_as_cache;
use scarce_stage::Failure;
use scarce_store::{
    Durability, Key, Layout, Usage, lock_file, read_file, seal, sweep, unseal, write_atomic,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// Raised when a record changes its meaning.
const FORMAT: u32 = 2;
/// As 2, without the digest of the record itself.
const UNSEALED_FORMAT: u32 = 1;

/// `run.json`: one run of a pipeline. It carries its own digest ([`scarce_store::seal`]): what it says
/// is needed decides what is deleted.
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
    /// It goes on, or was killed: what a [`Journal`] says until the run ends.
    Unfinished,
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

impl TaskRecord {
    /// Where its view lies, relative to the pipeline's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        scarce_pipeline::task_folder(&self.stage, &self.axes)
    }
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

/// Where the records of earlier runs lie.
fn history(root: &Path, pipeline: &str) -> PathBuf {
    folder(root, pipeline).join("history")
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
        let wrong = |message: String| Error::Record { path: path.to_owned(), message };
        let text = read_file(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        let is_journal = path.extension().is_some_and(|extension| extension == JOURNAL);
        let record = if is_journal { from_journal(&text) } else { from_text(&text) };
        let record = record.map_err(|message| wrong(format!("it {message}")))?;
        if record.format != FORMAT && record.format != UNSEALED_FORMAT {
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
        if path.symlink_metadata().is_ok() { Self::read(&path).map(Some) } else { Ok(None) }
    }

    /// Where the records of a pipeline lie: that of the last run that ended, then the others and those of
    /// runs that did not end, the last first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(root: &Path, pipeline: &str) -> Result<Vec<PathBuf>> {
        let mut paths = list(&history(root, pipeline))?;
        paths.retain(|path| path.extension().is_some_and(|e| e == "json" || e == JOURNAL));
        paths.reverse();
        let last = Self::path(root, pipeline);
        if last.symlink_metadata().is_ok() {
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
        let history = history(root, &self.pipeline);
        match Self::last(root, &self.pipeline) {
            Ok(None) => {}
            Ok(Some(before)) => {
                fs_err::create_dir_all(&history)?;
                let place = history.join(format!("{}.json", name(before.started)));
                // Some file systems have no second names for a file.
                if !place.exists() && fs_err::hard_link(&path, &place).is_err() {
                    fs_err::copy(&path, &place)?;
                }
            }
            // Not a record any more, but perhaps somebody can read in it what was there.
            Err(_) => {
                fs_err::create_dir_all(&history)?;
                fs_err::rename(&path, history.join(format!("{}.damaged", name(self.started))))?;
            }
        }
        let text = seal(self, Layout::Line).map_err(scarce_store::Error::from)?;
        Ok(write_atomic(&path, &text, Durability::Machine)?)
    }
}

/// The extension of journals.
const JOURNAL: &str = "jsonl";

/// The record of a run that goes on: a line about the run, then one for each result that it has. When
/// the run ends, its record takes over; when it is killed, the journal stays, so that what was finished
/// is known to belong to a run.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins the journal of a run; `record` has no tasks yet.
    pub(crate) fn begin(root: &Path, record: &Record) -> Result<Self> {
        make_folder(root, &record.pipeline)?;
        let folder = history(root, &record.pipeline);
        fs_err::create_dir_all(&folder)?;
        let started = name(record.started);
        let path = folder.join(format!("{started}-{}.{JOURNAL}", std::process::id()));
        write_atomic(&path, &line(record)?, Durability::Machine)?;
        let file = fs_err::OpenOptions::new().append(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Notes results.
    pub(crate) fn add(&mut self, tasks: &[TaskRecord]) -> Result<()> {
        let lines = tasks.iter().map(line).collect::<Result<Vec<_>>>()?;
        self.file.write_all(&lines.concat())?;
        Ok(self.file.sync_data()?)
    }

    /// The record of the run is written.
    pub(crate) fn end(self) -> Result<()> {
        Ok(fs_err::remove_file(self.path)?)
    }
}

fn line<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut text = seal(value, Layout::Line)?;
    text.push(b'\n');
    Ok(text)
}

/// The name of a record in the history.
fn name(started: Timestamp) -> String {
    started.strftime("%Y-%m-%dT%H-%M-%S%.6f").to_string()
}

impl Record {
    /// Whether the record at a path, one of [`Record::all`], is the journal of a run that began after
    /// this one.
    pub(crate) fn is_before_journal(&self, path: &Path) -> bool {
        let is_journal = path.extension().is_some_and(|extension| extension == JOURNAL);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        is_journal && stem.is_some_and(|stem| stem > name(self.started).as_str())
    }
}

fn from_text(text: &[u8]) -> Result<Record, String> {
    unseal(text, "a record", |record: &Record| record.format == UNSEALED_FORMAT)
}

fn from_journal(text: &[u8]) -> Result<Record, String> {
    // What a process was writing when it was killed has no end.
    let end = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let mut lines = text[..end].split(|byte| *byte == b'\n');
    let first = lines.next().filter(|line| !line.is_empty());
    let mut record: Record =
        unseal(first.ok_or("is cut short before its first line ends")?, "a record", |_| false)?;
    for (number, line) in lines.enumerate() {
        let task = unseal(line, "the result of a task", |_: &TaskRecord| false);
        record.tasks.push(task.map_err(|message| format!("{message}, in line {}", number + 2))?);
    }
    Ok(record)
}

/// Keeps two runs of one pipeline from mixing their views; held for moments only.
pub(crate) fn lock(root: &Path, pipeline: &str) -> Result<File> {
    let file = lock_file(&make_folder(root, pipeline)?.join(".lock"))?;
    file.lock()?;
    Ok(file)
}

/// As [`lock`], unless another run holds it now.
pub(crate) fn try_lock(root: &Path, pipeline: &str) -> Result<Option<File>> {
    let file = lock_file(&make_folder(root, pipeline)?.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// `<root>/runs/<pipeline>`, made if need be. The folder of all runs is marked as a cache: what lies in
/// it is no data for a stage that reads the folder around it.
fn make_folder(root: &Path, pipeline: &str) -> Result<PathBuf> {
    let folder = folder(root, pipeline);
    fs_err::create_dir_all(&folder)?;
    mark_as_cache(&root.join("runs"));
    Ok(folder)
}

/// Removes what killed processes left beside the records; returns the bytes.
pub(crate) fn sweep_all(root: &Path) -> Result<u64> {
    let folders = Record::pipelines(root)?.into_iter().map(|name| folder(root, &name));
    Ok(folders.map(|folder| sweep(&folder, None)).sum())
}

/// What a folder holds, sorted; nothing when it is not there.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(scarce_store::list(folder)?)
}
