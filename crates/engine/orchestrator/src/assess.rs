//! The judgement on one task: is its result there, and if not, why must it run?

use std::{collections::HashMap, sync::Arc};

use petgraph::graph::NodeIndex;
use scarce_pipeline::{Pipeline, Source};
use scarce_stage::{Ancestor, Description, Level};
use scarce_store::{Damage, Entry, Key, Lookup, Snapshot, Store, canonical_json};
use serde_json::Value;

use crate::{
    Hosts, Reason, Record, Result, TaskRecord, TaskStatus,
    ingredients::{self, External},
    lineage, reason,
};

/// A task whose inputs are all there.
#[derive(Debug, Clone)]
pub(crate) enum Assessment {
    /// So is its result.
    Cached(Arc<Entry>),
    /// It must run.
    Run(Work),
}

/// What is needed to run a task.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) key: Key,
    pub(crate) ingredients: Value,
    /// What the files and folders among the parameters were like when the key was made.
    pub(crate) data: Vec<Snapshot>,
    pub(crate) reasons: Vec<Reason>,
    /// Run even if somebody else has the result meanwhile.
    pub(crate) forced: bool,
}

impl Work {
    /// The damage for which it runs.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        self.reasons.iter().find_map(|reason| match reason {
            Reason::Damaged { damage } => Some(damage),
            _ => None,
        })
    }
}

/// Judges tasks one by one, remembering what is costly to find out.
pub(crate) struct Assessor<'a> {
    pipeline: &'a Pipeline,
    hosts: &'a Hosts,
    store: &'a Store,
    force: &'a [String],
    external: External<'a>,
    /// Results whose bytes were found wrong: whatever a cheap check says, their tasks run.
    suspects: HashMap<usize, Damage>,
    before: HashMap<String, &'a TaskRecord>,
}

impl<'a> Assessor<'a> {
    pub(crate) fn new(
        pipeline: &'a Pipeline,
        hosts: &'a Hosts,
        store: &'a Store,
        force: &'a [String],
        last: Option<&'a Record>,
    ) -> Self {
        let tasks = last.into_iter().flat_map(|record| &record.tasks);
        let before = tasks.map(|task| (name(&task.stage, &task.axes), task)).collect();
        let (external, suspects) = (External::new(store), HashMap::new());
        Self { pipeline, hosts, store, force, external, suspects, before }
    }

    /// The next judgement on a task is that its result is damaged. Whether it still is then, its worker
    /// sees under the lock.
    pub(crate) fn suspect(&mut self, index: usize, damage: Damage) {
        self.suspects.insert(index, damage);
    }

    /// The record that the last run left of a task.
    pub(crate) fn before(&self, index: usize) -> Option<&TaskRecord> {
        let task = self.task(index);
        self.before.get(&name(&task.stage, &task.axes)).copied()
    }

    fn task(&self, index: usize) -> &'a scarce_pipeline::Task {
        &self.pipeline.graph[NodeIndex::new(index)]
    }

    /// Judges a task all of whose inputs are in `entries`.
    pub(crate) fn assess(
        &mut self,
        index: usize,
        entries: &dyn Fn(usize) -> Option<Arc<Entry>>,
    ) -> Result<Assessment> {
        let task = self.task(index);
        let (_, description) = self.hosts.need(&task.stage, &task.kind)?;
        let content = |source: &Source| {
            let entry = entries(source.task.index())?;
            Some(entry.output(&source.port)?.digest.clone())
        };
        let lineage = self.lineage(index, description);
        let graph = &self.pipeline.graph;
        let external = &mut self.external;
        let data = external.snapshots(task)?;
        let ingredients = ingredients::of(graph, task, description, &lineage, &content, &data);
        let key = Key::of(&ingredients);
        let forced = self.force.contains(&task.stage);
        let found = match (self.store.find(&task.kind, &key)?, self.suspects.remove(&index)) {
            (Lookup::Hit(_), Some(damage)) => Lookup::Damaged(damage),
            (found, _) => found,
        };
        let reasons = match found {
            Lookup::Hit(entry) if !forced => return Ok(Assessment::Cached(Arc::new(entry))),
            Lookup::Damaged(damage) => vec![Reason::Damaged { damage }],
            _ if forced => vec![Reason::Forced],
            _ => self.why(index, &ingredients),
        };
        Ok(Assessment::Run(Work { key, ingredients, data, reasons, forced }))
    }

    /// What the inputs come from, for a kind that asks.
    fn lineage(&self, index: usize, description: &Description) -> Vec<Ancestor> {
        if description.lineage {
            lineage::of(self.pipeline, self.hosts, NodeIndex::new(index))
        } else {
            Vec::new()
        }
    }

    fn why(&self, index: usize, ingredients: &Value) -> Vec<Reason> {
        let Some(before) = self.before(index) else { return vec![Reason::NeverRan] };
        let Some(old) = &before.ingredients else { return vec![Reason::NeverRan] };
        let reasons = reason::compare(old, ingredients);
        match (reasons.as_slice(), before.status) {
            ([Reason::Removed], TaskStatus::Failed) => vec![Reason::FailedBefore],
            ([Reason::Removed], TaskStatus::Skipped | TaskStatus::NotReached) => {
                vec![Reason::NeverRan]
            }
            _ => reasons,
        }
    }
}

/// One name for a stage and a variant.
fn name(stage: &str, axes: &[(String, Value)]) -> String {
    let values = axes.iter().map(|(axis, value)| format!("{axis}={}", canonical_json(value)));
    std::iter::once(stage.to_owned()).chain(values).collect::<Vec<_>>().join("\n")
}

/// Reads the record of the last run; one that cannot be read only costs the reasons.
pub(crate) fn last_record(
    root: &std::path::Path,
    pipeline: &str,
    say: &dyn Fn(Level, String),
) -> Option<Record> {
    Record::last(root, pipeline).unwrap_or_else(|error| {
        say(Level::Warn, format!("{error}; why stages run cannot be told"));
        None
    })
}
