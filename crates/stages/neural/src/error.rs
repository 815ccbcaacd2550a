use std::path::PathBuf;

use miette::Diagnostic;

use crate::Input;

/// What goes wrong while fitting or applying a neural classifier.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// Labels of one class give nothing to tell apart.
    #[error("all {labelled} labelled images are of the class `{class}`")]
    #[diagnostic(
        code(neural::one_class),
        help("a classifier needs labelled images of at least two classes: label some more")
    )]
    OneClass {
        /// The class.
        class: String,
        /// Labelled images.
        labelled: usize,
    },

    /// Labels that all count for nothing.
    #[error("none of the {labelled} labels has a confidence above 0")]
    #[diagnostic(
        code(neural::no_confidence),
        help("leave out `weight_by_confidence`, or give labels with a confidence")
    )]
    NoConfidence {
        /// Labelled images.
        labelled: usize,
    },

    /// Parameters contradict each other.
    #[error("`label_smoothing` goes with the loss `cross-entropy` only")]
    #[diagnostic(
        code(neural::smoothing),
        help("leave out `label_smoothing`, or set `loss = \"cross-entropy\"`")
    )]
    Smoothing,

    /// The model was not trained by this crate, or is damaged.
    #[error("`{path}` is not a neural classifier: {message}")]
    #[diagnostic(
        code(neural::not_a_network),
        help("wire `model` to a stage of kind `mlp` or `cnn`")
    )]
    NotANetwork {
        /// The model.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },

    /// The model to start from has no convolutions that a classifier could begin with.
    #[error("no network can start from `{path}`: {message}")]
    #[diagnostic(code(neural::start), help("wire `start` to a stage of kind `contrastive`"))]
    Start {
        /// The model.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },

    /// Both inputs are wired, or none.
    #[error("{0} of the inputs `features` and `images` are wired")]
    #[diagnostic(
        code(neural::inputs),
        help(
            "wire the one that the model was trained on: `features` for `mlp`, `images` for `cnn`"
        )
    )]
    Inputs(&'static str),

    /// The input is not what the network was trained on.
    #[error("the model was trained on {model}, and `{path}` holds {found}")]
    #[diagnostic(
        code(neural::input),
        help("wire what the model was trained on, or train it again on this")
    )]
    Input {
        /// The table.
        path: PathBuf,
        /// What the model knows.
        model: Input,
        /// What there is.
        found: Input,
    },

    /// No image is in the splits asked for.
    #[error("no image is in a split of `splits = {splits}`")]
    #[diagnostic(
        code(neural::no_images),
        help("leave `splits` out to predict every image; images without a test split are `pool`")
    )]
    NoImages {
        /// The splits asked for.
        splits: String,
    },

    /// A table is damaged or cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Artifact(#[from] scarce_artifact::Error),

    /// Training or applying the network failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Network(#[from] scarce_nn::Error),
}

impl From<scarce_nn::tch::TchError> for Error {
    fn from(error: scarce_nn::tch::TchError) -> Self {
        Self::Network(error.into())
    }
}
