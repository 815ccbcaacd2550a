//! Multiplies stages over their axes.

use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use scarce_stage::Description;
use serde_json::Value;

use crate::{
    Link, Source, Stage, Task, Wire,
    axis::Axis,
    fault::Fault,
    node::Span,
    params::Variants,
    problems::Problems,
    sketch::{Draft, Sketch},
    wires::{Plug, Wiring},
};

/// A graph of more tasks is a mistake.
pub(crate) const MOST_TASKS: usize = 100_000;
/// A graph of more edges does not fit into memory comfortably.
const MOST_WIRES: usize = 2_000_000;

/// The axes that each stage varies over, by number, ascending.
pub(crate) struct Spread {
    /// After collecting: one task for every combination of these.
    pub(crate) used: Vec<Vec<usize>>,
    /// What the stage folds.
    pub(crate) collected: Vec<Vec<usize>>,
}

/// Finds out which axes each stage varies over: those of its parameters and of what is wired to it,
/// without those that it collects.
pub(crate) fn spread(
    sketch: &Sketch,
    order: &[usize],
    wiring: &Wiring<'_>,
    own: &[Vec<usize>],
    collect: &[Vec<(usize, Span)>],
    problems: &mut Problems,
) -> Spread {
    let collected: Vec<Vec<usize>> =
        collect.iter().map(|axes| axes.iter().map(|(axis, _)| *axis).collect()).collect();
    let mut used: Vec<Vec<usize>> = vec![Vec::new(); sketch.stages.len()];
    for &stage in order {
        let mut axes = own[stage].clone();
        for feed in wiring.inputs[stage].iter().flat_map(|plug| &plug.feeds) {
            axes.extend(&used[feed.stage]);
        }
        axes.sort_unstable();
        axes.dedup();
        for (axis, span) in &collect[stage] {
            let name = sketch.axes[*axis].name.clone();
            let fault = if own[stage].contains(axis) {
                Fault::CollectsOwn { stage: sketch.stages[stage].name.clone(), axis: name }
            } else if !axes.contains(axis) {
                Fault::CollectsNothing { stage: sketch.stages[stage].name.clone(), axis: name }
            } else {
                continue;
            };
            problems.add(fault, *span, "");
        }
        axes.retain(|axis| !collected[stage].contains(axis));
        refuse_folding_into_one(sketch, stage, &wiring.inputs[stage], &used, &collected, problems);
        used[stage] = axes;
    }
    Spread { used, collected }
}

