//! One task from its lock to its published result.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use petgraph::graph::NodeIndex;
use scarce_pipeline::{PathParam, Source, Task};
use scarce_stage::{
    Description, Event, Failure, Job, JobInput, Level, OTHER_ENVIRONMENT, PROTOCOL,
};
use scarce_store::{Change, Damage, Entry, KeyLock, Lookup, Snapshot, Staging, Usage};

use crate::{
    Orchestrator, RunEvent, TaskRef,
    assess::Work,
    child::{self, Exit, Line, Start, Stop},
    lineage, lines,
    log::Log,
    memo, outputs,
    resources::Share,
    verified::{self, Inputs, Verified},
};

/// Of a longer failure the record and the screen get head and tail.
const LONGEST_MESSAGE: usize = 64 << 10;

/// What every worker of a run shares.
pub(crate) struct Shared<'a> {
    pub(crate) orchestrator: &'a Orchestrator<'a>,
    pub(crate) interrupt: &'a AtomicBool,
    pub(crate) events: &'a (dyn Fn(RunEvent) + Sync),
    pub(crate) verified: Verified,
}

/// What came of a task.
pub(crate) enum Outcome {
    /// It was computed.
    Done { entry: Entry, usage: Usage },
    /// Another run computed it meanwhile.
    Reused { entry: Entry },
    /// It failed.
    Failed { failure: Failure, log: Option<PathBuf> },
    /// What it needs cannot be used.
    DamagedInput { producer: usize, damage: Damage },
    /// What it has read was replaced, by this run or another, before it ended.
    Replaced,
    /// The run was interrupted.
    Stopped,
}

/// A task that is to run now.
pub(crate) struct Assignment {
    pub(crate) index: usize,
    pub(crate) work: Work,
    pub(crate) share: Share,
    /// The entries of the tasks that it reads.
    pub(crate) inputs: BTreeMap<usize, Arc<Entry>>,
}

