//! Standardising: every feature to mean 0 and variance 1.

use scarce_artifact::{Embeddings, Reader, Split};

use crate::Error;

/// Shift and scale of every feature.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaling {
    /// `[d]`.
    pub(crate) mean: Vec<f32>,
    /// Standard deviation, 1 where a feature does not vary: `[d]`.
    pub(crate) deviation: Vec<f32>,
}

impl Scaling {
    /// Means and deviations (divisor n) over the images that are not in the test split, labelled or
    /// not, in two passes.
    pub(crate) fn of(features: &Reader<Embeddings>) -> Result<Self, Error> {
        let width = features.width()?;
        let mean = column_means(features, width, |_, value| value)?;
        let variance =
            column_means(features, width, |column, value| (value - mean[column]).powi(2))?;
        let deviation = |variance: &f64| {
            let deviation = variance.sqrt() as f32;
            if deviation > 0.0 { deviation } else { 1.0 }
        };
        Ok(Self {
            mean: mean.iter().map(|&mean| mean as f32).collect(),
            deviation: variance.iter().map(deviation).collect(),
        })
    }

    /// The rows of `x: [n, d]` standardised.
    pub(crate) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let columns = || self.mean.iter().zip(&self.deviation);
        x.chunks_exact(self.mean.len().max(1))
            .flat_map(|row| row.iter().zip(columns()).map(|(v, (mean, by))| (v - mean) / by))
            .collect()
    }
}

/// The mean of `term(column, value)` in every column, over the rows that are not of the test split.
fn column_means(
    features: &Reader<Embeddings>,
    width: usize,
    term: impl Fn(usize, f64) -> f64,
) -> Result<Vec<f64>, Error> {
    let mut sums = vec![0.0; width];
    let mut rows = 0_usize;
    for batch in features.stream()? {
        let batch = batch?;
        for (row, split) in batch.embedding.iter_rows().zip(&batch.split) {
            if *split == Split::Test {
                continue;
            }
            rows += 1;
            for (column, (sum, &value)) in sums.iter_mut().zip(row).enumerate() {
                *sum += term(column, f64::from(value));
            }
        }
    }
    Ok(sums.into_iter().map(|sum| sum / rows.max(1) as f64).collect())
}
