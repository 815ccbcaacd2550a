//! Multiplies stages over their axes.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use petgraph::graph::{DiGraph, NodeIndex};
use scarce_stage::Description;
use serde_json::Value;

use crate::{
    Link, Source, Stage, Task, Wire,
    axis::Axis,
    params::Variants,
    sketch::{Draft, Sketch},
    sweep::Sweep,
    wires::{Feed, Wiring},
};

/// A graph of more tasks is a mistake.
pub(crate) const MOST_TASKS: usize = 100_000;

/// The digits of a number in mixed radix, the last digit varying fastest.
pub(crate) fn digits(mut number: usize, sizes: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; sizes.len()];
    for (digit, size) in digits.iter_mut().zip(sizes).rev() {
        *digit = number % size;
        number /= size;
    }
    digits
}

/// Everything that the graph is made of.
pub(crate) struct Parts<'a> {
    pub(crate) sketch: &'a Sketch,
    pub(crate) kinds: &'a [&'a Description],
    pub(crate) order: &'a [usize],
    pub(crate) wiring: &'a Wiring<'a>,
    pub(crate) variants: &'a [Variants],
    pub(crate) spread: &'a Sweep,
}

/// Where the variants of a feeding stage lie, seen from a variant of the reading stage.
struct Projection {
    /// First task of the feeding stage.
    first: usize,
    /// For each axis of the reading stage the distance between its values; 0 where the feeding stage
    /// does not vary over it.
    strides: Vec<usize>,
    /// The variants over the collected axes.
    folded: Vec<usize>,
    /// Where the round before is meant: the position of the round among the reading stage's axes.
    back: Option<usize>,
}

impl Projection {
    /// The tasks that feed a variant; none in the first round where the round before is meant.
    fn tasks(&self, digits: &[usize]) -> impl Iterator<Item = NodeIndex> {
        let offset: usize = digits.iter().zip(&self.strides).map(|(d, s)| d * s).sum();
        let base = match self.back {
            None => Some(self.first + offset),
            Some(round) if digits[round] == 0 => None,
            Some(round) => Some(self.first + offset - self.strides[round]),
        };
        base.into_iter()
            .flat_map(|base| self.folded.iter().map(move |folded| NodeIndex::new(base + folded)))
    }
}

