//! Mixtures of Gaussian distributions, fitted by expectation and maximisation.
//!
//! A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data via the EM
//! algorithm", J. Royal Statistical Society B 39 (1977). Start, stopping rule and regularisation
//! are those of scikit-learn's `GaussianMixture`, so results may be compared. Everything is summed
//! in `f64`, over blocks of rows in their order.

mod cholesky;
mod gaussians;

use crate::KMeans;
use gaussians::{Expected, Gaussians};
use scarce_numeric::{
    Error, Matrix, distance::Nearest, error::check_labels, product::squared_distance,
};

/// The shape of every component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariance {
    /// An ellipsoid that may lie anyhow: `d (d + 1) / 2` numbers.
    Full,
    /// An ellipsoid along the axes: `d` numbers.
    Diagonal,
}

/// Where the first responsibilities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MixtureStart {
    /// Clusters found by k-means, with one start of its own for every start here.
    KMeans,
    /// The component of every row, `[n]`.
    Given(Vec<u32>),
}

/// What a mixture of Gaussians shall be.
///
/// ```
/// use scarce_clustering::GaussianMixture;
/// use scarce_numeric::Matrix;
/// let x = [0.0, 1.0, 0.5, 10.0, 11.0, 10.5];
/// let fitted = GaussianMixture::new(2).fit(Matrix::new(&x, 6, 1)?)?;
/// assert!((fitted.weights[0] - 0.5).abs() < 1e-6);
/// assert_ne!(fitted.labels[0], fitted.labels[5]);
/// # Ok::<(), scarce_numeric::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    /// Number of components.
    pub components: usize,
    /// The shape of every component.
    pub covariance: Covariance,
    /// Where the first responsibilities come from.
    pub start: MixtureStart,
    /// How many starts are tried; the likeliest end is kept. Once if the start is given.
    pub restarts: usize,
    /// Most rounds per start.
    pub max_iterations: usize,
    /// Stop when the mean log-likelihood of a row changes by less than this in a round.
    pub tolerance: f64,
    /// Added to every variance, at least 0: keeps components from collapsing onto a few rows.
    pub regularisation: f64,
    /// Seed of the starts.
    pub seed: u64,
}

/// One round of one start, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixtureRound {
    /// Which start, from 0.
    pub restart: usize,
    /// Which round, from 1.
    pub iteration: usize,
    /// Mean log-likelihood of a row before the components moved.
    pub log_likelihood: f64,
}

/// A mixture found by [`GaussianMixture::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMixture {
    /// Number of components.
    pub components: usize,
    /// Numbers per row.
    pub cols: usize,
    /// Share of each component, `[components]`.
    pub weights: Vec<f64>,
    /// Means, `[components, cols]`.
    pub means: Vec<f64>,
    /// Covariance matrices, `[components, cols, cols]`, or variances, `[components, cols]`.
    pub covariances: Vec<f64>,
    /// The likeliest component of every row, the first of equals, `[n]`.
    pub labels: Vec<u32>,
    /// Its probability, `[n]`.
    pub probabilities: Vec<f32>,
    /// Mean log-likelihood of a row.
    pub log_likelihood: f64,
    /// Rounds of the start that was kept.
    pub iterations: usize,
    /// Whether it stopped by itself.
    pub converged: bool,
}

impl GaussianMixture {
    /// Full covariances, one start by k-means, at most 100 rounds, tolerance 10⁻³, regularisation
    /// 10⁻⁶, seed 0.
    pub fn new(components: usize) -> Self {
        Self {
            components,
            covariance: Covariance::Full,
            start: MixtureStart::KMeans,
            restarts: 1,
            max_iterations: 100,
            tolerance: 1e-3,
            regularisation: 1e-6,
            seed: 0,
        }
    }

    /// Fits the rows of `x: [n, d]`.
    ///
    /// # Errors
    /// [`Error::TooFew`] if there are more components than rows, or fewer than two rows;
    /// [`Error::Singular`] if a covariance is no covariance; [`Error::Parameter`],
    /// [`Error::Length`] and [`Error::Label`] (given start), [`Error::NotFinite`],
    /// [`Error::Overflow`].
    pub fn fit(&self, x: Matrix<'_>) -> Result<FittedMixture, Error> {
        self.fit_observed(x, &mut |_| {})
    }

