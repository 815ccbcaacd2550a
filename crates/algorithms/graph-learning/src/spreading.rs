//! Label spreading on a sparse graph.

use super::{Graph, Precision, Scores, Seeds, solve::System};
use scarce_numeric::Error;

/// Label spreading (Zhou, Bousquet, Lal, Weston and Schölkopf, *Learning with local and global
/// consistency*, NIPS 2003), in closed form: F = (1 − α)(1 − αS)⁻¹Y with S = D^(−1/2) W D^(−1/2) and
/// Y 1 for the own class at labelled nodes, 0 elsewhere.
///
/// # Errors
/// [`Error::Parameter`] for an α or tolerance not between 0 and 1; [`Error::TooFew`] for a labelled
/// node that the graph does not have.
pub fn label_spreading(
    graph: &Graph,
    seeds: &Seeds,
    alpha: f64,
    precision: Precision,
) -> Result<Scores, Error> {
    precision.check()?;
    if !(alpha > 0.0 && alpha < 1.0) {
        let value = alpha.to_string();
        return Err(Error::Parameter { name: "alpha", must: "between 0 and 1", value });
    }
    let classes = seeds.classes();
    let roots: Vec<f64> = graph.degrees().iter().map(|degree| degree.sqrt()).collect();
    let places = seeds.places(graph)?;
    // F = D^(1/2) u with (D − αW)u = (1 − α) D^(1/2) Y.
    let mut values = vec![0.0; graph.nodes() * classes];
    for &(place, class) in &places {
        values[place * classes + class] = (1.0 - alpha) * roots[place];
    }
    let system = System::new(graph, alpha, graph.degrees().to_vec(), |_| false);
    let convergence = system.solve(&mut values, classes, precision);
    for (row, root) in values.chunks_exact_mut(classes).zip(&roots) {
        for value in row {
            *value *= root;
        }
    }
    for &(place, class) in places.iter().filter(|(place, _)| roots[*place] == 0.0) {
        values[place * classes + class] = 1.0 - alpha;
    }
    Scores::new(graph, seeds, &values, vec![("the scores", convergence)])
}
