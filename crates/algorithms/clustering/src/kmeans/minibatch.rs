//! k-means by small batches.

mod centres;

use self::centres::Centres;
use super::{End, FittedKMeans, Start, added, at_least_one, lloyd, not_negative};
use rand::RngExt;
use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::{column_means, ordered_sum},
    distance::{nearest, squared_norms},
    product::subtract,
    random,
};

/// What mini-batch k-means shall do: each step draws a batch of rows, gives every row to its
/// nearest centroid, and moves the centroids to the mean of all rows ever given to them (D. Sculley,
/// "Web-scale k-means clustering", WWW 2010). Rounds over all rows follow: batches come near the end
/// fast, but their noise hides the last steps, which rounds then find in one or two.
///
/// ```
/// use scarce_clustering::kmeans::MiniBatchKMeans;
/// use scarce_numeric::Matrix;
/// let x: Vec<f32> = (0..200).map(|i| (i % 2 * 100 + i / 100) as f32).collect();
/// let fitted = MiniBatchKMeans { batch: 32, ..MiniBatchKMeans::new(2) }.fit(Matrix::new(&x, 200, 1)?)?;
/// assert_eq!(fitted.sizes(), [100, 100]);
/// # Ok::<(), scarce_numeric::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MiniBatchKMeans {
    /// Number of clusters.
    pub clusters: usize,
    /// Where the first centroids come from: a sample of three batches, or of three rows per cluster
    /// if three batches have fewer rows than there are clusters.
    pub start: Start,
    /// How many starts are tried; the one of least inertia on a sample of that size is kept. Once
    /// if centroids are given.
    pub restarts: usize,
    /// Rows per step, drawn with replacement; all rows if there are fewer.
    pub batch: usize,
    /// Most passes: at most ⌊n · `max_passes` / `batch`⌋ steps.
    pub max_passes: usize,
    /// Stop when the smoothed inertia of the batches has not fallen below its least value for so
    /// many steps. It is an exponential average whose weights reach back over about n rows, or half as
    /// many if rounds over all rows follow, which need no finished start. With `None` the inertia ends
    /// nothing.
    pub max_no_improvement: Option<usize>,
    /// Rounds of Lloyd's iteration over all rows after the last step; fewer if no label changes. With 0
    /// the centroids stay where the batches left them.
    pub final_rounds: usize,
    /// A centroid with fewer rows than this share of the rows of the largest is starved: from time
    /// to time it is put on a random row of the batch. From 0 (never) to 1.
    pub reassignment_ratio: f64,
    /// Stop when the squared shift of all centroids in a step is at most this times the mean
    /// variance of the columns. With 0 the shift ends nothing.
    pub tolerance: f64,
    /// Seed of the starts, the batches and the reassignments.
    pub seed: u64,
}

/// One step, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Which step, from 1.
    pub step: usize,
    /// Most steps that there can be.
    pub steps: usize,
    /// Mean squared distance of the batch to the centroids before they moved.
    pub inertia: f64,
}

