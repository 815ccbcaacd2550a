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

    /// Labels and clusters that have no image in common.
    #[error("none of the {labelled} labels in `{labels}` is of an image in `{clusters}`")]
    #[diagnostic(
        code(propagate::no_labelled),
        help("wire labels and clusters that come from the same images")
    )]
    NoLabelled {
        /// The labels.
        labels: PathBuf,
        /// The clusters.
        clusters: PathBuf,
        /// How many labels there are.
        labelled: usize,
    },

    /// Two rows of a table have one id.
    #[error("`{path}` has the image {id} twice")]
    #[diagnostic(
        code(propagate::repeated_image),
        help("ids must be unique: write the table again")
    )]
    RepeatedImage {
        /// The table.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// A label that is no class, or a cluster below 0.
    #[error("`{path}`, image {id}: {message}")]
    #[diagnostic(code(propagate::value), help("the table is damaged: write it again"))]
    Value {
        /// The table.
        path: PathBuf,
        /// The image.
        id: u32,
        /// What is wrong.
        message: String,
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
    Kernel(#[from] scarce_kernels::Error),

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
