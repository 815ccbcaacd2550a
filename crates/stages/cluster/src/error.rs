//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::SplitName;

/// Why images could not be clustered.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// More clusters than images.
    #[error("`clusters` is {clusters}, but there are only {images} images to cluster")]
    #[diagnostic(
        code(cluster::too_many_clusters),
        help("ask for at most as many clusters as there are images in `splits`")
    )]
    TooManyClusters {
        /// Clusters asked for.
        clusters: usize,
        /// Images to cluster.
        images: usize,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(cluster::no_images),
        help("name a split that the features have, or leave `splits` out")
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// Features that the centroids are not of.
    #[error("the centroids have {centroids} numbers, the features {features} per image")]
    #[diagnostic(
        code(cluster::width),
        help("wire the features that were clustered, of these or of other images")
    )]
    Width {
        /// Numbers in each centroid.
        centroids: usize,
        /// Numbers per image.
        features: usize,
    },

    /// A table of no centroids.
    #[error("`{path}` has no centroid")]
    #[diagnostic(
        code(cluster::no_centroids),
        help("wire the `centroids` of a stage that clusters, such as `kmeans`")
    )]
    NoCentroids {
        /// The table.
        path: PathBuf,
    },

    /// Clusters and centroids of two fits.
    #[error("`{path}` has no image in cluster {cluster}, which has a centroid")]
    #[diagnostic(
        code(cluster::other_fit),
        help("wire `fitted` and `centroids` to the same stage, or leave `fitted` out")
    )]
    OtherFit {
        /// The clusters.
        path: PathBuf,
        /// The cluster that is not there.
        cluster: i32,
    },

    /// The computation refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernel(#[from] scarce_numeric::Error),

    /// A table that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),
}

impl Error {
    pub(crate) fn no_images(splits: &[SplitName]) -> Self {
        Self::NoImages { splits: serde_json::to_string(splits).unwrap_or_default() }
    }
}