impl MiniBatchKMeans {
    /// k-means++, one start, batches of 1,024, at most 100 passes, 2 steps without improvement, 2
    /// final rounds, reassignment below 0.01, tolerance 0, seed 0.
    pub fn new(clusters: usize) -> Self {
        Self {
            clusters,
            start: Start::PlusPlus,
            restarts: 1,
            batch: 1024,
            max_passes: 100,
            max_no_improvement: Some(2),
            final_rounds: 2,
            reassignment_ratio: 0.01,
            tolerance: 0.0,
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

    /// As [`MiniBatchKMeans::fit`]; calls `observe` after every step.
    ///
    /// # Errors
    /// As [`MiniBatchKMeans::fit`].
    pub fn fit_observed(
        &self,
        x: Matrix<'_>,
        observe: &mut dyn FnMut(Step),
    ) -> Result<FittedKMeans, Error> {
        let norms = self.check(x)?;
        let batch = self.batch.min(x.rows());
        let data = Centred { x, mean: self.middle(x, batch)? };
        let mut centres = Centres::new(self.first_centroids(&data, batch)?, x.cols());
        let tolerance =
            if self.tolerance > 0.0 { self.tolerance * data.mean_variance() } else { 0.0 };
        let reach = if self.final_rounds == 0 { x.rows() } else { x.rows().div_ceil(2) };
        let mut trend = Trend::new(self.max_no_improvement, batch, reach);
        let steps = (self.max_passes.saturating_mul(x.rows()) / batch).max(1);
        let mut since_reassignment = 0;
        let (mut end, mut rows) = ((steps, false), Vec::new());
        for step in 1..=steps {
            data.gather(&self.draw(x.rows(), batch, step), &mut rows);
            since_reassignment += batch;
            let due = centres.counts.contains(&0)
                || since_reassignment >= self.clusters.saturating_mul(10);
            if due {
                since_reassignment = 0;
            }
            let mut rng = random::stream(self.seed, "mini-batch k-means starved", step as u64);
            let ratio = self.reassignment_ratio;
            let starved = due.then_some((ratio, &mut rng));
            let moved = centres.step(Matrix::new(&rows, batch, x.cols())?, starved)?;
            let inertia = moved.inertia / batch as f64;
            observe(Step { step, steps, inertia });
            // The first inertia is that of the start.
            let still = tolerance > 0.0 && moved.shift <= tolerance;
            if step > 1 && (trend.exhausted(inertia) || still) {
                end = (step, true);
                break;
            }
        }
        let (iterations, converged) = end;
        if self.final_rounds == 0 {
            let centroids = centres.narrow;
            return FittedKMeans::of(x, &data.mean, End { centroids, iterations, converged }, None);
        }
        // Rows as they are: all of them less the mean would take their memory once more.
        let centroids = Matrix::new(&centres.narrow, self.clusters, x.cols())?;
        let (end, tracker) = lloyd::run(
            x,
            &norms,
            added(centroids, &data.mean),
            0.0,
            self.final_rounds,
            &mut |_| {},
        )?;
        let end = End { iterations, converged, ..end };
        FittedKMeans::of(x, &vec![0.0; x.cols()], end, Some((tracker, &norms)))
    }

    /// Checks everything; the squared lengths of the rows.
    fn check(&self, x: Matrix<'_>) -> Result<Vec<f32>, Error> {
        at_least_one("clusters", self.clusters)?;
        at_least_one("restarts", self.restarts)?;
        at_least_one("batch", self.batch)?;
        at_least_one("max_passes", self.max_passes)?;
        not_negative("tolerance", self.tolerance)?;
        if !(0.0..=1.0).contains(&self.reassignment_ratio) {
            let (name, must) = ("reassignment_ratio", "from 0 to 1");
            return Err(Error::Parameter {
                name,
                must,
                value: self.reassignment_ratio.to_string(),
            });
        }
        self.start.check(self.clusters, x)?;
        squared_norms(x)
    }

    /// The mean of some rows, which is near enough to that of all.
    fn middle(&self, x: Matrix<'_>, batch: usize) -> Result<Vec<f64>, Error> {
        let mut rng = random::stream(self.seed, "mini-batch k-means middle", 0);
        let drawn = random::sample(x.rows(), batch, &mut rng)?;
        let rows: Vec<f32> = drawn.iter().flat_map(|&row| x.row(row)).copied().collect();
        Ok(column_means(Matrix::new(&rows, batch, x.cols())?))
    }

    /// The rows of a step.
    fn draw(&self, n: usize, batch: usize, step: usize) -> Vec<usize> {
        let mut rng = random::stream(self.seed, "mini-batch k-means batch", step as u64);
        (0..batch).map(|_| rng.random_range(0..n)).collect()
    }

    /// The best of all starts, `[clusters, d]`, less the mean.
    fn first_centroids(&self, data: &Centred<'_>, batch: usize) -> Result<Vec<f32>, Error> {
        let (n, d) = (data.x.rows(), data.x.cols());
        let size = if 3 * batch < self.clusters { 3 * self.clusters } else { 3 * batch };
        let size = size.min(n);
        let sample = |purpose, item| -> Result<Vec<f32>, Error> {
            let mut rng = random::stream(self.seed, purpose, item);
            let mut rows = Vec::new();
            data.gather(&random::sample(n, size, &mut rng)?, &mut rows);
            Ok(rows)
        };
        let tries = self.start.tries(self.restarts);
        let held_out = if tries > 1 { sample("mini-batch k-means held out", 0)? } else { vec![] };
        let mut best = (f64::INFINITY, Vec::new());
        for attempt in 0..tries as u64 {
            let rows = sample("mini-batch k-means sample", attempt)?;
            let rows = Matrix::new(&rows, size, d)?;
            let mut rng = random::stream(self.seed, "mini-batch k-means start", attempt);
            let norms = squared_norms(rows)?;
            let (k, mean) = (self.clusters, &data.mean);
            let centroids = self.start.centroids(rows, &norms, mean, k, &mut rng)?;
            if tries == 1 {
                return Ok(centroids);
            }
            let found = nearest(Matrix::new(&held_out, size, d)?, Matrix::new(&centroids, k, d)?)?;
            let inertia = found.squared.iter().copied().map(f64::from).sum();
            if attempt == 0 || inertia < best.0 {
                best = (inertia, centroids);
            }
        }
        Ok(best.1)
    }
}

/// Rows seen around a point amid them, where norms are smallest and so is the rounding of distances.
struct Centred<'a> {
    x: Matrix<'a>,
    mean: Vec<f64>,
}

impl Centred<'_> {
    /// Sets `out` to some rows, less the mean.
    fn gather(&self, rows: &[usize], out: &mut Vec<f32>) {
        let d = self.x.cols();
        out.resize(rows.len() * d, 0.0);
        out.par_chunks_exact_mut(d).zip(rows).for_each(|(out, &row)| {
            subtract(self.x.row(row), &self.mean, out);
        });
    }

    /// The mean of the columns' variances (divisor n).
    fn mean_variance(&self) -> f64 {
        let means = column_means(self.x);
        let squares = ordered_sum(self.x.rows(), 1, |range, sum| {
            for row in self.x.block(range).iter_rows() {
                for (&value, mean) in row.iter().zip(&means) {
                    sum[0] += (f64::from(value) - mean).powi(2);
                }
            }
        });
        squares[0] / self.x.data().len() as f64
    }
}

/// The smoothed inertia of the batches.
struct Trend {
    patience: Option<usize>,
    /// Weight of the newest batch.
    weight: f64,
    average: Option<f64>,
    least: f64,
    /// Steps since `least` was reached.
    without: usize,
}

impl Trend {
    /// An average that reaches back over about `reach` rows.
    fn new(patience: Option<usize>, batch: usize, reach: usize) -> Self {
        let weight = (2.0 * batch as f64 / (reach + 1) as f64).min(1.0);
        Self { patience, weight, average: None, least: f64::INFINITY, without: 0 }
    }

    /// Takes in the inertia of a step; whether it has not improved for too long.
    fn exhausted(&mut self, inertia: f64) -> bool {
        let average = self.average.map_or(inertia, |old| old + self.weight * (inertia - old));
        self.average = Some(average);
        if average < self.least {
            (self.least, self.without) = (average, 0);
        } else {
            self.without += 1;
        }
        self.patience.is_some_and(|patience| self.without >= patience)
    }
}

#[cfg(test)]
mod tests;
