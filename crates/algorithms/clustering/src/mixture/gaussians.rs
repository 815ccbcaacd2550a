//! The two steps: what the components say of the rows, and the rows of the components.

use rayon::prelude::*;

use super::{Covariance, cholesky::inverse_root};
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ordered_sum},
    product::{add_a_b, add_at_b},
};

/// Weighted Gaussian distributions.
pub(super) struct Gaussians {
    covariance: Covariance,
    /// `[k]`
    pub(super) weights: Vec<f64>,
    /// `[k, d]`
    pub(super) means: Vec<f64>,
    /// `[k, d, d]` or `[k, d]`
    pub(super) covariances: Vec<f64>,
    /// Of each component what turns differences from its mean into standard normal numbers:
    /// P with `PPᵀ` the inverse of the covariance, `[d, d]`, or 1/σ, `[d]`.
    roots: Vec<Vec<f64>>,
    /// ln weight + ln det P − d/2 ln 2π, `[k]`.
    offsets: Vec<f64>,
}

/// What the components say of the rows.
pub(super) struct Expected {
    /// Probability of every component, `[n, k]`.
    pub(super) shares: Vec<f64>,
    /// The likeliest, `[n]`.
    pub(super) labels: Vec<u32>,
    /// Its probability, `[n]`.
    pub(super) probabilities: Vec<f32>,
    /// The mean over the rows.
    pub(super) log_likelihood: f64,
}

impl Gaussians {
    /// The likeliest components if rows of `x: [n, d]` belong to them by these `shares: [n, k]`.
    pub(super) fn fit(
        x: Matrix<'_>,
        shares: &[f64],
        components: usize,
        covariance: Covariance,
        regularisation: f64,
    ) -> Result<Self, Error> {
        let (n, d, k) = (x.rows(), x.cols(), components);
        // Sums of the shares, then of the rows times the shares.
        let mut sums = ordered_sum(n, k * (d + 1), |range, sum| {
            let shares = &shares[range.start * k..range.end * k];
            let (counts, totals) = sum.split_at_mut(k);
            for row in shares.chunks_exact(k) {
                for (count, share) in counts.iter_mut().zip(row) {
                    *count += share;
                }
            }
            add_at_b(shares, &wide(x.block(range)), shares.len() / k, 1.0, totals);
        });
        let mut means = sums.split_off(k);
        // As scikit-learn: a component without rows divides by no 0.
        let counts: Vec<f64> = sums.iter().map(|count| count + 10.0 * f64::EPSILON).collect();
        for (mean, count) in means.chunks_exact_mut(d).zip(&counts) {
            for value in mean.iter_mut() {
                *value /= count;
            }
        }
        let mut covariances = Vec::new();
        for (component, mean) in means.chunks_exact(d).enumerate() {
            let share = |row: usize| shares[row * k + component];
            let mut own = scatter(x, mean, share, covariance);
            for value in &mut own {
                *value /= counts[component];
            }
            let step = if covariance == Covariance::Full { d + 1 } else { 1 };
            own.iter_mut().step_by(step).for_each(|value| *value += regularisation);
            covariances.extend(own);
        }
        let total: f64 = counts.iter().sum();
        let weights: Vec<f64> = counts.iter().map(|count| count / total).collect();
        let roots = roots(&covariances, d, covariance)?;
        let offset = |(root, weight): (&Vec<f64>, &f64)| {
            let step = if covariance == Covariance::Full { d + 1 } else { 1 };
            let determinant: f64 = root.iter().step_by(step).map(|value| value.ln()).sum();
            weight.ln() + determinant - d as f64 / 2.0 * (2.0 * std::f64::consts::PI).ln()
        };
        let offsets = roots.iter().zip(&weights).map(offset).collect();
        Ok(Self { covariance, weights, means, covariances, roots, offsets })
    }

    /// How probable each component is for every row of `x: [n, d]`.
    pub(super) fn expect(&self, x: Matrix<'_>) -> Result<Expected, Error> {
        let (n, d, k) = (x.rows(), x.cols(), self.weights.len());
        let mut shares = vec![0.0; n * k];
        let (mut labels, mut probabilities) = (vec![0; n], vec![0.0; n]);
        let chunks = shares.par_chunks_mut(ROW_BLOCK * k).zip(x.data().par_chunks(ROW_BLOCK * d));
        let answers = labels.par_chunks_mut(ROW_BLOCK).zip(probabilities.par_chunks_mut(ROW_BLOCK));
        let parts: Vec<f64> = chunks
            .zip(answers)
            .map(|((shares, rows), (labels, probabilities))| {
                self.log_densities(rows, shares);
                let mut sum = 0.0;
                let answers = labels.iter_mut().zip(probabilities);
                for (row, (label, probability)) in shares.chunks_exact_mut(k).zip(answers) {
                    let (best, likelihood) = soften(row);
                    (*label, *probability) = (best as u32, row[best] as f32);
                    sum += likelihood;
                }
                sum
            })
            .collect();
        let log_likelihood = parts.iter().sum::<f64>() / n as f64;
        if !log_likelihood.is_finite() {
            return Err(Error::NoConvergence { what: "mixture" });
        }
        Ok(Expected { shares, labels, probabilities, log_likelihood })
    }

