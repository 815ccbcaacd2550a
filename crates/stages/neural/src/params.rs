//! What the TOML says.

use scarce_nn::{
    Activation, Augmentation, Device, EarlyStopping, Optimiser, Padding, Schedule, Training,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SplitName;

/// The rule that turns gradients into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OptimiserName {
    /// Kingma and Ba 2015.
    Adam,
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).
    AdamW,
    /// Gradient descent with `momentum`.
    Sgd,
}

/// What training minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Loss {
    /// −log p of the label.
    CrossEntropy,
    /// (1 − pᵠ) / q of the label's p, which wrong labels sway less (Zhang and Sabuncu 2018).
    GeneralisedCrossEntropy,
}

/// Declares the parameters of a kind that fits: its own fields with their defaults, followed by
/// those that all such kinds share, since a struct that refuses unknown keys cannot be flattened
/// into another.
macro_rules! fitting_params {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $value:expr,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Between the layers.
            pub activation: Activation,
            /// Share of the numbers after each hidden fully connected layer that are set to zero,
            /// at random, while the network learns.
            #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
            pub dropout: f64,
            /// Whether to bring each hidden layer's numbers to mean 0 and variance 1 over every
            /// mini-batch, before the activation (Ioffe and Szegedy 2015).
            pub batch_norm: bool,
            /// What is minimised: `cross-entropy`, or `generalised-cross-entropy`, which wrong labels
            /// sway less, for labels that were propagated.
            pub loss: Loss,
            /// `generalised-cross-entropy` only: near 0 it is cross-entropy, at 1 the mean absolute
            /// error.
            #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
            pub q: f64,
            /// `cross-entropy` only: share of each label that is spread evenly over all classes.
            #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
            pub label_smoothing: f64,
            /// Whether a labelled image counts in proportion to its label's confidence, rather than
            /// all alike. Propagated labels have a confidence below 1.
            pub weight_by_confidence: bool,
            /// `adam`, `adamw` (weight decay apart from the gradient) or `sgd` (with `momentum`).
            pub optimiser: OptimiserName,
            /// `sgd` only: share of the last step that goes into the next one.
            #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
            pub momentum: f64,
            /// Step size of the optimiser.
            #[schemars(extend("exclusiveMinimum" = 0))]
            pub learning_rate: f64,
            /// `constant`, or `cosine`: the step size falls along half a cosine to 0 at the end of the
            /// last epoch.
            pub schedule: Schedule,
            /// Weight decay: the pull of all weights towards zero.
            #[schemars(range(min = 0))]
            pub weight_decay: f64,
            /// Images in a mini-batch.
            #[schemars(range(min = 1))]
            pub batch: usize,
            /// Passes over the labelled images, at most. Without it as many as make about 3,000
            /// mini-batches, at least 10 and at most 300.
            #[schemars(range(min = 1))]
            pub epochs: Option<usize>,
            /// Sets `validation`, a share of the labelled images, aside, of every class in
            /// proportion, and stops after `patience` epochs in a row without a better loss on
            /// them; the best weights are kept. Without it all labelled images are learnt from to
            /// the last epoch.
            pub early_stopping: Option<EarlyStopping>,
            /// The splits to predict.
            pub splits: Vec<SplitName>,
            /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
            pub device: Device,
            /// What the first weights, the order of the images, the images set aside and all noise
            /// are drawn from.
            pub seed: u64,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $value,)*
                    activation: Activation::Relu,
                    dropout: 0.0,
                    batch_norm: false,
                    loss: Loss::CrossEntropy,
                    q: 0.7,
                    label_smoothing: 0.0,
                    weight_by_confidence: false,
                    optimiser: OptimiserName::Adam,
                    momentum: 0.9,
                    learning_rate: 1e-3,
                    schedule: Schedule::Constant,
                    weight_decay: 0.0,
                    batch: 128,
                    epochs: None,
                    early_stopping: None,
                    splits: SplitName::all(),
                    device: Device::Auto,
                    seed: 0,
                }
            }
        }

        impl $name {
            /// What all kinds that fit share.
            pub(crate) fn fitting(&self) -> Fitting {
                let optimiser = match self.optimiser {
                    OptimiserName::Adam => Optimiser::Adam,
                    OptimiserName::AdamW => Optimiser::AdamW,
                    OptimiserName::Sgd => Optimiser::Sgd { momentum: self.momentum },
                };
                Fitting {
                    loss: self.loss,
                    q: self.q,
                    label_smoothing: self.label_smoothing,
                    weight_by_confidence: self.weight_by_confidence,
                    epochs: self.epochs,
                    early_stopping: self.early_stopping,
                    training: Training {
                        batch: self.batch,
                        // a batch that is normalised must not be cut
                        piece: if self.batch_norm { usize::MAX } else { PIECE },
                        optimiser,
                        learning_rate: self.learning_rate,
                        schedule: self.schedule,
                        weight_decay: self.weight_decay,
                        patience: self.early_stopping.map(|stopping| stopping.patience),
                        seed: self.seed,
                        ..Training::default()
                    },
                    splits: self.splits.clone(),
                    device: self.device,
                    augmentation: None,
                }
            }
        }
    };
}

/// Images that are worth a thread of their own.
const PIECE: usize = 64;

/// The parameters that do not shape the network.
pub(crate) struct Fitting {
    pub(crate) loss: Loss,
    pub(crate) q: f64,
    pub(crate) label_smoothing: f64,
    pub(crate) weight_by_confidence: bool,
    pub(crate) epochs: Option<usize>,
    pub(crate) early_stopping: Option<EarlyStopping>,
    /// All but the number of epochs.
    pub(crate) training: Training,
    pub(crate) splits: Vec<SplitName>,
    pub(crate) device: Device,
    /// Of images only.
    pub(crate) augmentation: Option<Augmentation>,
}

fitting_params! {
    /// Parameters of `mlp`.
    MlpParams {
        /// Widths of the hidden layers, from the features on; none makes it a linear classifier.
        #[schemars(inner(range(min = 1)))]
        hidden: Vec<usize> = vec![256],
    }
}

fitting_params! {
    /// Parameters of `cnn`.
    CnnParams {
        /// Channels after each convolution.
        #[schemars(inner(range(min = 1)), length(min = 1, max = 12))]
        channels: Vec<usize> = vec![32, 64],
        /// Side of the convolutions' kernels.
        #[schemars(range(min = 1))]
        kernel: usize = 5,
        /// `valid`: kernels stay within the image, which each convolution makes smaller. `same`:
        /// beyond the border lie zeros, and convolutions keep the size.
        padding: Padding = Padding::Valid,
        /// Steps that the kernels move on at a time; 2 halves each side.
        #[schemars(range(min = 1))]
        stride: usize = 1,
        /// Side of the squares of which the largest number is kept, after each convolution; 1 keeps
        /// all.
        #[schemars(range(min = 1))]
        pool: usize = 2,
        /// Widths of the hidden fully connected layers after the convolutions.
        #[schemars(inner(range(min = 1)))]
        hidden: Vec<usize> = vec![128],
        /// Changes every image a little before each look, in its own way; `{}` takes what suits
        /// handwriting. Without it images are seen as they are.
        augmentation: Option<Augmentation> = None,
    }
}

/// Parameters of `neural-features`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturesParams {
    /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
    pub device: Device,
}

/// Parameters of `neural-predict`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PredictParams {
    /// The splits to predict.
    pub splits: Vec<SplitName>,
    /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
    pub device: Device,
}

impl Default for PredictParams {
    fn default() -> Self {
        Self { splits: SplitName::all(), device: Device::Auto }
    }
}
