//! Clusters, propagated labels, losses, reconstructions, and the list of what went in.

use std::rc::Rc;

use indexmap::IndexMap;
use scarce_artifact::{Clusters, History, ImagesMeta, Reconstructions};
use scarce_stage::{Context, Failure, Input};

use crate::{
    Error, Result,
    known::{Known, LabelTable},
    origin::{Methods, Origin, text},
    predictions::shuffled,
    rows::{Row, Setting},
    score::{self, Scope},
};

/// What the first run of a clustering looks like.
#[derive(Debug, Clone)]
pub(crate) struct ClusterPortrait {
    pub method: usize,
    pub origin: Rc<Origin>,
    /// Number of clusters.
    pub count: usize,
    /// Images of each class by cluster; empty without truth.
    pub contents: Vec<(i32, Vec<u64>)>,
    /// By cluster: its representative first, then some others.
    pub samples: Vec<(i32, Vec<u32>)>,
}

/// More clusters than this are not shown one by one.
pub(crate) const SHOWN_CLUSTERS: usize = 30;

/// Scores one clustering; the portrait is made for the first run of a method.
pub(crate) fn clusters(
    input: Input<Clusters>,
    known: &Known,
    methods: &mut Methods,
    portraits: &mut Vec<ClusterPortrait>,
    pictures: usize,
) -> Result<Vec<Row>> {
    let table = input.table.read()?;
    let origin = Rc::new(Origin { stage: input.stage, axes: input.axes });
    let method = methods.of(&origin);
    let (mut rows, mut contents) = (Vec::new(), Vec::new());
    if let Some(truth) = &known.truth {
        for (split, places) in known.by_split(&table.id) {
            let setting = if split == "test" { Setting::Test } else { Setting::WithoutLabels };
            let scope = Scope { origin: Rc::clone(&origin), method, split, setting };
            let (classes, clusters): (Vec<u32>, Vec<i32>) = places
                .iter()
                .filter_map(|&at| Some((*truth.get(&table.id[at])?, table.cluster[at])))
                .unzip();
            if !classes.is_empty() {
                let count = known.classes.names().len();
                let scores = score::clustering(&scope, &classes, &clusters, count)?;
                rows.extend(scores.rows);
                // The images that the clusters were made of, not those held out.
                if split != "test" || contents.is_empty() {
                    contents = scores.contents;
                }
            }
        }
    }
    if portraits.iter().all(|portrait| portrait.method != method) {
        let (count, samples) = cluster_samples(&table, pictures);
        portraits.push(ClusterPortrait { method, origin, count, contents, samples });
    }
    Ok(rows)
}

/// The number of clusters, and of each of the first few its representative and some others.
fn cluster_samples(table: &Clusters, pictures: usize) -> (usize, Vec<(i32, Vec<u32>)>) {
    let mut order: Vec<usize> = (0..table.id.len()).collect();
    order.sort_by_key(|&at| {
        (table.cluster[at], !table.is_representative[at], shuffled(table.id[at]), table.id[at])
    });
    let mut count = 0;
    let mut samples: Vec<(i32, Vec<u32>)> = Vec::new();
    let mut current = None;
    for at in order {
        let cluster = table.cluster[at];
        if current != Some(cluster) {
            current = Some(cluster);
            count += 1;
            if samples.len() < SHOWN_CLUSTERS {
                samples.push((cluster, Vec::new()));
            }
        }
        if let Some((_, ids)) = samples.last_mut().filter(|(of, _)| *of == cluster)
            && ids.len() < pictures
        {
            ids.push(table.id[at]);
        }
    }
    (count, samples)
}

/// Scores the labels that a propagation added.
pub(crate) fn propagated(tables: &[LabelTable], known: &Known, methods: &mut Methods) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in tables {
        let origin = Rc::new(table.origin.clone());
        let method = methods.of(&origin);
        let ids: Vec<u32> = table.propagated.iter().map(|(id, _)| *id).collect();
        for (split, places) in known.by_split(&ids) {
            let setting = if split == "test" { Setting::Test } else { Setting::Transductive };
            let scope = Scope { origin: Rc::clone(&origin), method, split, setting };
            if let Some(truth) = &known.truth {
                let judged = places.iter().filter_map(|&at| {
                    let (id, class) = table.propagated[at];
                    truth.get(&id).map(|&true_class| true_class == class)
                });
                let judged: Vec<bool> = judged.collect();
                if !judged.is_empty() {
                    let right = judged.iter().filter(|&&right| right).count();
                    let share = right as f64 / judged.len() as f64;
                    rows.push(scope.row("propagated_accuracy", share, judged.len()));
                }
            }
            if let Some(&total) = known.totals.get(split) {
                let of_split = |id: &&u32| known.splits.get(id) == Some(&split);
                let given = table.given.keys().filter(of_split).count();
                let due = total.saturating_sub(given).max(1);
                let share = (places.len() as f64 / due as f64).min(1.0);
                rows.push(scope.row("propagated_coverage", share, due));
            }
        }
    }
    rows
}

