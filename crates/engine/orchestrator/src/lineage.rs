//! What the inputs of a task come from, for stages that tell people about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use petgraph::graph::NodeIndex;
use scarce_pipeline::{Pipeline, Task};
use scarce_stage::{Ancestor, Description, Format, Learns, Learnt, Port};
use scarce_store::canonical_json;
use serde_json::{Map, Value};

use crate::{Hosts, ingredients::producers};

/// All tasks above one, in topological order.
pub(crate) fn of(pipeline: &Pipeline, hosts: &Hosts, index: NodeIndex) -> Vec<Ancestor> {
    let mut above: BTreeSet<NodeIndex> = BTreeSet::new();
    let mut waiting: Vec<NodeIndex> = producers(&pipeline.graph[index]).collect();
    while let Some(next) = waiting.pop() {
        if above.insert(next) {
            waiting.extend(producers(&pipeline.graph[next]));
        }
    }
    let place: BTreeMap<NodeIndex, usize> =
        above.iter().enumerate().map(|(place, &index)| (index, place)).collect();
    let ancestor = |&index: &NodeIndex| {
        let task = &pipeline.graph[index];
        let params = shown(task);
        let reads: BTreeSet<usize> = producers(task).map(|index| place[&index]).collect();
        let description = hosts.get(&task.kind).map(|(_, description)| description);
        let outputs = description.into_iter().flat_map(|kind| &kind.outputs);
        Ancestor {
            stage: task.stage.clone(),
            kind: task.kind.clone(),
            axes: task.axes.clone(),
            chosen: description.map_or_else(Vec::new, |kind| chosen(&params, kind)),
            params,
            folder: Path::new("runs")
                .join(&pipeline.name)
                .join(task.folder())
                .to_string_lossy()
                .into_owned(),
            files: outputs.flat_map(|port| port.format.files(&port.name)).collect(),
            reads: reads.into_iter().collect(),
            learns: description.and_then(|kind| learnt(task, kind, &place)),
        }
    };
    above.iter().map(ancestor).collect()
}

/// What a task learns from, if its kind says so.
fn learnt(
    task: &Task,
    description: &Description,
    place: &BTreeMap<NodeIndex, usize>,
) -> Option<Learnt> {
    let behind = |wanted: &dyn Fn(&str) -> bool| {
        let ports = task.inputs.iter().filter(|(port, _)| wanted(port));
        let places: BTreeSet<usize> =
            ports.flat_map(|(_, sources)| sources).map(|source| place[&source.task]).collect();
        places.into_iter().collect::<Vec<_>>()
    };
    let is_table = |name: &str| {
        description.inputs.iter().any(|port| port.name == name && port.format == Format::Table)
    };
    let wired = |port: &str| behind(&|name| name == port);
    let learns = description.learns.as_ref().or_else(|| brings_data(description))?;
    Some(learns.resolve(&task.params, &wired, behind(&is_table)))
}

/// A kind that takes nothing and gives nothing but images and truth has nothing to learn from.
fn brings_data(description: &Description) -> Option<&'static Learns> {
    static NOTHING: std::sync::LazyLock<Learns> = std::sync::LazyLock::new(Learns::nothing);
    let is_data = |port: &Port| matches!(port.artifact.as_str(), "images" | "truth");
    let only = description.inputs.is_empty() && description.outputs.iter().all(is_data);
    only.then(|| &*NOTHING)
}

/// The parameters; of paths the last part, since the folders above mean something on one machine
/// only.
fn shown(task: &Task) -> Map<String, Value> {
    let mut params = Value::Object((*task.params).clone());
    for param in task.paths.iter() {
        let name = param.path.file_name().map(|name| name.to_string_lossy().into_owned());
        if let Some(value) = params.pointer_mut(&param.pointer) {
            *value = Value::String(name.unwrap_or_default());
        }
    }
    match params {
        Value::Object(params) => params,
        _ => Map::new(),
    }
}

fn chosen(params: &Map<String, Value>, description: &Description) -> Vec<String> {
    let differs = |(name, value): &(&String, &Value)| {
        let default = description.params.pointer(&format!("/properties/{name}/default"));
        default.is_none_or(|default| canonical_json(default) != canonical_json(value))
    };
    params.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}
