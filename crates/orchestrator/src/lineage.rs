//! What the inputs of a task come from, for stages that tell people about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use petgraph::graph::NodeIndex;
use scarce_pipeline::{Pipeline, Task};
use scarce_stage::{Ancestor, Description};
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
        }
    };
    above.iter().map(ancestor).collect()
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
