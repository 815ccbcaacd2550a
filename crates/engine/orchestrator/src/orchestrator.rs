//! Planning and running, from outside.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use scarce_pipeline::Pipeline;
use scarce_stage::Level;
use scarce_store::{Collected, Entry, Keep, Store};

use crate::{
    Error, Hosts, Options, Plan, PlannedTask, Record, Result, RunEvent, Status, Summary, TaskRef,
    assess::{Assessment, Assessor, last_record},
    ingredients::producers,
    record, schedule,
};

/// A pipeline with everything that is needed to plan and run it.
#[derive(Debug)]
pub struct Orchestrator<'a> {
    pub(crate) root: PathBuf,
    pub(crate) store: Store,
    pub(crate) hosts: &'a Hosts,
    /// The whole pipeline.
    pub(crate) whole: &'a Pipeline,
    /// The targets and what they need.
    pub(crate) pipeline: Pipeline,
    pub(crate) options: Options,
}

impl<'a> Orchestrator<'a> {
    /// Checks that everything which the pipeline and the options name is there. `root` is the folder
    /// of the artifacts; it is made if need be.
    ///
    /// # Errors
    /// Unknown targets, kinds that no host or two hosts provide, a store that cannot be made.
    pub fn new(
        root: &Path,
        pipeline: &'a Pipeline,
        hosts: &'a Hosts,
        options: Options,
    ) -> Result<Self> {
        let root = std::path::absolute(root)?;
        readable("the folder of the artifacts", &root)?;
        options.data.iter().try_for_each(|folder| readable("the folder of data", folder))?;
        let selected = if options.targets.is_empty() {
            pipeline.clone()
        } else {
            pipeline.select(&options.targets)?
        };
        for stage in &selected.stages {
            hosts.need(&stage.name, &stage.kind)?;
            if stage.name == "history" {
                return Err(Error::ReservedName { name: stage.name.clone() });
            }
        }
        let known = |name: &&String| selected.stages.iter().any(|stage| stage.name == **name);
        if let Some(name) = options.force.iter().find(|name| !known(name)) {
            let stages = selected.stages.iter().map(|stage| format!("`{}`", stage.name));
            let known = stages.collect::<Vec<_>>().join(", ");
            return Err(Error::Force { name: name.clone(), known });
        }
        let store = Store::open(&root)?;
        Ok(Self { root, store, hosts, whole: pipeline, pipeline: selected, options })
    }

    /// The pipeline that is planned and run: the targets and what they need.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Says what would run and why. Changes nothing (but remembers digests of external files).
    ///
    /// # Errors
    /// When the store or an external file cannot be read.
    pub fn plan(&self) -> Result<Plan> {
        let say = |_, message: String| tracing::warn!("{message}");
        let last = last_record(&self.root, &self.whole.name, &say);
        let mut assessor = self.assessor(last.as_ref());
        let assessments = self.assess_all(&mut assessor)?;
        Ok(Plan { tasks: self.planned(&assessments) })
    }

    /// Runs what has no result yet. Every event goes to `events`, from several threads. Setting
    /// `interrupt` stops the run: children are asked to end, then made to.
    ///
    /// # Errors
    /// As [`Orchestrator::plan`]. That a stage fails is not an error but in the summary.
    pub fn run(
        &self,
        interrupt: &AtomicBool,
        events: &(dyn Fn(RunEvent) + Sync),
    ) -> Result<Summary> {
        schedule::run(self, interrupt, events)
    }

    pub(crate) fn assessor<'b>(&'b self, last: Option<&'b Record>) -> Assessor<'b> {
        Assessor::new(&self.pipeline, self.hosts, &self.store, &self.options.force, last)
    }

    /// Judges every task whose inputs are there; `None` for the others.
    pub(crate) fn assess_all(
        &self,
        assessor: &mut Assessor<'_>,
    ) -> Result<Vec<Option<Assessment>>> {
        let mut assessments: Vec<Option<Assessment>> = Vec::new();
        for (index, task) in self.pipeline.tasks() {
            let entry = |i: usize| entry(&assessments, i);
            let ready = producers(task).all(|producer| entry(producer.index()).is_some());
            let assessment = ready.then(|| assessor.assess(index.index(), &entry)).transpose()?;
            assessments.push(assessment);
        }
        Ok(assessments)
    }

