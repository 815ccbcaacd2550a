//! Losses, reconstructions, counts of labels, and the list of what went in.

use indexmap::IndexMap;
use scarce_artifact::{History, ImagesMeta, Reconstructions};
use scarce_stage::{Context, Failure};

use crate::{
    Error,
    origin::{Methods, Origin, text},
    reference::{LabelTable, Reference},
};

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
        let Some(table) = input.table.batches(pictures).next().transpose()? else { continue };
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
pub(crate) fn label_counts(known: &Reference, methods: &mut Methods) -> Vec<LabelCounts> {
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
