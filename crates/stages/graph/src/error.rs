//! What can go wrong in this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why a graph could not be made or used.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// More neighbours asked for than there are images.
    #[error("`k` is {k}, but only {images} images can be neighbours")]
    #[diagnostic(code(graph::too_few_neighbours), help("lower `k`, or take more images"))]
    TooFewNeighbours {
        /// Neighbours asked for.
        k: usize,
        /// Images there are to be neighbours.
        images: usize,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(graph::no_images),
        help(
            "images without a test split are `pool`; a graph that already has the test images \
              needs `graph-predict` only with `splits` that name them"
        )
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// Images of a graph without features.
    #[error("`{features}` lacks {missing} of the images of `{nodes}`")]
    #[diagnostic(code(graph::no_features), help("wire the features that the graph was made of"))]
    NoFeatures {
        /// The features.
        features: PathBuf,
        /// The nodes.
        nodes: PathBuf,
        /// How many have none.
        missing: usize,
    },

    /// Two rows of a table have one id.
    #[error("`{path}` has the image {id} twice")]
    #[diagnostic(code(graph::repeated_image), help("ids must be unique: write the table again"))]
    RepeatedImage {
        /// The table.
        path: PathBuf,
        /// The id.
        id: u32,
    },

    /// Nodes and edges that do not belong together.
    #[error("`{edges}` is no graph of the images in `{nodes}`: {message}")]
    #[diagnostic(
        code(graph::two_graphs),
        help("wire `nodes` and `edges` of the same `neighbour-graph` stage")
    )]
    TwoGraphs {
        /// The nodes.
        nodes: PathBuf,
        /// The edges.
        edges: PathBuf,
        /// What does not fit.
        message: String,
    },

    /// No label that can flow.
    #[error(
        "none of the {labelled} labels in `{labels}` is of an image to learn from in `{nodes}`"
    )]
    #[diagnostic(
        code(graph::no_labelled),
        help(
            "wire labels of the images that the graph was made of; labels of test images are \
              never learnt from"
        )
    )]
    NoLabelled {
        /// The labels.
        labels: PathBuf,
        /// The nodes.
        nodes: PathBuf,
        /// How many labels there are.
        labelled: usize,
    },

    /// Features and distributions of different images.
    #[error("no image of `{distributions}` that a label reached has features in `{features}`")]
    #[diagnostic(code(graph::strangers), help("wire the features that the graph was made of"))]
    Strangers {
        /// The features.
        features: PathBuf,
        /// The distributions.
        distributions: PathBuf,
    },

    /// A parameter that makes no sense here.
    #[error("`{name}` {message}")]
    #[diagnostic(code(graph::parameter), help("{help}"))]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it.
        message: String,
        /// The way out.
        help: &'static str,
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
    /// A parameter out of its range.
    pub(crate) fn range(name: &'static str, value: f64, range: &str) -> Self {
        let message = format!("is {value}, but must be {range}");
        Self::Parameter { name, message, help: "`scarce stages KIND` says what is allowed" }
    }
}
