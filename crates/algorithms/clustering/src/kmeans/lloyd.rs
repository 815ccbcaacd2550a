//! Lloyd's iteration.

use super::bounds::Tracker;
use super::means::Sums;
use super::{End, Round};
use scarce_numeric::{Error, Matrix, product::squared_distance};

/// Runs from `centroids: [k, d]` until no label changes, the squared shift of the centroids is at
/// most `tolerance`, or `max_iterations` rounds are done. `x: [n, d]` is finite, `n >= k`, and
/// `norms: [n]` are its squared lengths.
pub(super) fn run(
    x: Matrix<'_>,
    norms: &[f32],
    mut centroids: Vec<f32>,
    tolerance: f64,
    max_iterations: usize,
    observe: &mut dyn FnMut(Round),
) -> Result<(End, Tracker), Error> {
    let d = x.cols();
    let k = centroids.len() / d;
    let mut tracker = Tracker::new(x.rows(), Matrix::new(&centroids, k, d)?)?;
    let (mut shifts, mut sums) = (vec![0.0; k], Sums::new(k, d));
    let (mut iterations, mut converged) = (0, false);
    while iterations < max_iterations && !converged {
        iterations += 1;
        let changed = tracker.assign(x, norms, Matrix::new(&centroids, k, d)?, &shifts)?;
        observe(Round { restart: 0, iteration: iterations, changed });
        // The same labels give the same means: nothing can change any more.
        if changed == 0 {
            return Ok((End { centroids, iterations, converged: true }, tracker));
        }
        let next = sums.means(x, &tracker.labels, &centroids);
        let squared: Vec<f64> =
            next.chunks(d).zip(centroids.chunks(d)).map(|(a, b)| squared_distance(a, b)).collect();
        converged = squared.iter().sum::<f64>() <= tolerance;
        shifts = squared.into_iter().map(f64::sqrt).collect();
        centroids = next;
    }
    tracker.assign(x, norms, Matrix::new(&centroids, k, d)?, &shifts)?;
    Ok((End { centroids, iterations, converged }, tracker))
}
