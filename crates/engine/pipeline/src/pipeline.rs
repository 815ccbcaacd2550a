//! The graph that comes out.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use petgraph::graph::{DiGraph, NodeIndex};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Catalogue, Document, Error, Overrides, Problem, axis::axis_text, fault::Fault, names, resolve,
};

/// A checked pipeline, expanded over its axes.
///
/// Node indices of [`Pipeline::graph`] are in topological order: what a task needs has a smaller
/// index than the task. Among stages that do not depend on each other the order of the TOML decides,
/// among variants of a stage the order of the axes' values.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// `[pipeline] name`, or the file's name without its extension.
    pub name: String,
    /// `[pipeline] description`; may be empty.
    pub description: String,
    /// The TOML file, absolute.
    pub path: PathBuf,
    /// The axes with their values, in the order of `[axes]`; then `round`, if there are rounds, as
    /// long as the longest of them.
    pub axes: Vec<(String, Vec<Value>)>,
    /// The stages before expansion, in topological order: where a [`Link`] leads back, that of a
    /// round.
    pub stages: Vec<Stage>,
    /// Every variant of every stage; an edge leads from the task that writes to the one that reads.
    pub graph: DiGraph<Task, Wire>,
    /// The axes are others than the file says: the variants may be a part of its.
    pub partial: bool,
    /// What is odd but does not stop a run.
    pub warnings: Vec<Problem>,
}

/// A stage of the TOML: the tasks that differ only in their axes.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The axes that it varies over, in the order of `[axes]`; `round` comes last.
    pub axes: Vec<String>,
    /// The axes that it folds.
    pub collect: Vec<String>,
    /// What is wired to it, in the order of the TOML.
    pub inputs: Vec<Link>,
    /// Its variants; the last axis varies fastest.
    pub tasks: Vec<NodeIndex>,
}

/// A wire between two stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The stage that writes.
    pub stage: String,
    /// Its output port.
    pub output: String,
    /// The input port of the stage that reads.
    pub input: String,
    /// The type of artifact that flows.
    pub artifact: String,
    /// Whether it leads from each round to the next, rather than within one.
    pub back: bool,
}

/// One variant of a stage: what is run, cached and reported as a unit.
#[derive(Debug, Clone)]
pub struct Task {
    /// The stage's name.
    pub stage: String,
    /// The stage's kind.
    pub kind: String,
    /// The axes that this stage varies over, with this variant's values, in the order of `[axes]`.
    pub axes: Vec<(String, Value)>,
    /// The parameters: axes put in, defaults filled in, paths absolute. Shared between the variants
    /// that have the same ones.
    pub params: Arc<Map<String, Value>>,
    /// The parameters that name a file or folder, whose content counts.
    pub paths: Arc<Vec<PathParam>>,
    /// What is wired to each input port, in the order of the TOML, then of the axes.
    pub inputs: Vec<(String, Vec<Source>)>,
    /// What the TOML says the stage needs of the machine.
    pub resources: Resources,
}

/// A parameter that names a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParam {
    /// JSON pointer into [`Task::params`], for instance `/weights/file`.
    pub pointer: String,
    /// The absolute path, as it stands in the parameters.
    pub path: PathBuf,
}

/// An output of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The task that writes it.
    pub task: NodeIndex,
    /// The output port.
    pub port: String,
}

/// An edge of the graph: which output feeds which input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// Output port of the task at the edge's start.
    pub output: String,
    /// Input port of the task at its end.
    pub input: String,
}

/// `[stages.X.resources]`: what a stage needs of the machine. Nothing here changes results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Threads; the orchestrator decides when absent.
    pub threads: Option<usize>,
    /// Peak memory in bytes: stages whose sum is more than there is do not run at the same time.
    pub memory: Option<u64>,
    /// More bytes than this it does not get; it counts as its peak where that is not given.
    pub memory_limit: Option<u64>,
    /// Wants a GPU to itself.
    pub gpu: bool,
    /// Longer than this and it is stopped.
    pub time: Option<Duration>,
}

