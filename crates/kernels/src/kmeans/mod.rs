//! k-means clustering by Lloyd's algorithm.
//!
//! S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28 (1982); start
//! by k-means++ (see [`Start`]). Tolerance and empty clusters are treated as scikit-learn's
//! `KMeans` treats them, so results may be compared. Distances come from matrix products,
//! centroids from `f64` sums over the members in the order of the rows.

mod lloyd;
mod start;

use crate::blocks::column_means;
use crate::distance::{self, Nearest, nearest};
use crate::{Error, Matrix};
use rayon::prelude::*;

/// Where the first centroids come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Greedy k-means++ (Arthur and Vassilvitskii, SODA 2007): each centroid is the best of
    /// 2 + ⌊ln k⌋ rows drawn in proportion to their squared distance from those before.
    PlusPlus,
    /// Rows drawn at random without replacement.
    Random,
    /// These centroids, `[clusters, d]`.
    Given(Vec<f32>),
}

/// What k-means shall do.
///
/// ```
/// use scarce_kernels::{KMeans, Matrix};
/// let x = [0.0, 1.0, 10.0, 11.0];
/// let model = KMeans { seed: 3, restarts: 2, ..KMeans::new(2) };
/// let fitted = model.fit(Matrix::new(&x, 4, 1)?)?;
/// assert_eq!(fitted.inertia, 1.0);
/// # Ok::<(), scarce_kernels::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// Number of clusters.
    pub clusters: usize,
    /// Where the first centroids come from.
    pub start: Start,
    /// How many starts are tried; the one of least inertia is kept. Once if centroids are given.
    pub restarts: usize,
    /// Most rounds per start.
    pub max_iterations: usize,
    /// Stop when the squared shift of all centroids is at most this times the mean variance of
    /// the columns. With 0 it stops when no label changes.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
}

/// One round of one start, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Which start, from 0.
    pub restart: usize,
    /// Which round, from 1.
    pub iteration: usize,
    /// Rows whose label changed; all of them in the first round.
    pub changed: usize,
}

/// Clusters found by [`KMeans::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedKMeans {
    /// Number of clusters.
    pub clusters: usize,
    /// Numbers per row.
    pub cols: usize,
    /// Centroids, `[clusters, cols]`.
    pub centroids: Vec<f32>,
    /// Cluster of every row, `[n]`.
    pub labels: Vec<u32>,
    /// Euclidean distance of every row from its centroid, `[n]`.
    pub distances: Vec<f32>,
    /// Sum of the squared distances.
    pub inertia: f64,
    /// Rounds of the start that was kept.
    pub iterations: usize,
    /// Whether it stopped before `max_iterations`.
    pub converged: bool,
}

impl KMeans {
    /// k-means++, one start, at most 300 rounds, tolerance 10⁻⁴, seed 0.
    pub fn new(clusters: usize) -> Self {
        Self {
            clusters,
            start: Start::PlusPlus,
            restarts: 1,
            max_iterations: 300,
            tolerance: 1e-4,
            seed: 0,
        }
    }

    /// Clusters the rows of `x: [n, d]`.
    ///
    /// # Errors
    /// [`Error::TooFew`] if there are more clusters than rows; [`Error::Parameter`],
    /// [`Error::Length`] (given centroids), [`Error::NotFinite`], [`Error::Overflow`].
    pub fn fit(&self, x: Matrix<'_>) -> Result<FittedKMeans, Error> {
        self.fit_observed(x, &mut |_| {})
    }

    /// As [`KMeans::fit`]; calls `observe` after every round.
    ///
    /// # Errors
    /// As [`KMeans::fit`].
    pub fn fit_observed(
        &self,
        x: Matrix<'_>,
        observe: &mut dyn FnMut(Round),
    ) -> Result<FittedKMeans, Error> {
        self.check(x)?;
        // Around the mean, squared norms are smallest and so is the rounding of the distances.
        let mean = column_means(x);
        let centred = shifted(x, &mean, -1.0);
        let y = Matrix::new(&centred, x.rows(), x.cols())?;
        let norms = distance::squared_norms(y)?;
        let tolerance = self.tolerance * norms.iter().copied().map(f64::from).sum::<f64>()
            / (x.rows() * x.cols()) as f64;

        let mut best: Option<FittedKMeans> = None;
        for restart in 0..self.starts() {
            let first = self.first_centroids(y, &norms, &mean, restart)?;
            let end = lloyd::run(y, first, tolerance, self.max_iterations, &mut |round| {
                observe(Round { restart, ..round });
            });
            let centroids = Matrix::new(&end.centroids, self.clusters, x.cols())?;
            let centroids = shifted(centroids, &mean, 1.0);
            let fitted = self.finish(x, centroids, end.iterations, end.converged)?;
            if best.as_ref().is_none_or(|b| fitted.inertia < b.inertia) {
                best = Some(fitted);
            }
        }
        best.ok_or(Error::NoConvergence { what: "k-means" })
    }