impl Shared<'_> {
    pub(crate) fn task(&self, index: usize) -> &Task {
        &self.orchestrator.pipeline.graph[NodeIndex::new(index)]
    }

    pub(crate) fn reference(&self, index: usize) -> TaskRef {
        TaskRef::new(index, self.task(index))
    }

    pub(crate) fn emit(&self, event: RunEvent) {
        (self.events)(event);
    }

    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Runs a task.
    pub(crate) fn execute(&self, assignment: &Assignment) -> Outcome {
        match self.try_execute(assignment) {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed { failure, log: None },
        }
    }

    fn try_execute(&self, assignment: &Assignment) -> Result<Outcome, Failure> {
        let task = self.task(assignment.index);
        let store = &self.orchestrator.store;
        let key = &assignment.work.key;
        let mut told = false;
        let mut waiting = || {
            if !told {
                told = true;
                let task = self.reference(assignment.index);
                self.emit(RunEvent::Waiting { task, key: key.clone() });
            }
            !self.interrupted()
        };
        let Some(lock) = store.lock(key, &mut waiting)? else { return Ok(Outcome::Stopped) };
        if let Some(entry) = self.there_after_all(assignment, task, &lock)? {
            return Ok(Outcome::Reused { entry });
        }
        let mut read = Read::default();
        if let Some((producer, damage)) =
            self.damaged_input(task, &assignment.inputs, &mut read.inputs)
        {
            return Ok(Outcome::DamagedInput { producer, damage });
        }
        read.data = self.data_as_keyed(task, &assignment.work)?;
        let staging = store.stage(key)?;
        let mut log = Log::create(&staging.log()).map_err(scarce_store::Error::from)?;
        self.emit(RunEvent::Started {
            task: self.reference(assignment.index),
            key: key.clone(),
            reasons: assignment.work.reasons.clone(),
            threads: assignment.share.threads,
        });
        match self.in_staging(assignment, task, &staging, &mut log) {
            Ok(Some(usage)) => {
                drop(log);
                self.publish(assignment, task, staging, usage, &read)
            }
            Ok(None) => Ok(Outcome::Stopped),
            Err(failure) => {
                if failure.code == OTHER_ENVIRONMENT {
                    self.orchestrator.hosts.forget(&task.kind);
                }
                log.add(Level::Error, &failure.message);
                let log = store.keep_log(&staging, &task.kind, key).ok();
                Ok(Outcome::Failed { failure, log })
            }
        }
    }

    /// The result, if it can be used: another run may have computed or repaired it since the judgement.
    /// If it is there and damaged, it is set aside; the key's lock keeps others from it.
    fn there_after_all(
        &self,
        assignment: &Assignment,
        task: &Task,
        lock: &KeyLock,
    ) -> Result<Option<Entry>, Failure> {
        let store = &self.orchestrator.store;
        let Work { key, forced, .. } = &assignment.work;
        // Who was judged by its bytes is looked at as closely now.
        let found = match assignment.work.damage() {
            Some(_) => store.find_verified(&task.kind, key)?,
            None => store.find(&task.kind, key)?,
        };
        match found {
            Lookup::Hit(entry) if !forced => return Ok(Some(entry)),
            Lookup::Hit(_) | Lookup::Absent => {}
            Lookup::Damaged(_) => {
                if let Some(aside) = store.set_aside(&task.kind, lock)? {
                    let (task, damage) = (self.reference(assignment.index), aside.damage);
                    let quarantine = Some(aside.place);
                    self.emit(RunEvent::Damaged { task, damage, quarantine });
                }
            }
        }
        Ok(None)
    }

    /// The first input, in the order of the ports, that is not what its manifest says; notes what the
    /// files of the others are like.
    fn damaged_input(
        &self,
        task: &Task,
        inputs: &BTreeMap<usize, Arc<Entry>>,
        read: &mut Inputs,
    ) -> Option<(usize, Damage)> {
        sources(task).find_map(|source| {
            let entry = inputs.get(&source.task.index())?;
            let damage = self.verified.check(entry, entry.output(&source.port)?, read)?;
            Some((source.task.index(), damage))
        })
    }

    /// What the files and folders among the parameters are like now that the stage begins to read them;
    /// they hold what the key says.
    fn data_as_keyed(&self, task: &Task, work: &Work) -> Result<Vec<Snapshot>, Failure> {
        let store = &self.orchestrator.store;
        let snapshot = |(param, keyed): (&PathParam, &Snapshot)| -> Result<Snapshot, Failure> {
            if store.is_untouched(&param.path, keyed)? {
                return Ok(keyed.clone());
            }
            match store.changes(&param.path, keyed)? {
                Change::None => Ok(keyed.clone()),
                Change::Touched(now) => Ok(now),
                Change::Content => {
                    let message = format!("`{}` changed after the plan", param.path.display());
                    Err(Failure::new("orchestrator::changed", message).help("run it again"))
                }
            }
        };
        task.paths.iter().zip(&work.data).map(snapshot).collect()
    }

    /// Runs the process; `None` when it was interrupted.
    fn in_staging(
        &self,
        assignment: &Assignment,
        task: &Task,
        staging: &Staging,
        log: &mut Log,
    ) -> Result<Option<Usage>, Failure> {
        let (program, description) = self
            .orchestrator
            .hosts
            .get(&task.kind)
            .ok_or_else(|| Failure::new("orchestrator::no_host", "its host is gone"))?;
        let job = self.job(assignment, task, &staging.outputs(), description);
        let path = staging.work().join("job.json");
        let text = serde_json::to_vec(&job)
            .map_err(|error| Failure::new("orchestrator::job", error.to_string()))?;
        fs_err::write(&path, text).map_err(scarce_store::Error::from)?;
        let start = Start {
            program,
            job: &path,
            folder: &staging.work(),
            threads: assignment.share.threads,
            time_limit: task.resources.time,
            memory_limit: task.resources.memory_limit,
        };
        let mut said = Said::default();
        let mut on_line = |line: Line| self.line(assignment.index, line, &mut said, log);
        let exit = child::supervise(&start, self.interrupt, &mut on_line).map_err(|error| {
            Failure::new(
                "orchestrator::start",
                format!("`{}` cannot be started: {error}", program.display()),
            )
        })?;
        if exit.stopped == Some(Stop::Interrupt) {
            return Ok(None);
        }
        said.judge(&exit, task, log)?;
        Ok(Some(exit.usage))
    }

    fn job(
        &self,
        assignment: &Assignment,
        task: &Task,
        folder: &Path,
        description: &Description,
    ) -> Job {
        let artifact = |source: &Source| {
            let entry = assignment.inputs.get(&source.task.index())?;
            // An optional output that was not written is not there for whoever reads it.
            entry.output(&source.port)?;
            let from = &self.orchestrator.pipeline.graph[source.task];
            Some(JobInput {
                stage: from.stage.clone(),
                port: source.port.clone(),
                axes: from.axes.clone(),
                path: entry.stem(&source.port),
            })
        };
        let inputs = task
            .inputs
            .iter()
            .map(|(port, sources)| (port.clone(), sources.iter().filter_map(artifact).collect()));
        let outputs = description.outputs.iter();
        Job {
            protocol: PROTOCOL,
            kind: task.kind.clone(),
            stage: task.label(),
            params: (*task.params).clone(),
            inputs: inputs.collect(),
            outputs: outputs.map(|port| (port.name.clone(), folder.join(&port.name))).collect(),
            threads: assignment.share.threads,
            data: self.orchestrator.options.data.clone(),
            lineage: if description.lineage {
                let index = NodeIndex::new(assignment.index);
                lineage::of(&self.orchestrator.pipeline, self.orchestrator.hosts, index)
            } else {
                Vec::new()
            },
            environment: Some(description.environment.clone()),
            memo: self.memo(assignment, task, description),
        }
    }

    /// The folder in which the stage may find and leave single items; a store that cannot be written
    /// only costs time.
    fn memo(
        &self,
        assignment: &Assignment,
        task: &Task,
        description: &Description,
    ) -> Option<PathBuf> {
        let ingredients = memo::ingredients(description, task, &assignment.work.ingredients)?;
        let folder = self.orchestrator.store.memo(&task.kind, &ingredients);
        folder.inspect_err(|error| tracing::debug!("there is no memo: {error}")).ok()
    }

    /// Handles a line that the process printed.
    fn line(&self, index: usize, line: Line, said: &mut Said, log: &mut Log) {
        let text = match line {
            Line::Error(text) => {
                log.complaint(&String::from_utf8_lossy(&text));
                return;
            }
            Line::Output(text) => text,
        };
        match serde_json::from_slice(&text) {
            Ok(Event::Progress { done, total, unit, message }) => {
                let task = self.reference(index);
                self.emit(RunEvent::Progress { task, done, total, unit, message });
            }
            Ok(Event::Log { level, message }) => {
                log.add(level, &message);
                let task = Some(self.reference(index));
                self.emit(RunEvent::Log { task, level, message });
            }
            Ok(Event::Failed(mut failure)) => {
                failure.message = lines::shorten(failure.message, LONGEST_MESSAGE);
                said.failure = Some(failure);
            }
            Ok(Event::Done) => said.done = true,
            // Hardly readable is better than no explanation.
            Err(_) if begins_as_failure(&text) => {
                let text =
                    lines::shorten(String::from_utf8_lossy(&text).into_owned(), LONGEST_MESSAGE);
                log.add(Level::Error, &text);
                said.failure = Some(Failure::new("orchestrator::failure", text));
            }
            // A library that prints, or a host that speaks a newer dialect.
            Err(_) => log.add(Level::Info, &String::from_utf8_lossy(&text)),
        }
    }

    /// What has become of the files and folders among the parameters while the stage was reading them.
    /// It does not help if they hold the same again: nobody knows what they held when they were read.
    fn data_held_still(&self, task: &Task, read: &Read) -> Result<(), Failure> {
        for (param, before) in task.paths.iter().zip(&read.data) {
            let path = param.path.display();
            let (message, help) = match self.orchestrator.store.changes(&param.path, before)? {
                Change::None => continue,
                Change::Content => {
                    (format!("`{path}` changed while this stage was reading it"), "run it again")
                }
                Change::Touched(_) => (
                    format!(
                        "something in `{path}` was written, replaced or renamed while this stage was \
                         reading it; it holds the same as before, but may have held something else in \
                         between"
                    ),
                    "run it again; `scarce` leaves out folders that hold a `CACHEDIR.TAG`",
                ),
            };
            return Err(Failure::new("orchestrator::changed", message).help(help));
        }
        Ok(())
    }

    fn publish(
        &self,
        assignment: &Assignment,
        task: &Task,
        staging: Staging,
        usage: Usage,
        read: &Read,
    ) -> Result<Outcome, Failure> {
        let store = &self.orchestrator.store;
        let key = &assignment.work.key;
        let failed = |failure: Failure, staging: &Staging| {
            let log = store.keep_log(staging, &task.kind, key).ok();
            Ok(Outcome::Failed { failure, log })
        };
        if !verified::unchanged(&read.inputs) {
            return Ok(Outcome::Replaced);
        }
        if let Err(failure) = self.data_held_still(task, read) {
            return failed(failure, &staging);
        }
        let Some((_, description)) = self.orchestrator.hosts.get(&task.kind) else {
            return failed(Failure::new("orchestrator::no_host", "its host is gone"), &staging);
        };
        let foreign = self.orchestrator.hosts.is_foreign(&task.kind);
        let products = match outputs::check(&staging.outputs(), description, foreign) {
            Ok(products) => products,
            Err(failure) => return failed(failure, &staging),
        };
        let ingredients = assignment.work.ingredients.clone();
        let published = store.publish(staging, &task.kind, key, ingredients, &products, usage)?;
        if published.replaced {
            self.emit(RunEvent::Log {
                task: Some(self.reference(assignment.index)),
                level: Level::Warn,
                message: format!(
                    "`{}` did not compute the same as before from the same ingredients",
                    task.kind
                ),
            });
        }
        self.verified.trust(&published.entry);
        Ok(Outcome::Done { entry: published.entry, usage })
    }
}