impl Pipeline {
    /// Checks a document against the kinds there are and expands it.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn resolve(
        document: &Document,
        catalogue: &Catalogue,
        overrides: &Overrides,
    ) -> Result<Self, Error> {
        resolve::resolve(document, catalogue, overrides, None)
    }

    /// As [`Pipeline::resolve`], and what the parameters of the targets, and of all that they need,
    /// name as files or folders must be there. No target means every stage.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn resolve_to_run<S: AsRef<str>>(
        document: &Document,
        catalogue: &Catalogue,
        overrides: &Overrides,
        targets: &[S],
    ) -> Result<Self, Error> {
        let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
        resolve::resolve(document, catalogue, overrides, Some(&targets))
    }

    /// All tasks, each after those that it needs.
    pub fn tasks(&self) -> impl Iterator<Item = (NodeIndex, &Task)> {
        self.graph.node_indices().zip(self.graph.node_weights())
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// The pipeline with only the named stages and what they need.
    ///
    /// # Errors
    /// When there is no stage of such a name.
    pub fn select<S: AsRef<str>>(&self, targets: &[S]) -> Result<Self, Error> {
        let mut keep = vec![false; self.graph.node_count()];
        for target in targets {
            let Some(stage) = self.stage(target.as_ref()) else {
                let known: Vec<&str> = self.stages.iter().map(|s| s.name.as_str()).collect();
                let help = names::suggestion(target.as_ref(), &known);
                let fault = Fault::UnknownStage { name: target.as_ref().to_owned(), help };
                return Err(Error::from(Problem::bare(fault)));
            };
            for task in &stage.tasks {
                keep[task.index()] = true;
            }
        }
        // Tasks are in topological order: one sweep from the end reaches everything above.
        for index in self.graph.node_indices().rev() {
            if keep[index.index()] {
                for source in self.graph[index].inputs.iter().flat_map(|(_, sources)| sources) {
                    keep[source.task.index()] = true;
                }
            }
        }
        Ok(self.restrict(&keep))
    }

    /// Only the tasks marked in `keep`, which is closed under what they need.
    fn restrict(&self, keep: &[bool]) -> Self {
        let mut renumbered: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        let mut graph = DiGraph::new();
        for (index, task) in self.tasks().filter(|(index, _)| keep[index.index()]) {
            let mut task = task.clone();
            for source in task.inputs.iter_mut().flat_map(|(_, sources)| sources) {
                source.task = renumbered[&source.task];
            }
            renumbered.insert(index, graph.add_node(task));
        }
        for edge in self.graph.raw_edges() {
            if let Some(&target) = renumbered.get(&edge.target()) {
                graph.add_edge(renumbered[&edge.source()], target, edge.weight.clone());
            }
        }
        let mut stages = self.stages.clone();
        for stage in &mut stages {
            stage.tasks = stage.tasks.iter().filter_map(|i| renumbered.get(i).copied()).collect();
        }
        stages.retain(|stage| !stage.tasks.is_empty());
        let kept: HashSet<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        for stage in &mut stages {
            stage.inputs.retain(|link| kept.contains(&link.stage));
        }
        Self { stages, graph, ..self.clone_header() }
    }

    fn clone_header(&self) -> Self {
        Self {
            name: self.name.clone(),
            description: self.description.clone(),
            path: self.path.clone(),
            axes: self.axes.clone(),
            stages: Vec::new(),
            graph: DiGraph::new(),
            partial: self.partial,
            warnings: self.warnings.clone(),
        }
    }
}

impl Task {
    /// The stage with its axes, for people: `encoder [seed=3 architecture=conv]`.
    pub fn label(&self) -> String {
        if self.axes.is_empty() {
            return self.stage.clone();
        }
        format!("{} [{}]", self.stage, self.levels().collect::<Vec<_>>().join(" "))
    }

    /// The stage with its axes as folders: `encoder/seed=3/architecture=conv`.
    pub fn folder(&self) -> PathBuf {
        task_folder(&self.stage, &self.axes)
    }

    fn levels(&self) -> impl Iterator<Item = String> {
        levels(&self.axes)
    }
}

/// A stage with a variant's axes as folders: `encoder/seed=3/architecture=conv`.
pub fn task_folder(stage: &str, axes: &[(String, Value)]) -> PathBuf {
    std::iter::once(stage.to_owned()).chain(levels(axes)).collect()
}

fn levels(axes: &[(String, Value)]) -> impl Iterator<Item = String> {
    axes.iter().map(|(name, value)| format!("{name}={}", axis_text(value)))
}
