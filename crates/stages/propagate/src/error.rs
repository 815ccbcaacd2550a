//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why labels could not be propagated.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// More neighbours asked for than there are labelled images.
    #[error("`k` is {k}, but only {labelled} labelled images can be neighbours")]
    #[diagnostic(code(propagate::too_few_neighbours), help("lower `k`, or label more images"))]
    TooFewNeighbours {
        /// Neighbours asked for.
        k: usize,
        /// Labelled images.
        labelled: usize,
    },

    /// Labels of none of the images that there are.
    #[error(
        "none of the {labelled} labels in `{labels}` is of an image in `{images}` that takes part"
    )]
    #[diagnostic(
        code(propagate::no_labelled),
        help(
            "wire labels and images that come from the same source; test images never take part, others only if `splits` names them"
        )
    )]
    NoLabelled {
        /// The labels.
        labels: PathBuf,
        /// The table of the images.
        images: PathBuf,
        /// How many labels there are.
        labelled: usize,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(propagate::no_images),
        help("leave `splits` out to take every image that is not in the test split")
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// More images than a dense kernel has memory for.
    #[error(
        "the weights between {images} images take {needed:.1} GiB, more than `memory_gib = {allowed}`"
    )]
    #[diagnostic(
        code(propagate::too_large),
        help(
            "set `kernel = \"knn\"`, which links each image to a few others only, or raise `memory_gib` if the machine has as much, or take fewer images"
        )
    )]
    TooLarge {
        /// Images that would take part.
        images: usize,
        /// Memory that their weights need, in GiB.
        needed: f64,
        /// Memory that they may take, in GiB.
        allowed: f64,
    },

    /// A number of images to claim that cannot be met.
    #[error("`count` is {count}, but must be from 1 to {images}, the images that take part")]
    #[diagnostic(code(propagate::count), help("change `count`, or take more images"))]
    Count {
        /// Images that each labelled image shall claim.
        count: usize,
        /// Images that take part.
        images: usize,
    },

    /// Labels of one class give nothing to tell apart.
    #[error("all {labelled} labelled images are of the class `{class}`")]
    #[diagnostic(
        code(propagate::one_class),
        help("logistic regression needs labelled images of at least two classes: label some more")
    )]
    OneClass {
        /// The class.
        class: String,
        /// Labelled images.
        labelled: usize,
    },

    /// Predictions of a classifier that knows other classes.
    #[error("`{predictions}` and `{labels}` name different classes")]
    #[diagnostic(
        code(propagate::other_classes),
        help("wire the labels that the classifier was trained on, or labels of the same classes")
    )]
    OtherClasses {
        /// The labels.
        labels: PathBuf,
        /// The predictions.
        predictions: PathBuf,
    },

    /// A parameter out of its range.
    #[error("`{name}` is {value}, but must be from {least} to {most}")]
    #[diagnostic(code(propagate::parameter), help("change `{name}`"))]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f32,
        /// The least that makes sense.
        least: f32,
        /// The most that makes sense.
        most: f32,
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

/// Checks that a parameter lies in its range.
pub(crate) fn within(name: &'static str, value: f32, least: f32, most: f32) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(Error::Parameter { name, value, least, most })
    }
}
