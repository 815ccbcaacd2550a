//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why a classifier could not be fitted or applied.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// More neighbours asked for than there are labelled images.
    #[error("`k` is {k}, but only {labelled} labelled images can be neighbours")]
    #[diagnostic(code(classify::too_few_neighbours), help("lower `k`, or label more images"))]
    TooFewNeighbours {
        /// Neighbours asked for.
        k: usize,
        /// Labelled images.
        labelled: usize,
    },

    /// Labels of one class give nothing to tell apart.
    #[error("all {labelled} labelled images are of the class `{class}`")]
    #[diagnostic(
        code(classify::one_class),
        help("logistic regression needs labelled images of at least two classes: label some more")
    )]
    OneClass {
        /// The class.
        class: String,
        /// Labelled images.
        labelled: usize,
    },

    /// Features that the model was not fitted on.
    #[error("the model expects {model} numbers per image, the features have {features}")]
    #[diagnostic(
        code(classify::width),
        help("wire the features that the model was fitted on, or fit it again on these")
    )]
    Width {
        /// Numbers per image when it was fitted.
        model: usize,
        /// Numbers per image now.
        features: usize,
    },

    /// A model of another family.
    #[error("`{path}` is a model of kind `{kind}`")]
    #[diagnostic(
        code(classify::unknown_model),
        help("`predict` applies models of `dummy`, `knn` and `logistic-regression`")
    )]
    UnknownModel {
        /// The model.
        path: PathBuf,
        /// What its card says.
        kind: String,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(classify::no_images),
        help("leave `splits` out to predict every image; images without a test split are `pool`")
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
