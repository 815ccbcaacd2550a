use miette::Diagnostic;
use tch::TchError;

/// What goes wrong while training or applying a network.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum Error {
    /// A GPU was asked for that is not there.
    #[error("no device `cuda:{asked}`: {found}")]
    #[diagnostic(
        code(nn::no_such_device),
        help(
            "`device = \"auto\"` takes a GPU if there is one; a GPU needs a libtorch with CUDA, \
              by `LIBTORCH` or `LIBTORCH_USE_PYTORCH=1` when building"
        )
    )]
    NoSuchDevice {
        /// The number asked for.
        asked: usize,
        /// What there is instead.
        found: String,
    },

    /// The loss stopped being a number.
    #[error("training diverged: in epoch {epoch}, step {step}, the loss is {loss}")]
    #[diagnostic(code(nn::diverged), help("try a smaller `learning_rate`: a tenth of what it is"))]
    Diverged {
        /// Counted from 1.
        epoch: usize,
        /// Mini-batch within the epoch, counted from 1.
        step: usize,
        /// Infinite or NaN.
        loss: f64,
    },

    /// There is too little to learn from.
    #[error("{rows} images are too few to train on{why}")]
    #[diagnostic(
        code(nn::too_few),
        help("give more images, or leave out `early_stopping`, which sets some of them aside")
    )]
    TooFew {
        /// Images there are.
        rows: usize,
        /// Why that is too few.
        why: String,
    },

    /// A layer would have more weights than anybody means.
    #[error("layer `{name}` would have {shape:?} weights")]
    #[diagnostic(
        code(nn::too_large),
        help(
            "every size must be at least 1 and a layer hold at most 2^30 weights: \
              shrink the images, `hidden`, `channels` or `latent`"
        )
    )]
    TooLarge {
        /// The layer's name in the model.
        name: String,
        /// The shape of its weights.
        shape: Vec<usize>,
    },

    /// A parameter has a value that cannot be used.
    #[error("{0}")]
    #[diagnostic(code(nn::parameter))]
    Parameter(String),

    /// A model does not fit the network.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] scarce_artifact::Error),

    /// libtorch refused.
    #[error("libtorch: {}", first_line(.0))]
    #[diagnostic(code(nn::libtorch))]
    Torch(#[from] TchError),
}

/// libtorch follows its message by a trace of its own insides.
fn first_line(error: &TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
