//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why images could not be embedded.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// Neither or both of two inputs are wired.
    #[error("{found} of the inputs `features` and `images` are wired, expected one")]
    #[diagnostic(
        code(embed::one_input),
        help("wire `features` to embeddings or `images` to images, not both")
    )]
    OneInput {
        /// How many are wired.
        found: usize,
    },

    /// Images without a scale.
    #[error("`{path}` says that its largest pixel value is 0")]
    #[diagnostic(
        code(embed::max_value),
        help("ingest the images again, or use `scale = \"raw\"` where there is such a parameter")
    )]
    MaxValue {
        /// The images.
        path: PathBuf,
    },

    /// A share of the variance that is none.
    #[error("`components` is {value:?}: a share of the variance must be above 0 and below 1")]
    #[diagnostic(
        code(embed::components),
        help(
            "give a whole number of components, without a point (`2`, not `2.0`), or the share of the variance to keep, such as 0.95"
        )
    )]
    Components {
        /// What was asked for.
        value: f64,
    },

    /// Numbers whose squares are too large.
    #[error(
        "the numbers overflow: the variance along the first component is {variance:.1e}, and 32-bit \
         floats end at {:.1e}",
        f32::MAX
    )]
    #[diagnostic(
        code(embed::overflow),
        help(
            "the features hold numbers of about {:.0e}: scale them down, or look for a wrong column or a \
             sentinel for missing values among them",
            variance.sqrt()
        )
    )]
    Overflow {
        /// The variance.
        variance: f64,
    },

    /// Features that the projection was not fitted on.
    #[error("the projection expects {model} numbers per image, the features have {features}")]
    #[diagnostic(
        code(embed::width),
        help("wire the features that the projection was fitted on, or fit it again on these")
    )]
    Width {
        /// Numbers per image when it was fitted.
        model: usize,
        /// Numbers per image now.
        features: usize,
    },

    /// Features that the centroids are not of.
    #[error("the centroids have {centroids} numbers, the features {features} per image")]
    #[diagnostic(
        code(embed::centroid_width),
        help("wire the features that were clustered, of these or of other images")
    )]
    CentroidWidth {
        /// Numbers in each centroid.
        centroids: usize,
        /// Numbers per image.
        features: usize,
    },

    /// A table of no centroids.
    #[error("`{path}` has no centroid")]
    #[diagnostic(
        code(embed::no_centroids),
        help("wire the `centroids` of a stage that clusters, such as `kmeans`")
    )]
    NoCentroids {
        /// The table.
        path: PathBuf,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(embed::no_images),
        help("name a split that the features have, or leave `splits` out")
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// The computation refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernel(#[from] scarce_numeric::Error),

    /// A table or model that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),
}
