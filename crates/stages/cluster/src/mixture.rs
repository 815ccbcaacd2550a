//! Mixtures of Gaussian distributions.

use scarce_artifact::{Embeddings, Points};
use scarce_clustering::{
    FittedMixture, GaussianMixture as Problem,
    mixture::{Covariance, MixtureRound, MixtureStart},
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    fitted::{Found, fitting_kind, write},
    points,
};

/// The shape of every cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// An ellipsoid that may lie anyhow; for tens of features rather than hundreds.
    #[default]
    Full,
    /// An ellipsoid along the axes.
    Diagonal,
}

/// Parameters of `gaussian-mixture`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How many clusters; at most as many as there are images.
    #[schemars(range(min = 1))]
    pub clusters: usize,
    /// The shape of the clusters: `full` covariance matrices, or `diagonal` ones.
    #[serde(default)]
    pub covariance: Shape,
    /// How many k-means starts are tried; the likeliest end is kept.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub n_init: usize,
    /// Most rounds of a start; when they do not suffice, a warning says so.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// A start ends when the mean log-likelihood of an image changes by less than this in a round.
    #[serde(default = "tolerance")]
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// Added to every variance, in squared units of the features: keeps clusters from collapsing
    /// onto a few images.
    #[serde(default = "regularisation")]
    #[schemars(range(min = 0))]
    pub reg_covar: f64,
    /// Seed of the starts.
    #[serde(default)]
    pub seed: u64,
    /// The splits to cluster; the test split only if it is named here.
    #[serde(default = "SplitName::learnt_from")]
    pub splits: Vec<SplitName>,
}

fn one() -> usize {
    1
}

fn hundred() -> usize {
    100
}

fn tolerance() -> f64 {
    1e-3
}

fn regularisation() -> f64 {
    1e-6
}

/// The kind `gaussian-mixture`.
pub struct GaussianMixture;

impl Stage for GaussianMixture {
    type Params = Params;

    fn describe() -> Description {
        let doc = "Fits a mixture of Gaussian distributions by expectation and maximisation \
                   (Dempster, Laird and Rubin, *Maximum likelihood from incomplete data via the EM \
                   algorithm*, 1977) from the clusters of k-means; stopping rule and defaults are \
                   those of scikit-learn's `GaussianMixture`. Clusters may be long, and of \
                   different sizes. Each image is in the cluster that is likeliest for it, the first \
                   of equals.\n\n`clusters` has a row for each clustered image, by ascending id: its \
                   cluster, its Euclidean distance to the cluster's mean, `percentile` (the share of \
                   the cluster that is at most as far, in percent, 100 for the farthest) and whether \
                   it is the representative, the image nearest to the mean (of equally near ones \
                   that with the smallest id). `centroids` has the mean of every cluster that has \
                   images. They do not hold the shapes: `assign` gives images to the nearest mean, \
                   which need not be the likeliest cluster.\n\nEvery round takes images × clusters × \
                   features² steps with `full`; embed the images in few dimensions first.";
        fitting_kind("gaussian-mixture", "Groups of images as clouds of any width", doc)
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let points = points::read(&features, &params.splits)?;
        let found = fit(&params, &points, context)?;
        write(context, &features, points, found)
    }
}

fn fit(params: &Params, points: &Points, context: &Context) -> Result<Found, Error> {
    let clusters = points::enough(points, params.clusters)?;
    let problem = Problem {
        components: clusters,
        covariance: match params.covariance {
            Shape::Full => Covariance::Full,
            Shape::Diagonal => Covariance::Diagonal,
        },
        start: MixtureStart::KMeans,
        restarts: params.n_init,
        max_iterations: params.max_iter,
        tolerance: params.tolerance,
        regularisation: params.reg_covar,
        seed: params.seed,
    };
    let total = params.n_init.saturating_mul(params.max_iter) as u64;
    let mut observe = |round: MixtureRound| {
        let done = round.restart * params.max_iter + round.iteration;
        let message = format!("log-likelihood {:.4}", round.log_likelihood);
        context.progress(done as u64, total, "rounds", &message);
    };
    let x = Matrix::new(&points.values, points.id.len(), points.width)?;
    let fitted = problem.fit_observed(x, &mut observe)?;
    let FittedMixture { iterations, log_likelihood, .. } = fitted;
    if fitted.converged {
        tracing::info!(
            "{} after {}, mean log-likelihood {log_likelihood}",
            counted(clusters, "cluster"),
            counted(iterations, "round")
        );
    } else {
        tracing::warn!(
            "not converged after {}, mean log-likelihood {log_likelihood}; raise `max_iter`",
            counted(iterations, "round")
        );
    }
    let near = fitted.distances(x)?;
    Ok(Found {
        clusters,
        width: fitted.cols,
        centroids: fitted.means.iter().map(|&mean| mean as f32).collect(),
        labels: near.index,
        distances: near.squared.into_iter().map(f32::sqrt).collect(),
    })
}

#[cfg(test)]
mod tests;
