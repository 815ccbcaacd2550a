//! Lloyd's iteration.

use super::means::means;
use super::{End, Round};
use crate::distance::{Targets, nearest_index};
use crate::product::squared_distance;
use crate::{Error, Matrix};

/// Runs from `centroids: [k, d]` until no label changes, the squared shift of the centroids is at
/// most `tolerance`, or `max_iterations` rounds are done. `x: [n, d]` is finite, `n >= k`.
pub(super) fn run(
    x: Matrix<'_>,
    mut centroids: Vec<f32>,
    tolerance: f64,
    max_iterations: usize,
    observe: &mut dyn FnMut(Round),
) -> Result<End, Error> {
    let d = x.cols();
    let mut labels: Vec<u32> = Vec::new();
    for iteration in 1..=max_iterations {
        let rows = Matrix::new(&centroids, centroids.len() / d, d)?;
        let new_labels = nearest_index(x, &Targets::new(rows)?);
        let pairs = labels.iter().zip(&new_labels);
        let changed = match labels.len() {
            0 => new_labels.len(),
            _ => pairs.filter(|(old, new)| old != new).count(),
        };
        observe(Round { restart: 0, iteration, changed });
        labels = new_labels;
        // The same labels give the same means: nothing can change any more.
        let fixed = changed == 0;
        let moved = if fixed {
            0.0
        } else {
            let next = means(x, &labels, &centroids);
            let shift = next.chunks(d).zip(centroids.chunks(d));
            let shift = shift.map(|(a, b)| squared_distance(a, b)).sum();
            centroids = next;
            shift
        };
        if fixed || moved <= tolerance {
            return Ok(End { centroids, iterations: iteration, converged: true });
        }
    }
    Ok(End { centroids, iterations: max_iterations, converged: false })
}
