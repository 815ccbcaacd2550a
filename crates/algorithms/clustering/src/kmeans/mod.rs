//! k-means clustering: all rows at a time ([`KMeans`]) or a batch at a time ([`MiniBatchKMeans`]).
//!
//! S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28 (1982);
//! D. Sculley, "Web-scale k-means clustering", WWW 2010; start by k-means++ (see [`Start`]).
//! Tolerances, empty and starved clusters are treated as scikit-learn's `KMeans` and
//! `MiniBatchKMeans` treat them, so results may be compared. Distances come from matrix products,
//! centroids from `f64` sums over the members in the order of the rows. [`KMeans`] skips the distances
//! that bounds make needless; its answers are those of measuring all of them.

mod bounds;
mod lloyd;
mod means;
mod minibatch;
mod start;

pub use minibatch::{MiniBatchKMeans, Step};

use self::bounds::Tracker;
use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::column_means,
    distance::{self, Nearest, nearest},
    nearest::{Targets, nearest_targets},
    product::{squared_distance, subtract},
};

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
/// use scarce_clustering::KMeans;
/// use scarce_numeric::Matrix;
/// let x = [0.0, 1.0, 10.0, 11.0];
/// let model = KMeans { seed: 3, restarts: 2, ..KMeans::new(2) };
/// let fitted = model.fit(Matrix::new(&x, 4, 1)?)?;
/// assert_eq!(fitted.inertia, 1.0);
/// # Ok::<(), scarce_numeric::Error>(())
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

/// Where one start ended.
struct End {
    /// `[k, d]`
    centroids: Vec<f32>,
    iterations: usize,
    converged: bool,
}

/// Clusters found by [`KMeans::fit`] or [`MiniBatchKMeans::fit`].
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
    /// Rounds of the start that was kept; steps, for mini-batches.
    pub iterations: usize,
    /// Whether it stopped by itself, before all the rounds or steps that it might take.
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
        let less = centred(x, &mean);
        let y = Matrix::new(&less, x.rows(), x.cols())?;
        let norms = distance::squared_norms(y)?;
        let tolerance = self.tolerance * norms.iter().copied().map(f64::from).sum::<f64>()
            / (x.rows() * x.cols()) as f64;

        let mut best: Option<FittedKMeans> = None;
        for restart in 0..self.start.tries(self.restarts) {
            let mut rng =
                scarce_numeric::random::stream(self.seed, "k-means start", restart as u64);
            let first = self.start.centroids(y, &norms, &mean, self.clusters, &mut rng)?;
            let (end, tracker) =
                lloyd::run(y, &norms, first, tolerance, self.max_iterations, &mut |round| {
                    observe(Round { restart, ..round });
                })?;
            let fitted = FittedKMeans::of(x, &mean, end, Some((tracker, &norms)))?;
            if best.as_ref().is_none_or(|b| fitted.inertia < b.inertia) {
                best = Some(fitted);
            }
        }
        best.ok_or(Error::NoConvergence { what: "k-means" })
    }

    fn check(&self, x: Matrix<'_>) -> Result<(), Error> {
        at_least_one("clusters", self.clusters)?;
        at_least_one("restarts", self.restarts)?;
        at_least_one("max_iterations", self.max_iterations)?;
        not_negative("tolerance", self.tolerance)?;
        self.start.check(self.clusters, x)?;
        x.check_finite()
    }
}

fn at_least_one(name: &'static str, value: usize) -> Result<(), Error> {
    match value {
        0 => Err(Error::Parameter { name, must: "at least 1", value: "0".into() }),
        _ => Ok(()),
    }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), Error> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { name, must: "0 or more", value: value.to_string() })
}

impl FittedKMeans {
    /// Where an iteration on `x` less its `mean` ended; labels, distances and inertia as
    /// [`FittedKMeans::predict`] would give them. `known` are the labels of that end with the squared
    /// lengths of the rows less the mean.
    fn of(
        x: Matrix<'_>,
        mean: &[f64],
        end: End,
        known: Option<(Tracker, &[f32])>,
    ) -> Result<Self, Error> {
        let (d, clusters) = (x.cols(), end.centroids.len() / x.cols());
        let centroids = added(Matrix::new(&end.centroids, clusters, d)?, mean);
        let targets = Matrix::new(&centroids, clusters, d)?;
        let (labels, squared) = if let Some((tracker, norms)) = known {
            let labels = unshifted(x, mean, targets, tracker, norms)?;
            let pairs = labels.par_iter().zip(x.data().par_chunks_exact(d));
            let measured = |(&label, row): (&u32, &[f32])| {
                squared_distance(row, targets.row(label as usize)) as f32
            };
            let squared: Vec<f32> = pairs.map(measured).collect();
            (labels, squared)
        } else {
            let Nearest { index, squared } = nearest_targets(x, &Targets::new(targets)?);
            (index, squared)
        };
        Ok(Self {
            clusters,
            cols: d,
            labels,
            distances: squared.iter().map(|d| d.sqrt()).collect(),
            inertia: squared.iter().copied().map(f64::from).sum(),
            iterations: end.iterations,
            converged: end.converged,
            centroids,
        })
    }

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
        distance::euclidean(x, self.centroids()?)
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

/// Labels by `centroids`, to which the mean was added again. That rounds: where it could change a
/// label, distances are measured once more.
fn unshifted(
    x: Matrix<'_>,
    mean: &[f64],
    centroids: Matrix<'_>,
    tracker: Tracker,
    norms: &[f32],
) -> Result<Vec<u32>, Error> {
    let longest = distance::squared_norms(centroids)?.into_iter().fold(0.0, f32::max).sqrt();
    let middle = mean.iter().map(|m| m * m).sum::<f64>().sqrt() as f32;
    let error = |row: usize| 4.0 * f32::EPSILON * (longest + middle + norms[row].sqrt());
    let doubtful = tracker.doubtful(error);
    let rows: Vec<f32> = doubtful.iter().flat_map(|&row| x.row(row as usize)).copied().collect();
    let found = nearest(Matrix::new(&rows, doubtful.len(), x.cols())?, centroids)?;
    let mut labels = tracker.labels;
    for (&row, label) in doubtful.iter().zip(found.index) {
        labels[row as usize] = label;
    }
    Ok(labels)
}

/// `x + mean`, row by row.
fn added(x: Matrix<'_>, mean: &[f64]) -> Vec<f32> {
    let mut out = x.data().to_vec();
    for row in out.chunks_exact_mut(x.cols()) {
        for (value, m) in row.iter_mut().zip(mean) {
            *value = (f64::from(*value) + m) as f32;
        }
    }
    out
}

/// `x - mean`, row by row.
fn centred(x: Matrix<'_>, mean: &[f64]) -> Vec<f32> {
    let mut out = vec![0.0; x.data().len()];
    let rows = out.par_chunks_exact_mut(x.cols()).zip(x.data().par_chunks_exact(x.cols()));
    rows.for_each(|(out, row)| subtract(row, mean, out));
    out
}

#[cfg(test)]
mod tests;
