//! What the kinds that fit share: how they start, and what they leave behind.

use scarce_artifact::{
    Centroids, CentroidsMeta, Clusters, Embeddings, Empty, Points, Reader, Vectors,
};
use scarce_clustering::{FittedKMeans, kmeans::Start};
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::members::Standing;

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

impl From<Init> for Start {
    fn from(init: Init) -> Self {
        match init {
            Init::PlusPlus => Self::PlusPlus,
            Init::Random => Self::Random,
        }
    }
}

/// How the outputs are to be read.
pub(crate) const OUTPUTS_DOC: &str = "`clusters` has a row for each clustered image, by ascending id: its cluster, its distance to \
     the centroid, `percentile` (the share of the cluster that is at most as far, in percent, 100 \
     for the farthest) and whether it is the representative, the image nearest to the centroid (of \
     equally near ones that with the smallest id). `centroids` has a row for each cluster that has \
     images: `centroid: [d]`; it is the fitted model, which `assign` and `centroid-distances` \
     apply to other images.";

/// Name, ports and documentation of a kind that fits.
pub(crate) fn fitting_kind(kind: &str, summary: &str, doc: &str) -> Description {
    Description::new(kind, summary)
        .doc(doc)
        .learns(Learns::images("features", splits()).keeping(splits()).seeded())
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .output(Port::table::<Clusters>("clusters", "The cluster of every image"))
        .output(Port::table::<Centroids>("centroids", "The centre of every cluster"))
}

/// The images that a kind is about.
pub(crate) fn splits() -> Splits {
    Splits::Parameter("/splits".to_owned())
}

/// What a fit found.
pub(crate) struct Found {
    pub(crate) clusters: usize,
    pub(crate) width: usize,
    /// `[clusters, width]`
    pub(crate) centroids: Vec<f32>,
    /// Cluster of every image, `[n]`.
    pub(crate) labels: Vec<u32>,
    /// Euclidean distance to its centroid, `[n]`.
    pub(crate) distances: Vec<f32>,
}

impl From<FittedKMeans> for Found {
    fn from(fitted: FittedKMeans) -> Self {
        let FittedKMeans { clusters, cols, centroids, labels, distances, .. } = fitted;
        Self { clusters, width: cols, centroids, labels, distances }
    }
}

/// Writes both outputs of a kind that fits.
pub(crate) fn write(
    context: &Context,
    features: &Reader<Embeddings>,
    points: Points,
    found: impl Into<Found>,
) -> Result<(), Failure> {
    let found = found.into();
    let standing = Standing::of(&found.labels, &found.distances, found.clusters);
    let meta = CentroidsMeta { features: features.meta().origin.clone() };
    context.write("centroids", meta, centroids(&points, &found, &standing))?;
    context.write("clusters", Empty {}, clusters(points, found, standing))
}

fn centroids(points: &Points, found: &Found, standing: &Standing) -> Centroids {
    let width = found.width;
    let mut table = Centroids::default();
    let mut values = Vec::with_capacity(found.centroids.len());
    for (cluster, representative) in standing.representative.iter().enumerate() {
        let Some(row) = representative else { continue };
        table.cluster.push(cluster as i32);
        table.size.push(standing.size[cluster] as u32);
        table.representative.push(points.id[*row]);
        values.extend_from_slice(&found.centroids[cluster * width..][..width]);
    }
    let empty = standing.size.len() - table.cluster.len();
    if empty > 0 {
        tracing::warn!("{} without an image left out", counted(empty, "cluster"));
    }
    table.centroid = Vectors::new(width, values);
    table
}

fn clusters(points: Points, found: Found, standing: Standing) -> Clusters {
    Clusters {
        is_representative: standing.is_representative(),
        id: points.id,
        cluster: found.labels.into_iter().map(|cluster| cluster as i32).collect(),
        distance: found.distances,
        percentile: standing.percentile,
    }
}
