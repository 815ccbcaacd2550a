//! Labels that flow along the edges of a graph.

use scarce_artifact::{Classes, Distributions, Edges, LabelSource, Labels, Nodes, Vectors};
use scarce_graph_learning::{Convergence, Seeds};
use scarce_scores::{entropy, margin};
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Port, Splits, Stage, counted,
};

use crate::{
    Error,
    belief::{Logits, ranks},
    calibrate::{self, Calibration},
    labels::{Given, Label, table},
    method::{self, Fit},
    params::{Confidence, Params},
    tables::Network,
};

/// From all images of the graph, and from labels of those that are not in the test split.
fn learns() -> Learns {
    Learns::images("nodes", Splits::All)
        .and("labels", Splits::learnable(), Knowledge::Labels)
        .rows_of(&["nodes"])
}

/// The kind `propagate-graph`.
pub struct PropagateGraph;

impl Stage for PropagateGraph {
    type Params = Params;

    fn describe() -> Description {
        Description::new("propagate-graph", "Lets a few labels flow along the edges of a graph")
            .doc(include_str!("propagate.md"))
            .learns(learns())
            .input(Port::table::<Nodes>("nodes", "The images of a graph"))
            .input(Port::table::<Edges>("edges", "The edges of the same graph"))
            .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
            .output(Port::table::<Labels>("labels", "The labels of all images that were reached"))
            .output(Port::table::<Distributions>(
                "distributions",
                "What is believed of every image",
            ))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        params.check()?;
        let (nodes, edges) = (context.input::<Nodes>("nodes")?, context.input::<Edges>("edges")?);
        let labels = context.input::<Labels>("labels")?;
        let network = Network::read(&nodes, &edges)?;
        let given = Given::read(&labels, &nodes, &network)?;
        let classes = labels.meta();
        let seeds = Seeds::new(&given.seeds, classes.len()).map_err(Error::from)?;
        let priors = params.priors.resolve(&seeds.counts())?;
        tell_task(&params, &network, &seeds, classes, &priors);
        let fit = method::fit(&params, &network.graph, &seeds, &priors)?;
        tell_fit(&params, &fit);
        let calibration = calibration(&params, &network, &seeds, &priors)?;
        tell_calibration(calibration.as_ref(), classes);
        let temperature = calibration.as_ref().map_or(1.0, |found| found.temperature);
        let probabilities = Logits::of(&fit).probabilities(temperature, &seeds);
        let sure = Sureness {
            confidence: params.confidence,
            least: params.min_confidence,
            calibrated: calibration.is_some(),
        };
        let labels = decide(sure, &network, &given, &fit, &probabilities);
        context.write("labels", classes.clone(), table(labels))?;
        let beliefs = distributions(&network, &seeds, fit, probabilities);
        context.write("distributions", classes.clone(), beliefs)
    }
}

/// Calibrates where that is asked for and possible.
fn calibration(
    params: &Params,
    network: &Network,
    seeds: &Seeds,
    priors: &[f64],
) -> Result<Option<Calibration>, Error> {
    if params.confidence == Confidence::Rank || !calibrate::possible(&seeds.counts()) {
        return Ok(None);
    }
    let fit = |seeds: &Seeds| method::fit(params, &network.graph, seeds, priors);
    calibrate::calibrate(seeds, fit).map(Some)
}

/// What the confidence of a label says, and how much of it there has to be.
#[derive(Clone, Copy)]
pub(crate) struct Sureness {
    pub(crate) confidence: Confidence,
    /// Labels with less are left out.
    pub(crate) least: f32,
    pub(crate) calibrated: bool,
}

/// The given labels and those of the other images that were reached with enough confidence.
pub(crate) fn decide(
    sure: Sureness,
    network: &Network,
    given: &Given,
    fit: &Fit,
    probabilities: &[f32],
) -> Vec<Label> {
    let Sureness { confidence, least, calibrated } = sure;
    let is_seed = |node: usize| given.seeds.binary_search_by_key(&(node as u32), |s| s.0).is_ok();
    let found: Vec<(usize, u32)> = (0..network.id.len())
        .filter_map(|node| fit.labels[node].map(|class| (node, class)))
        .filter(|(node, _)| !is_seed(*node))
        .collect();
    let by_rank = match confidence {
        Confidence::Auto => !calibrated,
        Confidence::Rank => true,
        Confidence::Probability => false,
    };
    let classes = fit.scores.classes;
    let row = |node: usize| &probabilities[node * classes..][..classes];
    let confidence: Vec<f32> = if by_rank {
        ranks(&found.iter().flat_map(|&(node, _)| margin(row(node), classes)).collect::<Vec<_>>())
    } else {
        found.iter().map(|&(node, class)| row(node)[class as usize]).collect()
    };
    let mut labels = given.labels.clone();
    let sure = found.iter().zip(&confidence).filter(|(_, sure)| **sure >= least);
    labels.extend(sure.map(|(&(node, class), &confidence)| {
        let (id, source) = (network.id[node], LabelSource::Propagated);
        Label { id, class, source, confidence }
    }));
    tracing::info!(
        "{} labelled, {} left out below the least confidence; confidence is {}",
        counted(labels.len() - given.labels.len(), "image"),
        found.len() + given.labels.len() - labels.len(),
        match (by_rank, calibrated) {
            (true, _) => "a rank",
            (false, true) => "a probability, calibrated on labels held back",
            (false, false) => "a probability, not calibrated",
        }
    );
    labels
}

