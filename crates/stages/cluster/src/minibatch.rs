//! Mini-batch k-means.

use scarce_artifact::{Embeddings, Points};
use scarce_clustering::{
    FittedKMeans,
    kmeans::{MiniBatchKMeans as Problem, Step},
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    fitted::{Init, OUTPUTS_DOC, fitting_kind, write},
    points,
};

/// Parameters of `minibatch-kmeans`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How many clusters; at most as many as there are images.
    #[schemars(range(min = 1))]
    pub clusters: usize,
    /// Where the first centroids come from, of a sample of the images: `k-means++` takes images far
    /// from one another, `random` any.
    #[serde(default)]
    pub init: Init,
    /// Images in each step, drawn with replacement; all of them if there are fewer.
    #[serde(default = "batch")]
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// Most passes: it takes at most this times the number of images over `batch` steps.
    #[serde(default = "passes")]
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// It ends when the smoothed inertia of the batches has not improved for so many steps; with 0
    /// the inertia ends nothing.
    #[serde(default = "patience")]
    pub max_no_improvement: usize,
    /// Rounds over all images after the last batch, as of `kmeans`; with 0 the clusters are those that
    /// the batches found.
    #[serde(default = "final_rounds")]
    pub final_rounds: usize,
    /// How many starts are tried; the one with the least sum of squared distances on a sample is
    /// kept. Unless given, 1 for `k-means++` and 3 for `random`.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub n_init: Option<usize>,
    /// A cluster that has been given fewer images than this share of the largest is put elsewhere
    /// from time to time, on an image of the batch.
    #[serde(default = "ratio")]
    #[schemars(range(min = 0, max = 1))]
    pub reassignment_ratio: f64,
    /// It ends when the squared shift of all centroids in a step is at most this times the mean
    /// variance of the features; with 0 the shift ends nothing.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// Seed of the starts, the batches and the clusters put elsewhere.
    #[serde(default)]
    pub seed: u64,
    /// The splits to cluster; the test split only if it is named here.
    #[serde(default = "SplitName::learnt_from")]
    pub splits: Vec<SplitName>,
}

fn batch() -> usize {
    1024
}

fn passes() -> usize {
    100
}

fn patience() -> usize {
    2
}

fn final_rounds() -> usize {
    2
}

fn ratio() -> f64 {
    0.01
}

/// The kind `minibatch-kmeans`.
pub struct MiniBatchKMeans;

impl Stage for MiniBatchKMeans {
    type Params = Params;

    fn describe() -> Description {
        let method = "Each step draws a batch of images, gives each to its nearest centroid and \
                      moves every centroid to the mean of all images ever given to it (D. \
                      Sculley, *Web-scale k-means clustering*, WWW 2010). Samples to start from, \
                      stopping rules and starved clusters are treated as in scikit-learn's \
                      `MiniBatchKMeans`; but where that waits for 10 steps without improvement \
                      of an average over all images, this waits for 2 of one over half as many, \
                      and then goes twice over all images, which takes less time and finds better \
                      clusters. The sum of squared distances ends about a per \
                      cent above that of `kmeans`, and now and then a cluster ends without \
                      images. Distances are Euclidean, whatever metric the features are meant for.";
        let doc = format!("{method}\n\n{OUTPUTS_DOC}");
        fitting_kind("minibatch-kmeans", "Groups of images around their means, found sooner", &doc)
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
    let starts = match params.init {
        Init::PlusPlus => 1,
        Init::Random => 3,
    };
    let problem = Problem {
        clusters,
        start: params.init.into(),
        restarts: params.n_init.unwrap_or(starts),
        batch: params.batch,
        max_passes: params.max_iter,
        max_no_improvement: Some(params.max_no_improvement).filter(|&steps| steps > 0),
        final_rounds: params.final_rounds,
        reassignment_ratio: params.reassignment_ratio,
        tolerance: params.tolerance,
        seed: params.seed,
    };
    let mut observe = |Step { step, steps, inertia }| {
        let message = format!("mean squared distance {inertia:.6}");
        context.progress(step as u64, steps as u64, "steps", &message);
    };
    let x = Matrix::new(&points.values, points.id.len(), points.width)?;
    let fitted = problem.fit_observed(x, &mut observe)?;
    let FittedKMeans { iterations, inertia, converged, .. } = fitted;
    let why = if converged { "by itself" } else { "at `max_iter`" };
    let (clusters, steps) = (counted(clusters, "cluster"), counted(iterations, "step"));
    tracing::info!("{clusters} after {steps}, ended {why}, inertia {inertia}");
    Ok(fitted)
}

#[cfg(test)]
mod tests;