/// The losses of a method's runs.
#[derive(Debug, Clone)]
pub(crate) struct Curves {
    pub method: usize,
    pub runs: Vec<History>,
}

/// Reads all losses.
pub(crate) fn curves(context: &Context, methods: &mut Methods) -> Result<Vec<Curves>, Failure> {
    let mut curves: Vec<Curves> = Vec::new();
    for input in context.inputs::<History>("history")? {
        let run = input.table.read()?;
        let method = methods.of(&Origin { stage: input.stage, axes: input.axes });
        if run.epoch.is_empty() {
            continue;
        }
        match curves.iter_mut().find(|known| known.method == method) {
            Some(known) => known.runs.push(run),
            None => curves.push(Curves { method, runs: vec![run] }),
        }
    }
    Ok(curves)
}

/// Images, codes and reconstructions of a method's first run.
pub(crate) struct Rebuilt {
    pub method: usize,
    pub origin: Origin,
    pub meta: ImagesMeta,
    pub table: Reconstructions,
}

/// Reads the reconstructions of the first run of each method.
pub(crate) fn rebuilt(
    context: &Context,
    methods: &mut Methods,
    pictures: usize,
) -> Result<Vec<Rebuilt>, Failure> {
    let mut all: Vec<Rebuilt> = Vec::new();
    for input in context.inputs::<Reconstructions>("reconstructions")? {
        let name = format!("{}.{}", input.stage, input.port);
        let origin = Origin { stage: input.stage, axes: input.axes };
        let method = methods.of(&origin);
        if all.iter().any(|known| known.method == method) {
            continue;
        }
        let meta = input.table.meta().clone();
        let Some(table) = input.table.batches(pictures)?.next().transpose()? else { continue };
        let expected = meta.shape.pixels();
        for found in [table.original.width, table.reconstruction.width] {
            if found != expected {
                return Err(Error::Width { table: name, found, expected }.into());
            }
        }
        all.push(Rebuilt { method, origin, meta, table });
    }
    Ok(all)
}

/// How many labels of each class a method's runs were given, on average.
#[derive(Debug, Clone)]
pub(crate) struct LabelCounts {
    pub method: usize,
    pub runs: usize,
    /// Sums over the runs, by class.
    pub sums: Vec<u64>,
}

/// Counts the labels that learners saw; of folds only those of the final runs.
pub(crate) fn label_counts(known: &Known, methods: &mut Methods) -> Vec<LabelCounts> {
    let mut all: Vec<LabelCounts> = Vec::new();
    let of_final = |table: &&LabelTable| known.held_out(&table.origin.axes).is_empty();
    for table in known.labels.iter().filter(of_final) {
        let method = methods.of(&table.origin);
        let at = all.iter().position(|counts| counts.method == method).unwrap_or_else(|| {
            let sums = vec![0; known.classes.names().len()];
            all.push(LabelCounts { method, runs: 0, sums });
            all.len() - 1
        });
        all[at].runs += 1;
        for &class in table.given.values() {
            all[at].sums[class as usize] += 1;
        }
    }
    all
}

/// One line of the list of inputs.
#[derive(Debug, Clone)]
pub(crate) struct Wired {
    pub port: &'static str,
    pub stage: String,
    pub output: String,
    pub tables: usize,
    /// Values of each axis, in order of appearance.
    pub axes: IndexMap<String, Vec<String>>,
}

/// Lists all inputs, stage by stage.
pub(crate) fn wired(context: &Context, ports: &[&'static str]) -> Vec<Wired> {
    let mut all: Vec<Wired> = Vec::new();
    for &port in ports {
        for input in context.wired(port) {
            let same =
                |w: &Wired| w.port == port && w.stage == input.stage && w.output == input.port;
            let at = all.iter().position(same).unwrap_or_else(|| {
                let (stage, output) = (input.stage.clone(), input.port.clone());
                all.push(Wired { port, stage, output, tables: 0, axes: IndexMap::new() });
                all.len() - 1
            });
            all[at].tables += 1;
            for (axis, value) in &input.axes {
                let values = all[at].axes.entry(axis.clone()).or_default();
                let value = text(value);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    all
}
