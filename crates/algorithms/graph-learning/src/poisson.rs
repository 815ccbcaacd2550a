//! Poisson learning: labels are sources and sinks of a flow.

use super::{Convergence, Graph, Precision, Reach, Scores, Seeds, solve::System};
use scarce_numeric::Error;

/// Poisson learning (Calder, Cook, Thorpe and Slepčev, *Poisson learning: graph based
/// semi-supervised learning at very low label rates*, ICML 2020).
///
/// (D − W)u = Σⱼ (yⱼ − ȳ) δⱼ over the labelled nodes j, where yⱼ is 1 for the own class and 0 for the
/// others and ȳ their mean over the component; Σᵢ dᵢuᵢ = 0 in each component. The scores of a class
/// are multiplied by its prior over its share of the labels (equation 2.5): that is 1 for equally
/// many labels and uniform priors. `priors: [classes]` are positive and sum to 1.
///
/// # Errors
/// [`Error::Length`] or [`Error::Parameter`] for priors or a tolerance out of range;
/// [`Error::TooFew`] for a labelled node that the graph does not have.
pub fn poisson(
    graph: &Graph,
    seeds: &Seeds,
    priors: &[f64],
    precision: Precision,
) -> Result<Scores, Error> {
    precision.check()?;
    check_priors(priors, seeds.classes())?;
    let reach = Reach::new(graph, seeds)?;
    let (mut values, convergence) = potential(graph, seeds, &reach, precision)?;
    let classes = seeds.classes();
    for (component, places) in graph.component_places().enumerate() {
        let weights = class_weights(reach.of(component), priors);
        for row in values[places.start * classes..places.end * classes].chunks_exact_mut(classes) {
            for (value, weight) in row.iter_mut().zip(&weights) {
                *value *= weight;
            }
        }
    }
    Scores::new(graph, seeds, &values, vec![("the scores", convergence)])
}

/// u by place.
pub(super) fn potential(
    graph: &Graph,
    seeds: &Seeds,
    reach: &Reach,
    precision: Precision,
) -> Result<(Vec<f64>, Convergence), Error> {
    let classes = seeds.classes();
    let mut values = vec![0.0; graph.nodes() * classes];
    for (place, source) in sources(graph, seeds, reach)? {
        values[place * classes..][..classes].copy_from_slice(&source);
    }
    let system = System::new(graph, 1.0, graph.degrees().to_vec(), |_| false);
    let convergence = system.solve(&mut values, classes, precision);
    for places in graph.component_places() {
        centre(
            &graph.degrees()[places.clone()],
            &mut values[places.start * classes..][..places.len() * classes],
            classes,
        );
    }
    Ok((values, convergence))
}

/// yⱼ − ȳ at every labelled place.
pub(super) fn sources(
    graph: &Graph,
    seeds: &Seeds,
    reach: &Reach,
) -> Result<Vec<(usize, Vec<f64>)>, Error> {
    let source = |((place, class), (node, _)): ((usize, usize), (u32, usize))| {
        let counts = reach.counts(node as usize);
        let labels = counts.iter().sum::<usize>() as f64;
        let mut source: Vec<f64> = counts.iter().map(|&count| -(count as f64) / labels).collect();
        source[class] += 1.0;
        (place, source)
    };
    Ok(seeds.places(graph)?.into_iter().zip(seeds.iter()).map(source).collect())
}

/// Subtracts from each column its mean weighted by degree.
fn centre(degrees: &[f64], values: &mut [f64], classes: usize) {
    let whole: f64 = degrees.iter().sum();
    if whole <= 0.0 {
        return;
    }
    let mut means = vec![0.0; classes];
    for (row, degree) in values.chunks_exact(classes).zip(degrees) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += degree * value / whole;
        }
    }
    for row in values.chunks_exact_mut(classes) {
        for (value, mean) in row.iter_mut().zip(&means) {
            *value -= mean;
        }
    }
}

/// Prior over share of the labels, for the classes that have labels.
fn class_weights(counts: &[usize], priors: &[f64]) -> Vec<f64> {
    let labels = counts.iter().sum::<usize>() as f64;
    let present: f64 = counts.iter().zip(priors).filter(|(n, _)| **n > 0).map(|(_, p)| p).sum();
    let weight = |(&count, &prior): (&usize, &f64)| {
        if count > 0 { (prior / present) / (count as f64 / labels) } else { 0.0 }
    };
    counts.iter().zip(priors).map(weight).collect()
}

/// Checks that there is a positive prior for each class and that they sum to 1.
pub(super) fn check_priors(priors: &[f64], classes: usize) -> Result<(), Error> {
    scarce_numeric::error::check_length("priors", classes, priors.len())?;
    let sum: f64 = priors.iter().sum();
    if priors.iter().all(|prior| *prior > 0.0) && (sum - 1.0).abs() < 1e-6 {
        return Ok(());
    }
    let value = format!("{priors:?}");
    Err(Error::Parameter { name: "priors", must: "positive numbers that sum to 1", value })
}
