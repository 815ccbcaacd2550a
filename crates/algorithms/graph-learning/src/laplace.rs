//! Harmonic functions: every unlabelled node is the mean of its neighbours.

use super::{Convergence, Graph, Precision, Scores, Seeds, seeds::labelled, solve::System};
use scarce_numeric::Error;

/// What is added to the smallest Poisson weight of a component: weights must be positive.
const LEAST_POISSON_WEIGHT: f64 = 1e-5;

/// Variants of Laplace learning.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Laplace {
    /// τ ≥ 0 of (τ + D − W)u = 0: with τ > 0 scores decay away from the labels, so that their sum
    /// says how far a node is from any (Miller and Calder, *Poisson reweighted Laplacian uncertainty
    /// sampling for graph-based active learning*, SIAM J. Math. Data Science 5, 2023).
    pub tau: f64,
    /// Whether weights are first raised near labels: wᵢⱼ becomes γᵢ wᵢⱼ γⱼ, where (D − W)γ is 1 at
    /// labelled nodes less the mean (the same source).
    pub reweighted: bool,
    /// Whether the mean of each class over the nodes is subtracted in the end. Far from few labels
    /// harmonic functions are almost constant; without the constant the differences decide.
    pub mean_shift: bool,
}

/// Laplace learning (Zhu, Ghahramani and Lafferty, *Semi-supervised learning using Gaussian fields
/// and harmonic functions*, ICML 2003).
///
/// (τ + D − W)u = 0 at unlabelled nodes, u = 1 for the own class and 0 for the others at labelled
/// ones. With τ = 0 and no shift the scores of a node are at least 0 and sum to 1: they are the
/// chances that a random walk meets a label of each class first.
///
/// # Errors
/// [`Error::Parameter`] for a τ or tolerance out of range; [`Error::TooFew`] for a labelled node that
/// the graph does not have.
pub fn laplace(
    graph: &Graph,
    seeds: &Seeds,
    variant: Laplace,
    precision: Precision,
) -> Result<Scores, Error> {
    precision.check()?;
    if !(variant.tau >= 0.0 && variant.tau.is_finite()) {
        let value = variant.tau.to_string();
        return Err(Error::Parameter { name: "tau", must: "at least 0", value });
    }
    let places = seeds.places(graph)?;
    let mut solved = Vec::new();
    let mut values = if variant.reweighted {
        let (factors, convergence) = poisson_weights(graph, &places, precision);
        solved.push(("the weights", convergence));
        harmonic(&graph.reweighted(&factors), seeds, &places, variant.tau, precision, &mut solved)
    } else {
        harmonic(graph, seeds, &places, variant.tau, precision, &mut solved)
    };
    if variant.mean_shift {
        subtract_means(graph, seeds, &places, &mut values);
    }
    Scores::new(graph, seeds, &values, solved)
}

/// The solution by place, labelled places included.
fn harmonic(
    graph: &Graph,
    seeds: &Seeds,
    places: &[(usize, usize)],
    tau: f64,
    precision: Precision,
    solved: &mut Vec<(&'static str, Convergence)>,
) -> Vec<f64> {
    let classes = seeds.classes();
    let fixed = labelled(graph, places);
    let lit = lit(graph, places);
    let mut values = vec![0.0; graph.nodes() * classes];
    for &(place, class) in places {
        for at in graph.row(place) {
            let other = graph.columns()[at] as usize;
            values[other * classes + class] += f64::from(graph.weights()[at]);
        }
    }
    let diagonal = graph.degrees().iter().map(|degree| degree + tau).collect();
    // Where no label is, the matrix may be singular.
    let system = System::new(graph, 1.0, diagonal, |place| fixed[place] || !lit[place]);
    solved.push(("the scores", system.solve(&mut values, classes, precision)));
    for &(place, class) in places {
        values[place * classes + class] = 1.0;
    }
    values
}

/// γ of the reweighting, from its smallest value in each component upwards.
fn poisson_weights(
    graph: &Graph,
    places: &[(usize, usize)],
    precision: Precision,
) -> (Vec<f64>, Convergence) {
    let mut gamma = vec![0.0; graph.nodes()];
    for &(place, _) in places {
        gamma[place] = 1.0;
    }
    for component in graph.component_places() {
        let part = &mut gamma[component];
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        for value in part {
            *value -= mean;
        }
    }
    let system = System::new(graph, 1.0, graph.degrees().to_vec(), |_| false);
    let convergence = system.solve(&mut gamma, 1, precision);
    for component in graph.component_places() {
        let part = &mut gamma[component];
        let least = part.iter().copied().fold(f64::INFINITY, f64::min);
        for value in part {
            *value += LEAST_POISSON_WEIGHT - least;
        }
    }
    (gamma, convergence)
}

/// Whether each place is in a component that has a label.
fn lit(graph: &Graph, places: &[(usize, usize)]) -> Vec<bool> {
    let mut lit = labelled(graph, places);
    for component in graph.component_places() {
        let any = lit[component.clone()].contains(&true);
        lit[component].fill(any);
    }
    lit
}

/// Subtracts the mean of each class over the nodes that labels reach.
fn subtract_means(graph: &Graph, seeds: &Seeds, places: &[(usize, usize)], values: &mut [f64]) {
    let (classes, lit) = (seeds.classes(), lit(graph, places));
    let reached = lit.iter().filter(|lit| **lit).count() as f64;
    let mut means = vec![0.0; classes];
    for (row, _) in values.chunks_exact(classes).zip(&lit).filter(|(_, lit)| **lit) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / reached;
        }
    }
    for row in values.chunks_exact_mut(classes) {
        for (value, mean) in row.iter_mut().zip(&means) {
            *value -= mean;
        }
    }
}