    fn starts(&self) -> usize {
        match self.start {
            Start::Given(_) => 1,
            Start::PlusPlus | Start::Random => self.restarts,
        }
    }

    fn check(&self, x: Matrix<'_>) -> Result<(), Error> {
        let wrong = |name, must, value: String| Err(Error::Parameter { name, must, value });
        let k = self.clusters;
        if k == 0 {
            return wrong("clusters", "at least 1", k.to_string());
        }
        if self.restarts == 0 {
            return wrong("restarts", "at least 1", "0".into());
        }
        if self.max_iterations == 0 {
            return wrong("max_iterations", "at least 1", "0".into());
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return wrong("tolerance", "0 or more", self.tolerance.to_string());
        }
        if k > x.rows() {
            return Err(Error::TooFew { what: "clusters", wanted: k, available: x.rows() });
        }
        if let Start::Given(centroids) = &self.start {
            crate::error::check_length("given centroids", k * x.cols(), centroids.len())?;
            Matrix::new(centroids, k, x.cols())?.check_finite()?;
        }
        x.check_finite()
    }

    fn first_centroids(
        &self,
        y: Matrix<'_>,
        norms: &[f32],
        mean: &[f64],
        restart: usize,
    ) -> Result<Vec<f32>, Error> {
        let mut rng = crate::random::stream(self.seed, "k-means start", restart as u64);
        let rows = match &self.start {
            Start::Given(centroids) => {
                let given = Matrix::new(centroids, self.clusters, y.cols())?;
                return Ok(shifted(given, mean, -1.0));
            }
            Start::Random => crate::random::sample(y.rows(), self.clusters, &mut rng)?,
            Start::PlusPlus => start::plus_plus(y, norms, self.clusters, &mut rng),
        };
        Ok(rows.iter().flat_map(|&row| y.row(row)).copied().collect())
    }

    /// Labels, distances and inertia as [`FittedKMeans::predict`] would give them.
    fn finish(
        &self,
        x: Matrix<'_>,
        centroids: Vec<f32>,
        iterations: usize,
        converged: bool,
    ) -> Result<FittedKMeans, Error> {
        let found = nearest(x, Matrix::new(&centroids, self.clusters, x.cols())?)?;
        let inertia = found.squared.iter().copied().map(f64::from).sum();
        Ok(FittedKMeans {
            clusters: self.clusters,
            cols: x.cols(),
            centroids,
            labels: found.index,
            distances: found.squared.iter().map(|d| d.sqrt()).collect(),
            inertia,
            iterations,
            converged,
        })
    }
}

impl FittedKMeans {
    /// The centroids, `[clusters, cols]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the public fields were changed so that they disagree.
    pub fn centroids(&self) -> Result<Matrix<'_>, Error> {
        Matrix::new(&self.centroids, self.clusters, self.cols)
    }

    /// Cluster of every row of `x: [n, cols]` and its squared distance to the centroid.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`], [`Error::Overflow`].
    pub fn predict(&self, x: Matrix<'_>) -> Result<Nearest, Error> {
        nearest(x, self.centroids()?)
    }

    /// Euclidean distances of every row of `x: [n, cols]` to every centroid, `[n, clusters]`.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`], [`Error::Overflow`].
    pub fn transform(&self, x: Matrix<'_>) -> Result<Vec<f32>, Error> {
        let mut distances = distance::squared_euclidean(x, self.centroids()?)?;
        distances.par_iter_mut().for_each(|d| *d = d.sqrt());
        Ok(distances)
    }

    /// Number of rows in every cluster, `[clusters]`.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.clusters];
        for &label in &self.labels {
            sizes[label as usize] += 1;
        }
        sizes
    }
}

/// `x + sign * mean`, row by row.
fn shifted(x: Matrix<'_>, mean: &[f64], sign: f64) -> Vec<f32> {
    let mut out = x.data().to_vec();
    out.par_chunks_exact_mut(x.cols()).for_each(|row| {
        for (value, m) in row.iter_mut().zip(mean) {
            *value = (f64::from(*value) + sign * m) as f32;
        }
    });
    out
}

#[cfg(test)]
mod tests;
