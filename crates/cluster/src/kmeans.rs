//! k-means.

use scarce_artifact::{Centroids, Clusters, Embeddings, Empty, Vectors};
use scarce_kernels::{
    FittedKMeans, KMeans as Problem, Matrix,
    kmeans::{Round, Start},
};
use scarce_stage::{Context, Description, Failure, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, SplitName, members::Standing, points::Points};

/// Where the first centroids come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Init {
    /// Images far from one another: greedy k-means++.
    #[default]
    #[serde(rename = "k-means++")]
    PlusPlus,
    /// Images picked at random.
    #[serde(rename = "random")]
    Random,
}

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
    #[serde(default = "learnt_from")]
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

fn learnt_from() -> Vec<SplitName> {
    vec![SplitName::Train, SplitName::Pool]
}

/// The kind `kmeans`.
pub struct KMeans;

impl Stage for KMeans {
    type Params = Params;

    fn describe() -> Description {
        Description::new("kmeans", "Groups of images around their means")
            .doc(
                "Lloyd's algorithm (*Least squares quantization in PCM*, IEEE Trans. Information \
                 Theory 28, 1982) from centroids chosen by greedy k-means++ (Arthur and \
                 Vassilvitskii, SODA 2007) or at random; stopping rule and empty clusters are \
                 treated as in scikit-learn's `KMeans`. Distances are Euclidean, whatever metric \
                 the features are meant for.\n\n`clusters` has a row for each clustered image, by \
                 ascending id: its cluster, its distance to the centroid, `percentile` (the share \
                 of the cluster that is at most as far, in percent, 100 for the farthest) and \
                 whether it is the representative, the image nearest to the centroid (of equally \
                 near ones that with the smallest id). `centroids` has a row for each cluster that \
                 has images: `centroid: [d]`. A cluster can end empty only if images are equal.",
            )
            .input(Port::table::<Embeddings>("features", "One vector per image"))
            .output(Port::table::<Clusters>("clusters", "The cluster of every image"))
            .output(Port::table::<Centroids>("centroids", "The centre of every cluster"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let points = Points::read(&features, &params.splits)?;
        let fitted = fit(&params, &points, context)?;
        let standing = Standing::of(&fitted.labels, &fitted.distances, fitted.clusters);
        context.write("centroids", Empty {}, centroids(&points, &fitted, &standing))?;
        context.write("clusters", Empty {}, clusters(points, fitted, standing))
    }
}

fn fit(params: &Params, points: &Points, context: &Context) -> Result<FittedKMeans, Error> {
    let (clusters, images) = (params.clusters, points.id.len());
    if clusters > images {
        return Err(Error::TooManyClusters { clusters, images });
    }
    let start = match params.init {
        Init::PlusPlus => Start::PlusPlus,
        Init::Random => Start::Random,
    };
    let problem = Problem {
        clusters,
        start,
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
    let x = Matrix::new(&points.values, images, points.width)?;
    let fitted = problem.fit_observed(x, &mut observe)?;
    let FittedKMeans { iterations, inertia, .. } = fitted;
    if fitted.converged {
        tracing::info!("{clusters} clusters after {iterations} rounds, inertia {inertia}");
    } else {
        tracing::warn!(
            "not converged after {iterations} rounds, inertia {inertia}; raise `max_iter`"
        );
    }
    Ok(fitted)
}

fn centroids(points: &Points, fitted: &FittedKMeans, standing: &Standing) -> Centroids {
    let width = fitted.cols;
    let mut table = Centroids::default();
    let mut values = Vec::with_capacity(fitted.centroids.len());
    for (cluster, representative) in standing.representative.iter().enumerate() {
        let Some(row) = representative else { continue };
        table.cluster.push(cluster as i32);
        table.size.push(standing.size[cluster] as u32);
        table.representative.push(points.id[*row]);
        values.extend_from_slice(&fitted.centroids[cluster * width..][..width]);
    }
    let empty = standing.size.len() - table.cluster.len();
    if empty > 0 {
        tracing::warn!("{empty} clusters are empty: too few images differ");
    }
    table.centroid = Vectors::new(width, values);
    table
}

fn clusters(points: Points, fitted: FittedKMeans, standing: Standing) -> Clusters {
    let mut is_representative = vec![false; points.id.len()];
    for row in standing.representative.into_iter().flatten() {
        is_representative[row] = true;
    }
    Clusters {
        id: points.id,
        cluster: fitted.labels.into_iter().map(|cluster| cluster as i32).collect(),
        distance: fitted.distances,
        percentile: standing.percentile,
        is_representative,
    }
}

#[cfg(test)]
mod tests;
