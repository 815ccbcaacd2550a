//! Small graphs: all eigenvectors of a dense matrix.

use super::super::{Convergence, Graph};
use super::{Components, Eigen};
use scarce_numeric::{Error, eigen::eigen};

/// The `count` largest eigenvalues whose eigenvectors are not known.
pub(super) fn solve(graph: &Graph, components: &Components, count: usize) -> Result<Eigen, Error> {
    let n = graph.nodes();
    let inverse = components.inverse_roots();
    let mut matrix = vec![0.0; n * n];
    for place in 0..n {
        for at in graph.row(place) {
            let other = graph.columns()[at] as usize;
            matrix[place * n + other] =
                inverse[place] * f64::from(graph.weights()[at]) * inverse[other];
        }
    }
    // What is known goes from the eigenvalue 1 (0, for a place without edges) below all others.
    for number in 0..components.len() {
        let mut vector = vec![0.0; n];
        components.known(number, |place, value| vector[place] = value);
        for (row, a) in matrix.chunks_exact_mut(n).zip(&vector) {
            for (entry, b) in row.iter_mut().zip(&vector) {
                *entry -= 3.0 * a * b;
            }
        }
    }
    let (values, columns) = eigen(&matrix, n)?;
    // Upwards.
    let chosen: Vec<usize> = (n - count..n).rev().collect();
    let row = |place: usize| chosen.iter().map(|&at| columns[(place, at)]).collect::<Vec<_>>();
    Ok(Eigen {
        values: chosen.iter().map(|&at| values[at]).collect(),
        vectors: (0..n).flat_map(row).collect(),
        convergence: Convergence { iterations: 0, residual: 0.0, converged: true },
    })
}