/// A port that takes one artifact cannot take all variants of a collected axis.
fn refuse_folding_into_one(
    sketch: &Sketch,
    stage: usize,
    plugs: &[Plug<'_>],
    used: &[Vec<usize>],
    collected: &[Vec<usize>],
    problems: &mut Problems,
) {
    for plug in plugs.iter().filter(|plug| !plug.port.many) {
        for feed in &plug.feeds {
            let folded = collected[stage].iter().find(|axis| used[feed.stage].contains(axis));
            let Some(&axis) = folded else { continue };
            let axis = sketch.axes[axis].name.clone();
            let help =
                format!("wire a stage to it that does not vary over `{axis}`, or do not collect");
            let fault = Fault::CollectsIntoOne {
                stage: sketch.stages[stage].name.clone(),
                axis,
                port: plug.port.name.clone(),
                artifact: plug.port.artifact.clone(),
                from: sketch.stages[feed.stage].name.clone(),
                help: Some(help),
            };
            problems.add(fault, feed.span, "");
        }
    }
}

/// Refuses a graph that is too large to be meant.
pub(crate) fn refuse_too_many(
    sketch: &Sketch,
    wiring: &Wiring<'_>,
    spread: &Spread,
    problems: &mut Problems,
) {
    let start = Span { text: 0, start: 0, end: 0 };
    let span = sketch.axes.first().map_or(start, |axis| axis.span);
    let product = |axes: &mut dyn Iterator<Item = &usize>| -> usize {
        axes.fold(1, |n, &axis| n.saturating_mul(sketch.axes[axis].values.len()))
    };
    let tasks: Vec<usize> = spread.used.iter().map(|used| product(&mut used.iter())).collect();
    let total = tasks.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
    if total > MOST_TASKS {
        let arithmetic = arithmetic(sketch, spread, &tasks, total);
        let limit = MOST_TASKS.to_string();
        problems.add(Fault::TooMany { what: "tasks", arithmetic, limit }, span, "");
        return;
    }
    let mut wires = 0usize;
    for (stage, plugs) in wiring.inputs.iter().enumerate() {
        for feed in plugs.iter().flat_map(|plug| &plug.feeds) {
            let folded =
                spread.used[feed.stage].iter().filter(|a| spread.collected[stage].contains(a));
            wires =
                wires.saturating_add(tasks[stage].saturating_mul(product(&mut folded.into_iter())));
        }
    }
    if wires > MOST_WIRES {
        let arithmetic = format!("all inputs together take {wires}");
        let limit = MOST_WIRES.to_string();
        problems.add(Fault::TooMany { what: "wires", arithmetic, limit }, span, "");
    }
}

/// The largest stages and their factors: ``10 `seed` × 20 `k` = 200 of `knn`, …``.
fn arithmetic(sketch: &Sketch, spread: &Spread, tasks: &[usize], total: usize) -> String {
    const SHOWN: usize = 3;
    let mut largest: Vec<usize> = (0..tasks.len()).collect();
    largest.sort_by_key(|&stage| std::cmp::Reverse(tasks[stage]));
    let mut terms: Vec<String> = Vec::new();
    for &stage in largest.iter().take(SHOWN) {
        let factors: Vec<String> = spread.used[stage]
            .iter()
            .map(|&axis| format!("{} `{}`", sketch.axes[axis].values.len(), sketch.axes[axis].name))
            .collect();
        let name = &sketch.stages[stage].name;
        let count = tasks[stage];
        terms.push(if factors.is_empty() {
            format!("{count} of `{name}`")
        } else {
            format!("{} = {count} of `{name}`", factors.join(" × "))
        });
    }
    if tasks.len() > SHOWN {
        terms.push(format!("{} more stages", tasks.len() - SHOWN));
    }
    format!("{} make {total}", terms.join(", "))
}

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
    pub(crate) spread: &'a Spread,
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
}

impl Parts<'_> {
    /// The stages and the graph, both in topological order.
    pub(crate) fn expand(&self) -> (Vec<Stage>, DiGraph<Task, Wire>) {
        let mut graph = DiGraph::new();
        let mut first = vec![0; self.sketch.stages.len()];
        let mut stages = Vec::with_capacity(self.order.len());
        for &stage in self.order {
            first[stage] = graph.node_count();
            let projections = self.projections(stage, &first);
            let sizes = self.sizes(&self.spread.used[stage]);
            let count = sizes.iter().product();
            let mut tasks = Vec::with_capacity(count);
            for variant in 0..count {
                let task = self.task(stage, &digits(variant, &sizes), &projections);
                tasks.push(add(&mut graph, task));
            }
            stages.push(self.stage(stage, tasks));
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
        feeds.map(|feed| self.projection(stage, feed.stage, first[feed.stage])).collect()
    }

    fn projection(&self, stage: usize, feeding: usize, first: usize) -> Projection {
        let (reader, writer) = (&self.spread.used[stage], &self.spread.used[feeding]);
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
        Projection { first, strides, folded }
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
                let offset: usize =
                    digits.iter().zip(&projection.strides).map(|(d, s)| d * s).sum();
                let base = projection.first + offset;
                sources.extend(projection.folded.iter().map(|folded| Source {
                    task: NodeIndex::new(base + folded),
                    port: feed.output.name.clone(),
                }));
            }
            inputs.push((plug.port.name.clone(), sources));
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
        let names = |axes: &[usize]| axes.iter().map(|&a| self.axis(a).name.clone()).collect();
        let links = self.wiring.inputs[stage].iter().flat_map(|plug| {
            plug.feeds.iter().map(|feed| Link {
                stage: self.draft(feed.stage).name.clone(),
                output: feed.output.name.clone(),
                input: plug.port.name.clone(),
                artifact: plug.port.artifact.clone(),
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

fn add(graph: &mut DiGraph<Task, Wire>, task: Task) -> NodeIndex {
    let edges: Vec<(NodeIndex, Wire)> = task
        .inputs
        .iter()
        .flat_map(|(input, sources)| sources.iter().map(move |source| (input, source)))
        .map(|(input, s)| (s.task, Wire { output: s.port.clone(), input: input.clone() }))
        .collect();
    let node = graph.add_node(task);
    for (source, wire) in edges {
        graph.add_edge(source, node, wire);
    }
    node
}
