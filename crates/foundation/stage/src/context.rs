//! What a running stage is given.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use scarce_artifact::{Model, Reader, Table, Writer};
use serde_json::Value;

use crate::{Ancestor, Event, Failure, Job, JobInput};

/// Progress is reported at most this often: a terminal shows no more.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Inputs, outputs, threads and progress of one run of a stage.
pub struct Context {
    job: Job,
    events: Mutex<Box<dyn Write + Send>>,
    last_progress: Mutex<Option<Instant>>,
}

/// One of the tables behind a port that takes many.
pub struct Input<T: Table> {
    /// The stage that made it.
    pub stage: String,
    /// The port it came out of.
    pub port: String,
    /// The values of the axes behind it.
    pub axes: Vec<(String, Value)>,
    /// The open table.
    pub table: Reader<T>,
}

impl Context {
    /// A context for a job whose events go to `events`, one JSON object a line.
    pub fn new(job: Job, events: impl Write + Send + 'static) -> Self {
        Self { job, events: Mutex::new(Box::new(events)), last_progress: Mutex::new(None) }
    }

    /// The stage's name in the pipeline.
    pub fn stage(&self) -> &str {
        &self.job.stage
    }

    /// The parameters as JSON; a stage gets them typed.
    pub(crate) fn params(&self) -> serde_json::Map<String, Value> {
        self.job.params.clone()
    }

    /// Threads that this stage may use. The host's rayon pool has as many already.
    pub fn threads(&self) -> usize {
        self.job.threads
    }

    /// Folders where data sets lie; downloads go to the first.
    pub fn data(&self) -> &[PathBuf] {
        &self.job.data
    }

    /// The tasks that the inputs come from; empty unless the kind asks for them.
    pub fn lineage(&self) -> &[Ancestor] {
        &self.job.lineage
    }

    /// A folder for what may speed up later runs, to be opened as a [`Memo`](crate::Memo). There is
    /// none unless the kind asks for it, and not on a disk that cannot be written.
    pub fn memo(&self) -> Option<&Path> {
        self.job.memo.as_deref()
    }

    /// The artifacts wired to a port; empty when it is not wired.
    pub fn wired(&self, port: &str) -> &[JobInput] {
        self.job.inputs.get(port).map_or(&[], Vec::as_slice)
    }

    /// The table of a port that must be wired.
    ///
    /// # Errors
    /// When the port is not wired or the table cannot be opened.
    pub fn input<T: Table>(&self, port: &str) -> Result<Reader<T>, Failure> {
        self.optional(port)?.ok_or_else(|| missing(port))
    }

    /// The table of a port that may stay unwired.
    ///
    /// # Errors
    /// When the table cannot be opened.
    pub fn optional<T: Table>(&self, port: &str) -> Result<Option<Reader<T>>, Failure> {
        let open = |input: &JobInput| Ok(Reader::open(&input.path.with_extension("parquet"))?);
        self.wired(port).first().map(open).transpose()
    }

    /// All tables of a port that takes many, in the order of the TOML, then of the axes.
    ///
    /// # Errors
    /// When a table cannot be opened.
    pub fn inputs<T: Table>(&self, port: &str) -> Result<Vec<Input<T>>, Failure> {
        let open = |input: &JobInput| {
            Ok(Input {
                stage: input.stage.clone(),
                port: input.port.clone(),
                axes: input.axes.clone(),
                table: Reader::open(&input.path.with_extension("parquet"))?,
            })
        };
        self.wired(port).iter().map(open).collect()
    }

    /// The model of a port, with its path for messages.
    ///
    /// # Errors
    /// When the port is not wired or the model cannot be read.
    pub fn model(&self, port: &str) -> Result<(Model, &Path), Failure> {
        let input = self.wired(port).first().ok_or_else(|| missing(port))?;
        Ok((Model::read(&input.path)?, &input.path))
    }

    /// The model of an optional port with a single model, and its stem for error messages; none if
    /// nothing is wired to it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn optional_model(&self, port: &str) -> Result<Option<(Model, &Path)>, Failure> {
        let Some(input) = self.wired(port).first() else { return Ok(None) };
        Ok(Some((Model::read(&input.path)?, &input.path)))
    }

    /// A writer of an output table, for stages that stream.
    ///
    /// # Errors
    /// When the port does not exist or the file cannot be created.
    pub fn writer<T: Table>(&self, port: &str, meta: T::Meta) -> Result<Writer<T>, Failure> {
        Ok(Writer::create(&self.output(port)?.with_extension("parquet"), meta)?)
    }

    /// Writes a whole output table.
    ///
    /// # Errors
    /// As [`Context::writer`], or when the disk refuses.
    pub fn write<T: Table>(&self, port: &str, meta: T::Meta, table: T) -> Result<(), Failure> {
        let mut writer = self.writer(port, meta)?;
        writer.write(table)?;
        writer.finish()?;
        Ok(())
    }

    /// Writes an output model.
    ///
    /// # Errors
    /// When the port does not exist or the disk refuses.
    pub fn write_model(&self, port: &str, model: &Model) -> Result<(), Failure> {
        Ok(model.write(self.output(port)?)?)
    }

    /// Where an output goes: a path without extension.
    ///
    /// # Errors
    /// When the job names no such output.
    pub fn output(&self, port: &str) -> Result<&Path, Failure> {
        self.job.outputs.get(port).map(PathBuf::as_path).ok_or_else(|| {
            Failure::new("stage::no_output", format!("the job has no output `{port}`"))
        })
    }

    /// Says how far the stage is; cheap enough for an inner loop.
    pub fn progress(&self, done: u64, total: u64, unit: &str, message: &str) {
        if let Ok(mut last) = self.last_progress.lock() {
            let due = last.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY);
            if !due && done != total {
                return;
            }
            *last = Some(Instant::now());
        }
        self.send(&Event::Progress {
            done,
            total,
            unit: unit.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Sends an event to the orchestrator.
    pub fn send(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        if let Ok(mut events) = self.events.lock() {
            // Whoever listened may be gone; the watchdog in `host` deals with that.
            let _ = events.write_all(&line).and_then(|()| events.flush());
        }
    }
}

fn missing(port: &str) -> Failure {
    Failure::new("stage::not_wired", format!("the input `{port}` is not there"))
        .help("the stage that should write it left it out; an optional output was not produced")
}
