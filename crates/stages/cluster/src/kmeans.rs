//! k-means.

use scarce_artifact::{Embeddings, Points};
use scarce_clustering::{FittedKMeans, KMeans as Problem, kmeans::Round};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    fitted::{Init, OUTPUTS_DOC, fitting_kind, write},
    points,
};

/// Parameters of `kmeans`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How many clusters; at most as many as there are images.
    #[schemars(range(min = 1))]
    pub clusters: usize,
    /// Where the first centroids come from: `k-means++` takes images far from one another,
    /// `random` any.
    #[serde(default)]
    pub init: Init,
    /// How many starts are tried; the one with the least sum of squared distances is kept.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub n_init: usize,
    /// Most rounds of a start; when they do not suffice, a warning says so.
    #[serde(default = "many")]
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// A start ends when the squared shift of all centroids is at most this times the mean variance
    /// of the features, as in scikit-learn; with 0 when no image changes its cluster.
    #[serde(default = "tolerance")]
    #[schemars(range(min = 0))]
    pub tolerance: f64,
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

fn many() -> usize {
    300
}

fn tolerance() -> f64 {
    1e-4
}

/// The kind `kmeans`.
pub struct KMeans;

impl Stage for KMeans {
    type Params = Params;

    fn describe() -> Description {
        let method = "Lloyd's algorithm (*Least squares quantization in PCM*, IEEE Trans. \
                      Information Theory 28, 1982) from centroids chosen by greedy k-means++ \
                      (Arthur and Vassilvitskii, SODA 2007) or at random; stopping rule and empty \
                      clusters are treated as in scikit-learn's `KMeans`. Distances are Euclidean, \
                      whatever metric the features are meant for. A cluster can end empty only \
                      if images are equal.";
        let doc = format!("{method}\n\n{OUTPUTS_DOC}");
        fitting_kind("kmeans", "Groups of images around their means", &doc)
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let points = points::read(&features, &params.splits)?;
        let fitted = fit(&params, &points, context)?;
        write(context, &features, points, fitted)
    }
}

fn fit(params: &Params, points: &Points, context: &Context) -> Result<FittedKMeans, Error> {
    let clusters = points::enough(points, params.clusters)?;
    let problem = Problem {
        clusters,
        start: params.init.into(),
        restarts: params.n_init,
        max_iterations: params.max_iter,
        tolerance: params.tolerance,
        seed: params.seed,
    };
    let total = params.n_init.saturating_mul(params.max_iter) as u64;
    let mut observe = |round: Round| {
        let done = round.restart * params.max_iter + round.iteration;
        let message = format!("{} images moved", round.changed);
        context.progress(done as u64, total, "rounds", &message);
    };
    let x = Matrix::new(&points.values, points.id.len(), points.width)?;
    let fitted = problem.fit_observed(x, &mut observe)?;
    let FittedKMeans { iterations, inertia, .. } = fitted;
    if fitted.converged {
        let (clusters, rounds) = (counted(clusters, "cluster"), counted(iterations, "round"));
        tracing::info!("{clusters} after {rounds}, inertia {inertia}");
    } else {
        tracing::warn!(
            "not converged after {}, inertia {inertia}; raise `max_iter`",
            counted(iterations, "round")
        );
    }
    Ok(fitted)
}

#[cfg(test)]
mod tests;