    /// Logarithms of weight times density, `out: [m, k]`, of one block of rows `[m, d]`.
    fn log_densities(&self, rows: &[f32], out: &mut [f64]) {
        let (k, d) = (self.weights.len(), self.means.len() / self.weights.len());
        let mut standard = vec![0.0; rows.len()];
        for (component, mean) in self.means.chunks_exact(d).enumerate() {
            let root = &self.roots[component];
            let mut off = differences(rows, mean);
            match self.covariance {
                Covariance::Full => {
                    standard.fill(0.0);
                    add_a_b(&off, root, d, 1.0, &mut standard);
                }
                Covariance::Diagonal => {
                    for row in off.chunks_exact_mut(d) {
                        row.iter_mut().zip(root).for_each(|(value, root)| *value *= root);
                    }
                    std::mem::swap(&mut off, &mut standard);
                }
            }
            for (row, out) in standard.chunks_exact(d).zip(out.chunks_exact_mut(k)) {
                let square: f64 = row.iter().map(|value| value * value).sum();
                out[component] = self.offsets[component] - square / 2.0;
            }
        }
    }
}

/// Turns logarithms into shares of 1; the largest of them, the first of equals, and the logarithm
/// of the sum.
fn soften(row: &mut [f64]) -> (usize, f64) {
    let mut best = 0;
    for (at, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = at;
        }
    }
    let largest = row[best];
    for value in row.iter_mut() {
        *value = (*value - largest).exp();
    }
    let sum: f64 = row.iter().sum();
    for value in row.iter_mut() {
        *value /= sum;
    }
    (best, largest + sum.ln())
}

/// The rows in `f64`.
fn wide(x: Matrix<'_>) -> Vec<f64> {
    x.data().iter().copied().map(f64::from).collect()
}

/// The rows less `mean: [d]`, `[m, d]`.
fn differences(rows: &[f32], mean: &[f64]) -> Vec<f64> {
    let rows = rows.chunks_exact(mean.len());
    rows.flat_map(|row| row.iter().zip(mean).map(|(&v, mean)| f64::from(v) - mean)).collect()
}

/// Sums of the shares times the products of the differences from the mean: all, `[d, d]`, or the
/// squares, `[d]`.
fn scatter(
    x: Matrix<'_>,
    mean: &[f64],
    share: impl Fn(usize) -> f64 + Sync,
    covariance: Covariance,
) -> Vec<f64> {
    let d = x.cols();
    match covariance {
        Covariance::Full => ordered_sum(x.rows(), d * d, |range, sum| {
            let off = differences(x.block(range.clone()).data(), mean);
            let mut weighed = off.clone();
            for (row, at) in weighed.chunks_exact_mut(d).zip(range) {
                let share = share(at);
                for value in row.iter_mut() {
                    *value *= share;
                }
            }
            add_at_b(&weighed, &off, off.len() / d, 1.0, sum);
        }),
        Covariance::Diagonal => ordered_sum(x.rows(), d, |range, sum| {
            let off = differences(x.block(range.clone()).data(), mean);
            for (row, at) in off.chunks_exact(d).zip(range) {
                let share = share(at);
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += share * value * value;
                }
            }
        }),
    }
}

/// What undoes each covariance.
fn roots(covariances: &[f64], d: usize, covariance: Covariance) -> Result<Vec<Vec<f64>>, Error> {
    let root = |(component, own): (usize, &[f64])| {
        let found = match covariance {
            Covariance::Full => inverse_root(own, d),
            Covariance::Diagonal => {
                let positive = own.iter().all(|&value| value > 0.0 && value.is_finite());
                positive.then(|| own.iter().map(|value| 1.0 / value.sqrt()).collect())
            }
        };
        found.ok_or(Error::Singular { component })
    };
    let length = if covariance == Covariance::Full { d * d } else { d };
    covariances.par_chunks_exact(length).enumerate().map(root).collect()
}
