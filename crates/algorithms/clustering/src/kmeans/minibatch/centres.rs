//! Centroids that take in one batch after another.

use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    members::Members,
    nearest::{Targets, nearest_targets},
    product::add,
    random::{self, Stream},
};

/// What a step did.
pub(super) struct Moved {
    /// Sum of the squared distances of the batch to the centroids before they moved.
    pub(super) inertia: f64,
    /// Sum of the squared distances that the centroids moved.
    pub(super) shift: f64,
}

/// Centroids on their way.
pub(super) struct Centres {
    /// Rows that each centroid is the mean of, `[k]`.
    pub(super) counts: Vec<u64>,
    /// Centroids, `[k, d]`.
    wide: Vec<f64>,
    /// The same, rounded.
    pub(super) narrow: Vec<f32>,
    cols: usize,
}

impl Centres {
    pub(super) fn new(centroids: Vec<f32>, cols: usize) -> Self {
        let wide = centroids.iter().copied().map(f64::from).collect();
        Self { counts: vec![0; centroids.len() / cols], wide, narrow: centroids, cols }
    }

    /// Takes in a batch; then, if a ratio and a stream are given, puts starved centroids elsewhere.
    pub(super) fn step(
        &mut self,
        batch: Matrix<'_>,
        starved: Option<(f64, &mut Stream)>,
    ) -> Result<Moved, Error> {
        let d = self.cols;
        let targets = Targets::new(Matrix::new(&self.narrow, self.counts.len(), d)?)?;
        let found = nearest_targets(batch, &targets);
        let mut shift = self.take_in(batch, &found.index);
        if let Some((ratio, rng)) = starved {
            shift += self.reassign(batch, ratio, rng)?;
        }
        Ok(Moved { inertia: found.squared.into_iter().map(f64::from).sum(), shift })
    }

    /// Makes every centroid the mean of its old rows and its new ones; returns the sum of the squared
    /// distances that they moved.
    fn take_in(&mut self, batch: Matrix<'_>, labels: &[u32]) -> f64 {
        let (k, d) = (self.counts.len(), self.cols);
        let members = Members::new(labels, k);
        let centroids = self.wide.par_chunks_exact_mut(d).zip(self.narrow.par_chunks_exact_mut(d));
        let moved: Vec<f64> = centroids
            .zip(&mut self.counts)
            .enumerate()
            .map(|(cluster, ((wide, narrow), count))| {
                let new = members.of(cluster);
                if new.is_empty() {
                    return 0.0;
                }
                let old = *count as f64;
                *count += new.len() as u64;
                let total = *count as f64;
                for value in wide.iter_mut() {
                    *value *= old;
                }
                for &row in new {
                    add(wide, batch.row(row as usize), 1.0);
                }
                for value in wide.iter_mut() {
                    *value /= total;
                }
                round(wide, narrow)
            })
            .collect();
        moved.into_iter().sum()
    }

    /// Puts centroids with fewer rows than `ratio` times those of the largest on random rows of the
    /// batch, at most on half of them; they count as many rows as the smallest of the others, so
    /// that they are not starved again at once. Returns the sum of the squared distances.
    fn reassign(&mut self, batch: Matrix<'_>, ratio: f64, rng: &mut Stream) -> Result<f64, Error> {
        let most = self.counts.iter().copied().max().unwrap_or(0) as f64;
        let is_starved = |&cluster: &usize| (self.counts[cluster] as f64) < ratio * most;
        let mut starved: Vec<usize> = (0..self.counts.len()).filter(is_starved).collect();
        starved.sort_by_key(|&cluster| self.counts[cluster]);
        starved.truncate(batch.rows() / 2);
        starved.sort_unstable();
        let others =
            (0..self.counts.len()).filter(|cluster| starved.binary_search(cluster).is_err());
        let least = others.map(|cluster| self.counts[cluster]).min().unwrap_or(0);
        let rows = random::sample(batch.rows(), starved.len(), rng)?;
        let mut shift = 0.0;
        for (cluster, row) in starved.into_iter().zip(rows) {
            let range = cluster * self.cols..(cluster + 1) * self.cols;
            for (value, &new) in self.wide[range.clone()].iter_mut().zip(batch.row(row)) {
                *value = f64::from(new);
            }
            shift += round(&self.wide[range.clone()], &mut self.narrow[range]);
            self.counts[cluster] = least;
        }
        Ok(shift)
    }
}

/// Rounds a centroid; the squared distance from where it was.
fn round(wide: &[f64], narrow: &mut [f32]) -> f64 {
    wide.iter().zip(narrow).fold(0.0, |sum, (&value, narrow)| {
        let before = std::mem::replace(narrow, value as f32);
        let moved = f64::from(*narrow) - f64::from(before);
        sum + moved * moved
    })
}