/// Whether a line that is no event was meant as the stage's failure.
fn begins_as_failure(text: &[u8]) -> bool {
    let words: Vec<u8> = text.iter().copied().take(64).filter(|byte| *byte != b' ').collect();
    words.starts_with(br#"{"event":"failed""#)
}

/// What a stage reads, as it was when the stage began.
#[derive(Default)]
struct Read {
    /// The files of its inputs.
    inputs: Inputs,
    /// The files and folders among its parameters, in the order of [`Task::paths`].
    data: Vec<Snapshot>,
}

fn sources(task: &Task) -> impl Iterator<Item = &Source> {
    task.inputs.iter().flat_map(|(_, sources)| sources)
}

/// What a process said of its own end.
#[derive(Default)]
struct Said {
    done: bool,
    failure: Option<Failure>,
}

impl Said {
    /// Whether all is well: it said that it is done, and ended accordingly.
    fn judge(self, exit: &Exit, task: &Task, log: &Log) -> Result<(), Failure> {
        if exit.stopped == Some(Stop::TimeLimit) {
            let limit = task.resources.time.unwrap_or_default().as_secs_f64();
            let message = format!("stopped after its time limit of {limit} s");
            return Err(Failure::new("orchestrator::time_limit", message)
                .help(format!("raise `time` in `[stages.{}.resources]`", task.stage)));
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.done && exit.status.success() {
            return Ok(());
        }
        let (code, how) = match (exit.status.signal(), exit.status.code()) {
            (Some(9), _) => {
                ("orchestrator::killed", "killed by signal 9 (perhaps out of memory)".to_owned())
            }
            (Some(signal), _) => ("orchestrator::killed", format!("killed by signal {signal}")),
            (None, Some(0)) => {
                ("orchestrator::no_done", "ended without saying that it is done".to_owned())
            }
            (None, code) => (
                "orchestrator::exit",
                format!("ended with exit code {} and no explanation", code.unwrap_or(-1)),
            ),
        };
        let tail = log.tail();
        let colon = if tail.is_empty() { "" } else { "; its last words:\n" };
        let failure = Failure::new(code, format!("{how}{colon}{tail}"));
        Err(match task.resources.memory_limit {
            Some(bytes) if exit.status.signal().is_some() => failure.help(format!(
                "it was held to {bytes} bytes of memory: perhaps raise `memory_limit` in \
                 `[stages.{}.resources]`",
                task.stage
            )),
            _ => failure,
        })
    }
}
