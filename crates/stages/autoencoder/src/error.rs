use std::path::PathBuf;

use miette::Diagnostic;
use scarce_artifact::Shape;

/// What goes wrong while training or applying an autoencoder.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum Error {
    /// No image belongs to the parts to learn from.
    #[error("no image to learn from: `{path}` has none in the splits {wanted}")]
    #[diagnostic(
        code(autoencoder::no_images),
        help("its images are in {found}: name one of these in `splits`")
    )]
    NoImages {
        /// The table.
        path: PathBuf,
        /// The splits asked for.
        wanted: String,
        /// The splits there are.
        found: String,
    },

    /// Parameters contradict each other.
    #[error("loss `bce` needs pixels between 0 and 1, which `output_activation` does not give")]
    #[diagnostic(
        code(autoencoder::loss),
        help("set `output_activation = \"sigmoid\"`, or `loss = \"mse\"`")
    )]
    LossNeedsSigmoid,

    /// A variational code is activated.
    #[error(
        "`variational` needs a code of any real numbers, and `code_activation = {found}` bends them"
    )]
    #[diagnostic(
        code(autoencoder::variational),
        help("leave `code_activation` out, or set it to \"none\"")
    )]
    VariationalCode {
        /// The activation, as the TOML says it.
        found: String,
    },

    /// The images to validate on cannot be told.
    #[error("`early_stopping` {message}")]
    #[diagnostic(code(autoencoder::validation), help("{help}"))]
    Validation {
        /// What is wrong with it.
        message: String,
        /// The way out.
        help: &'static str,
    },

    /// The model was not trained by this crate, or is damaged.
    #[error("`{path}` is no encoder of images: {message}")]
    #[diagnostic(
        code(autoencoder::not_an_autoencoder),
        help("wire `model` to a stage of kind `autoencoder` or `contrastive`")
    )]
    NotAnAutoencoder {
        /// The model.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },

    /// The model was trained on images of another shape.
    #[error(
        "the images of `{path}` are {} and the model was trained on {}",
        in_words(.images),
        in_words(.model)
    )]
    #[diagnostic(
        code(autoencoder::shape),
        help(
            "give both stages images of one shape: `resize` and `channels` of `ingest` make it so"
        )
    )]
    Shape {
        /// The table of images.
        path: PathBuf,
        /// The shape of its images.
        images: Shape,
        /// The shape that the model knows.
        model: Shape,
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

/// `28 × 28 grey`.
fn in_words(shape: &Shape) -> String {
    let Shape { height, width, channels } = shape;
    match channels {
        1 => format!("{height} × {width} grey"),
        3 => format!("{height} × {width} RGB"),
        n => format!("{height} × {width} with {n} channels"),
    }
}
