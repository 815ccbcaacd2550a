//! Everything that determines a result: what a key is the digest of.

use std::{collections::HashMap, path::PathBuf};

use petgraph::graph::{DiGraph, NodeIndex};
use scarce_artifact::Digest;
use scarce_pipeline::{PathParam, Source, Task, Wire};
use scarce_stage::{Ancestor, Description};
use scarce_store::{Key, Snapshot, Store};
use serde_json::{Map, Value, json};

use crate::{Error, Result};

/// Raised when ingredients are put together differently; every key changes with it.
const KEY_FORMAT: u32 = 2;

/// What files and folders outside the store hold, looked at once per run.
pub(crate) struct External<'a> {
    store: &'a Store,
    known: HashMap<PathBuf, Snapshot>,
}

impl<'a> External<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, known: HashMap::new() }
    }

    /// What the files and folders among a task's parameters hold, in the order of [`Task::paths`].
    pub(crate) fn snapshots(&mut self, task: &Task) -> Result<Vec<Snapshot>> {
        let snapshot = |param: &PathParam| {
            self.snapshot(&param.path).map_err(|source| Error::Path {
                stage: task.stage.clone(),
                param: param.pointer.trim_start_matches('/').replace('/', "."),
                source: Box::new(source),
            })
        };
        task.paths.iter().map(snapshot).collect()
    }

    fn snapshot(&mut self, path: &PathBuf) -> scarce_store::Result<Snapshot> {
        if let Some(snapshot) = self.known.get(path) {
            return Ok(snapshot.clone());
        }
        let snapshot = self.store.snapshot(path)?;
        self.known.insert(path.clone(), snapshot.clone());
        Ok(snapshot)
    }
}

/// The ingredients of a task. `content` gives the digest of an artifact that is there, `None` for an
/// optional one that was not written; `data` is what the task's paths lead to.
///
/// The names of stages, ports above and files do not enter: only what the stage gets to see does. A
/// port that takes many hands on names and axes, so there they count; and a kind that asks for its
/// lineage gets to see all that is above.
pub(crate) fn of(
    graph: &DiGraph<Task, Wire>,
    task: &Task,
    description: &Description,
    lineage: &[Ancestor],
    content: &dyn Fn(&Source) -> Option<Digest>,
    data: &[Snapshot],
) -> Value {
    let mut inputs = Map::new();
    for (port, sources) in &task.inputs {
        let many = description.inputs.iter().any(|input| input.name == *port && input.many);
        let artifact = |source: &Source| {
            let digest = content(source);
            if !many {
                return json!(digest);
            }
            let from = &graph[source.task];
            json!({ "stage": from.stage, "port": source.port, "axes": from.axes, "content": digest })
        };
        inputs.insert(port.clone(), sources.iter().map(artifact).collect());
    }
    let mut ingredients = json!({
        "format": KEY_FORMAT,
        "kind": task.kind,
        "code": description.fingerprint,
        "params": params(task, data),
        "inputs": inputs,
        "environment": description.environment,
    });
    if description.lineage {
        // Its digest: in whole it would be most of the record of a run.
        ingredients["lineage"] = json!(Key::of(&json!(lineage)));
    }
    ingredients
}

/// The parameters with the content of what paths point to in place of the paths.
fn params(task: &Task, data: &[Snapshot]) -> Value {
    let mut params = Value::Object((*task.params).clone());
    for (param, snapshot) in task.paths.iter().zip(data) {
        if let Some(value) = params.pointer_mut(&param.pointer) {
            *value = json!({ "content": snapshot.digest });
        }
    }
    params
}

/// What a task reads, each once.
pub(crate) fn producers(task: &Task) -> impl Iterator<Item = NodeIndex> + '_ {
    task.inputs.iter().flat_map(|(_, sources)| sources).map(|source| source.task)
}
