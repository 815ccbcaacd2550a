//! What can go wrong in this crate.

use miette::Diagnostic;
use thiserror::Error;

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
        help("leave `splits` out to cluster every image that is not in the test split")
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// Two rows of the features have one id.
    #[error("the features have the image {id} twice")]
    #[diagnostic(
        code(cluster::repeated_image),
        help("ids must be unique: write the features again")
    )]
    RepeatedImage {
        /// The id.
        id: u32,
    },

    /// The computation refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernel(#[from] scarce_kernels::Error),

    /// A table that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),
}