/// What is believed of every image, by ascending id.
pub(crate) fn distributions(
    network: &Network,
    seeds: &Seeds,
    fit: Fit,
    probabilities: Vec<f32>,
) -> Distributions {
    let classes = seeds.classes();
    let mut label: Vec<Option<i32>> =
        fit.labels.iter().map(|label| label.map(|class| class as i32)).collect();
    for (node, class) in seeds.iter() {
        label[node as usize] = Some(class as i32);
    }
    Distributions {
        id: network.id.clone(),
        reached: label.iter().map(Option::is_some).collect(),
        label,
        entropy: entropy(&probabilities, classes),
        margin: margin(&probabilities, classes),
        probabilities: Vectors::new(classes, probabilities),
    }
}

fn tell_task(params: &Params, network: &Network, seeds: &Seeds, classes: &Classes, priors: &[f64]) {
    tell_seeds(network, seeds, classes);
    if params.method.uses_priors(params.sizes) {
        let share = |(name, prior): (&String, &f64)| format!("{name} {:.1} %", 100.0 * prior);
        let shares: Vec<String> = classes.classes.iter().zip(priors).map(share).collect();
        tracing::info!("priors ({}): {}", params.priors.word(), shares.join(", "));
    }
}

/// How many labels, images and edges there are, and which classes have no label.
pub(crate) fn tell_seeds(network: &Network, seeds: &Seeds, classes: &Classes) {
    let counts = seeds.counts();
    let absent: Vec<&str> = named(classes, |class| counts[class] == 0);
    tracing::info!(
        "{} in {}, {}, {}",
        counted(seeds.len(), "label"),
        counted(classes.len() - absent.len(), "class"),
        counted(network.id.len(), "image"),
        counted(network.edges, "edge")
    );
    if !absent.is_empty() {
        let absent = absent.join("`, `");
        tracing::warn!("no image can become `{absent}`: there is no label of it");
    }
}

fn tell_fit(params: &Params, fit: &Fit) {
    tell_solved(&fit.scores.solved, params.tolerance);
    let (images, components) = fit.scores.reach.unreached();
    if images > 0 {
        tracing::warn!(
            "no label reaches {} in {}",
            counted(images, "image"),
            counted(components, "connected component")
        );
    }
    if let Some(error) = fit.size_error.filter(|error| *error > 1e-3) {
        tracing::warn!("class sizes are off their priors by up to {:.1} %", 100.0 * error);
    }
}

/// How the linear systems ended.
pub(crate) fn tell_solved(solved: &[(&'static str, Convergence)], tolerance: f64) {
    for (what, Convergence { iterations, residual, converged }) in solved {
        if *converged {
            tracing::info!("{what}: {iterations} iterations, relative residual {residual:.1e}");
        } else {
            tracing::warn!(
                "{what}: relative residual {residual:.1e} after {iterations} iterations, above the \
                 tolerance {tolerance:.1e}: raise `tolerance` or `max_iterations`"
            );
        }
    }
}

pub(crate) fn tell_calibration(calibration: Option<&Calibration>, classes: &Classes) {
    let Some(Calibration { temperature, wrong }) = calibration else { return };
    let (held, missed) = wrong.iter().fold((0, 0), |sum, class| (sum.0 + class.0, sum.1 + class.1));
    let of_class = |(name, (held, missed)): (&String, &(usize, usize))| {
        (*held > 0).then(|| format!("{name} {missed} of {held}"))
    };
    let by_class: Vec<String> = classes.classes.iter().zip(wrong).filter_map(of_class).collect();
    tracing::info!(
        "{missed} of {held} labels came out wrong when they were held back ({}); temperature \
         {temperature:.3}",
        by_class.join(", ")
    );
}

fn named(classes: &Classes, wanted: impl Fn(usize) -> bool) -> Vec<&str> {
    let names = classes.classes.iter().enumerate();
    names.filter(|(class, _)| wanted(*class)).map(|(_, name)| name.as_str()).collect()
}

#[cfg(test)]
mod tests;