    /// As [`GaussianMixture::fit`]; calls `observe` after every round.
    ///
    /// # Errors
    /// As [`GaussianMixture::fit`].
    pub fn fit_observed(
        &self,
        x: Matrix<'_>,
        observe: &mut dyn FnMut(MixtureRound),
    ) -> Result<FittedMixture, Error> {
        self.check(x)?;
        let tries = match self.start {
            MixtureStart::KMeans => self.restarts,
            MixtureStart::Given(_) => 1,
        };
        let mut best: Option<End> = None;
        for restart in 0..tries {
            let labels = self.first_labels(x, restart as u64)?;
            let end =
                self.run(x, &labels, &mut |round| observe(MixtureRound { restart, ..round }))?;
            if best.as_ref().is_none_or(|best| end.bound > best.bound) {
                best = Some(end);
            }
        }
        let end = best.ok_or(Error::NoConvergence { what: "mixture" })?;
        let Expected { labels, probabilities, log_likelihood, .. } = end.gaussians.expect(x)?;
        Ok(FittedMixture {
            components: self.components,
            cols: x.cols(),
            weights: end.gaussians.weights,
            means: end.gaussians.means,
            covariances: end.gaussians.covariances,
            labels,
            probabilities,
            log_likelihood,
            iterations: end.iterations,
            converged: end.converged,
        })
    }

    fn check(&self, x: Matrix<'_>) -> Result<(), Error> {
        let wrong = |name, must, value: String| Err(Error::Parameter { name, must, value });
        for (name, value) in [
            ("components", self.components),
            ("restarts", self.restarts),
            ("max_iterations", self.max_iterations),
        ] {
            if value == 0 {
                return wrong(name, "at least 1", "0".to_owned());
            }
        }
        for (name, value) in
            [("tolerance", self.tolerance), ("regularisation", self.regularisation)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return wrong(name, "0 or more", value.to_string());
            }
        }
        let least = self.components.max(2);
        if x.rows() < least {
            let what = "components or rows";
            return Err(Error::TooFew { what, wanted: least, available: x.rows() });
        }
        if let MixtureStart::Given(labels) = &self.start {
            scarce_numeric::error::check_length("given components", x.rows(), labels.len())?;
            check_labels(labels, self.components)?;
        }
        x.check_finite()
    }

    /// The component of every row before the first round.
    fn first_labels(&self, x: Matrix<'_>, restart: u64) -> Result<Vec<u32>, Error> {
        match &self.start {
            MixtureStart::Given(labels) => Ok(labels.clone()),
            MixtureStart::KMeans => {
                // Seeds far apart: those of neighbouring runs of a study stay different.
                let seed = self.seed.wrapping_add(restart << 32);
                Ok(KMeans { seed, ..KMeans::new(self.components) }.fit(x)?.labels)
            }
        }
    }

    fn run(
        &self,
        x: Matrix<'_>,
        labels: &[u32],
        observe: &mut dyn FnMut(MixtureRound),
    ) -> Result<End, Error> {
        let fit = |shares: &[f64]| {
            Gaussians::fit(x, shares, self.components, self.covariance, self.regularisation)
        };
        let mut shares = vec![0.0; x.rows() * self.components];
        for (row, &label) in shares.chunks_exact_mut(self.components).zip(labels) {
            row[label as usize] = 1.0;
        }
        let mut gaussians = fit(&shares)?;
        let mut bound = f64::NEG_INFINITY;
        for iteration in 1..=self.max_iterations {
            let expected = gaussians.expect(x)?;
            gaussians = fit(&expected.shares)?;
            let log_likelihood = expected.log_likelihood;
            observe(MixtureRound { restart: 0, iteration, log_likelihood });
            let change = (log_likelihood - bound).abs();
            bound = log_likelihood;
            if change < self.tolerance {
                return Ok(End { gaussians, bound, iterations: iteration, converged: true });
            }
        }
        Ok(End { gaussians, bound, iterations: self.max_iterations, converged: false })
    }
}

/// Where one start ended.
struct End {
    gaussians: Gaussians,
    /// Mean log-likelihood of a row in the last round.
    bound: f64,
    iterations: usize,
    converged: bool,
}

impl FittedMixture {
    /// The mean of its component for every row of `x: [n, cols]`, the rows that were fitted, and
    /// the squared Euclidean distance to it.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::Length`].
    pub fn distances(&self, x: Matrix<'_>) -> Result<Nearest, Error> {
        if x.cols() != self.cols {
            return Err(Error::Width { left: self.cols, right: x.cols() });
        }
        scarce_numeric::error::check_length("rows that were fitted", self.labels.len(), x.rows())?;
        let means: Vec<f32> = self.means.iter().map(|&mean| mean as f32).collect();
        let mean = |label: u32| &means[label as usize * self.cols..][..self.cols];
        let rows = x.iter_rows().zip(&self.labels);
        let squared = rows.map(|(row, &label)| squared_distance(row, mean(label)) as f32).collect();
        Ok(Nearest { index: self.labels.clone(), squared })
    }
}

#[cfg(test)]
mod tests;