    pub(crate) fn planned(&self, assessments: &[Option<Assessment>]) -> Vec<PlannedTask> {
        let tasks = self.pipeline.tasks().zip(assessments);
        tasks
            .map(|((index, task), assessment)| {
                let status = match assessment {
                    Some(Assessment::Cached(entry)) => {
                        Status::Cached { key: entry.manifest.key.clone() }
                    }
                    Some(Assessment::Run(work)) => {
                        Status::Run { key: work.key.clone(), reasons: work.reasons.clone() }
                    }
                    None => Status::Depends { on: self.missing(task, assessments) },
                };
                PlannedTask {
                    task: TaskRef::new(index.index(), task),
                    kind: task.kind.clone(),
                    status,
                }
            })
            .collect()
    }

    fn missing(
        &self,
        task: &scarce_pipeline::Task,
        assessments: &[Option<Assessment>],
    ) -> Vec<TaskRef> {
        let mut seen = HashSet::new();
        producers(task)
            .filter(|i| entry(assessments, i.index()).is_none() && seen.insert(*i))
            .map(|i| TaskRef::new(i.index(), &self.pipeline.graph[i]))
            .collect()
    }
}

fn entry(assessments: &[Option<Assessment>], index: usize) -> Option<Arc<Entry>> {
    match assessments.get(index) {
        Some(Some(Assessment::Cached(entry))) => Some(Arc::clone(entry)),
        _ => None,
    }
}

/// What to collect as garbage.
#[derive(Debug, Clone)]
pub struct Garbage {
    /// Only so many of the last runs of each pipeline count, and the records of earlier ones are removed
    /// too; all count if absent. A run that was killed counts as long as no later one has ended.
    pub keep_runs: Option<usize>,
    /// A result that no record knows of stays when it is younger: whatever made it may be about to
    /// record it, or its record may have been lost.
    pub grace: Duration,
    /// Only say what would be removed.
    pub dry_run: bool,
}

impl Default for Garbage {
    /// What no run reaches, after a day.
    fn default() -> Self {
        Self { keep_runs: None, grace: Duration::from_hours(24), dry_run: false }
    }
}

/// Removes from the store what no recorded run reaches, and what killed processes left.
///
/// # Errors
/// When a run is alive, or a record cannot be read: what it reaches would be lost.
pub fn collect_garbage(root: &Path, garbage: &Garbage) -> Result<Collected> {
    let root = std::path::absolute(root)?;
    let store = Store::open(&root)?;
    let alone = if garbage.dry_run { None } else { Some(store.exclusive()?) };
    let mut keep = Keep { grace: garbage.grace, ..Keep::default() };
    let mut old = Vec::new();
    for pipeline in Record::pipelines(&root)? {
        let last = Record::last(&root, &pipeline)?;
        let mut counted = 0;
        for path in Record::all(&root, &pipeline)? {
            let unfinished = last.as_ref().is_none_or(|last| last.is_before_journal(&path));
            let counts = garbage.keep_runs.is_none_or(|n| unfinished || counted < n.max(1));
            counted += usize::from(!unfinished);
            let results = |record: Record| {
                record.tasks.into_iter().filter_map(|task| Some((task.kind, task.key?)))
            };
            if counts {
                keep.reached.extend(results(Record::read(&path)?));
            } else {
                // Of what only a record reached that cannot be read nothing is known.
                keep.given_up.extend(Record::read(&path).into_iter().flat_map(results));
                old.push(path);
            }
        }
    }
    let mut collected = store.collect(&keep, alone.as_ref())?;
    if alone.is_some() {
        for path in old {
            fs_err::remove_file(path)?;
        }
        collected.swept_bytes += record::sweep_all(&root)?;
    }
    Ok(collected)
}

/// Refuses before anything runs what the record could not say at the end.
fn readable(what: &'static str, path: &Path) -> Result<()> {
    match path.to_str() {
        Some(_) => Ok(()),
        None => Err(Error::NotUtf8 { what, path: path.to_owned() }),
    }
}

/// A message of the run itself.
pub(crate) fn say(events: &(dyn Fn(RunEvent) + Sync), level: Level, message: String) {
    events(RunEvent::Log { task: None, level, message });
}