impl Parts<'_> {
    /// The stages in their order and the graph in topological order.
    pub(crate) fn expand(&self) -> (Vec<Stage>, DiGraph<Task, Wire>) {
        let mut first = vec![0; self.sketch.stages.len()];
        let mut count = 0;
        for &stage in self.order {
            first[stage] = count;
            count += self.sizes(&self.spread.used[stage]).iter().product::<usize>();
        }
        let mut tasks = Vec::with_capacity(count);
        let mut stages = Vec::with_capacity(self.order.len());
        for &stage in self.order {
            let projections = self.projections(stage, &first);
            let sizes = self.sizes(&self.spread.used[stage]);
            let count: usize = sizes.iter().product();
            let indices = (0..count).map(|variant| NodeIndex::new(first[stage] + variant));
            stages.push(self.stage(stage, indices.collect()));
            for variant in 0..count {
                tasks.push(self.task(stage, &digits(variant, &sizes), &projections));
            }
        }
        if self.wiring.looks_back() {
            tasks = by_need(tasks, &mut stages);
        }
        let mut graph = DiGraph::with_capacity(tasks.len(), 0);
        for task in tasks {
            add(&mut graph, task);
        }
        (stages, graph)
    }

    fn sizes(&self, axes: &[usize]) -> Vec<usize> {
        axes.iter().map(|&axis| self.sketch.axes[axis].values.len()).collect()
    }

    fn draft(&self, stage: usize) -> &Draft {
        &self.sketch.stages[stage]
    }

    fn axis(&self, axis: usize) -> &Axis {
        &self.sketch.axes[axis]
    }

    /// For each wire of a stage, in order.
    fn projections(&self, stage: usize, first: &[usize]) -> Vec<Projection> {
        let feeds = self.wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds);
        feeds.map(|feed| self.projection(stage, feed, first[feed.stage])).collect()
    }

    fn projection(&self, stage: usize, feed: &Feed<'_>, first: usize) -> Projection {
        let (reader, writer) = (&self.spread.used[stage], &self.spread.used[feed.stage]);
        let mut strides = vec![0; reader.len()];
        let mut folded = vec![0];
        let mut stride = 1;
        for &axis in writer.iter().rev() {
            let size = self.axis(axis).values.len();
            if let Ok(position) = reader.binary_search(&axis) {
                strides[position] = stride;
            } else {
                // Outer axes come later in this loop and must vary more slowly.
                let inner = std::mem::take(&mut folded);
                folded = (0..size)
                    .flat_map(|value| inner.iter().map(move |offset| value * stride + offset))
                    .collect();
            }
            stride *= size;
        }
        let round = self.sketch.rounds.axis_of(stage).filter(|_| feed.back);
        let back = round.and_then(|axis| reader.binary_search(&axis).ok());
        Projection { first, strides, folded, back }
    }

    fn task(&self, stage: usize, digits: &[usize], projections: &[Projection]) -> Task {
        let used = &self.spread.used[stage];
        let draft = self.draft(stage);
        let value = |(&axis, &digit): (&usize, &usize)| -> (String, Value) {
            (self.axis(axis).name.clone(), self.axis(axis).values[digit].clone())
        };
        let variants = &self.variants[stage];
        let combination = variants.own.iter().fold(0, |number, axis| {
            let digit = used.binary_search(axis).map_or(0, |position| digits[position]);
            number * self.axis(*axis).values.len() + digit
        });
        let settled = &variants.settled[combination];
        let mut projections = projections.iter();
        let mut inputs = Vec::with_capacity(self.wiring.inputs[stage].len());
        for plug in &self.wiring.inputs[stage] {
            let mut sources = Vec::with_capacity(plug.feeds.len());
            for (feed, projection) in plug.feeds.iter().zip(projections.by_ref()) {
                let port = &feed.output.name;
                sources.extend(
                    projection.tasks(digits).map(|task| Source { task, port: port.clone() }),
                );
            }
            // In the first round a port may have nothing left: as if it were not wired.
            if !sources.is_empty() || plug.feeds.is_empty() {
                inputs.push((plug.port.name.clone(), sources));
            }
        }
        Task {
            stage: draft.name.clone(),
            kind: self.kinds[stage].kind.clone(),
            axes: used.iter().zip(digits).map(value).collect(),
            params: Arc::clone(&settled.params),
            paths: Arc::clone(&settled.paths),
            inputs,
            resources: draft.resources,
        }
    }

    fn stage(&self, stage: usize, tasks: Vec<NodeIndex>) -> Stage {
        let names = |axes: &[usize]| {
            let mut names: Vec<String> = axes.iter().map(|&a| self.axis(a).name.clone()).collect();
            // Rounds of different counts are axes of one name.
            names.dedup();
            names
        };
        let links = self.wiring.inputs[stage].iter().flat_map(|plug| {
            plug.feeds.iter().map(|feed| Link {
                stage: self.draft(feed.stage).name.clone(),
                output: feed.output.name.clone(),
                input: plug.port.name.clone(),
                artifact: plug.port.artifact.clone(),
                back: feed.back,
            })
        });
        Stage {
            name: self.draft(stage).name.clone(),
            kind: self.kinds[stage].kind.clone(),
            axes: names(&self.spread.used[stage]),
            collect: names(&self.spread.collected[stage]),
            inputs: links.collect(),
            tasks,
        }
    }
}

/// Puts tasks behind those that they need, otherwise in the order that they have, and renumbers.
fn by_need(tasks: Vec<Task>, stages: &mut [Stage]) -> Vec<Task> {
    let sources = |task: &Task| -> Vec<usize> {
        task.inputs.iter().flat_map(|(_, sources)| sources).map(|s| s.task.index()).collect()
    };
    let mut waiting = vec![0_usize; tasks.len()];
    let mut feeds = vec![Vec::new(); tasks.len()];
    for (reader, task) in tasks.iter().enumerate() {
        for writer in sources(task) {
            waiting[reader] += 1;
            feeds[writer].push(reader);
        }
    }
    let ready = (0..tasks.len()).filter(|&task| waiting[task] == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.map(Reverse).collect();
    // What is in no order would keep its number; that rounds only look back leaves none.
    let mut place: Vec<usize> = (0..tasks.len()).collect();
    let mut next = 0;
    while let Some(Reverse(task)) = ready.pop() {
        place[task] = next;
        next += 1;
        for &reader in &feeds[task] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    let moved = |index: NodeIndex| NodeIndex::new(place[index.index()]);
    for index in stages.iter_mut().flat_map(|stage| &mut stage.tasks) {
        *index = moved(*index);
    }
    let mut placed: Vec<(usize, Task)> = place.iter().copied().zip(tasks).collect();
    placed.sort_by_key(|(place, _)| *place);
    let renumbered = placed.into_iter().map(|(_, mut task)| {
        for source in task.inputs.iter_mut().flat_map(|(_, sources)| sources) {
            source.task = moved(source.task);
        }
        task
    });
    renumbered.collect()
}

fn add(graph: &mut DiGraph<Task, Wire>, task: Task) {
    let node = NodeIndex::new(graph.node_count());
    let edges: Vec<(NodeIndex, Wire)> = task
        .inputs
        .iter()
        .flat_map(|(input, sources)| sources.iter().map(move |source| (input, source)))
        .map(|(input, s)| (s.task, Wire { output: s.port.clone(), input: input.clone() }))
        .collect();
    graph.add_node(task);
    for (source, wire) in edges {
        graph.add_edge(source, node, wire);
    }
}
