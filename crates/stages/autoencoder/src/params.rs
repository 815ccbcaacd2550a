//! What the TOML says.

use scarce_nn::{Activation, Device, Initialisation};
use scarce_stage::SplitName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `autoencoder`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainParams {
    /// `linear`: fully connected layers only. `conv`: convolutions that halve the image, then fully
    /// connected layers.
    pub architecture: Architecture,
    /// Numbers in the code.
    #[schemars(range(min = 1))]
    pub latent: usize,
    /// Widths of the fully connected layers between the image (or what the convolutions make of
    /// it) and the code; the decoder has them in reverse.
    #[schemars(inner(range(min = 1)))]
    pub hidden: Vec<usize>,
    /// `conv` only: channels after each halving of the image.
    #[schemars(inner(range(min = 1)), length(max = 12))]
    pub channels: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// On the code itself; `none` if `variational`.
    pub code_activation: Activation,
    /// On the reconstruction, whose pixels are between 0 and 1.
    pub output_activation: Activation,
    /// What is minimised: `mse`, the mean squared difference of pixels; `bce`, the binary
    /// cross-entropy with pixels as probabilities.
    pub loss: Loss,
    /// Learns a distribution of codes for each image, near the standard normal one, instead of a
    /// single code. The code of an image is then its distribution's mean.
    pub variational: bool,
    /// `variational` only: what the divergence from the standard normal distribution counts beside
    /// the reconstruction. More than 1 gives codes whose numbers depend less on each other, and
    /// poorer reconstructions (Higgins et al. 2017); 0 leaves the noise alone.
    #[schemars(range(min = 0))]
    pub kl_weight: f64,
    /// Where the weights start, uniform at random: `fan-in`, weights and biases within ±1/√in, as
    /// in PyTorch; `glorot`, weights within ±√(6/(in + out)) and biases zero (Glorot and Bengio
    /// 2010), as in Keras.
    pub initialisation: Initialisation,
    /// Step size of Adam.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Images in a mini-batch.
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// Passes over the images, at most. Without it as many as make about 3,000 mini-batches, at
    /// least 10 and at most 300.
    #[schemars(range(min = 1))]
    pub epochs: Option<usize>,
    /// Stops after `patience` epochs in a row without a better validation loss; the weights of the
    /// best epoch are kept. The loss is measured on `validation`, a share of the images, which are
    /// set aside, or on the images of `validation_split`. Without it all images are learnt from to
    /// the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// Parts of the data to learn from. No label is used, yet `test` images belong here only if
    /// being transductive is meant.
    pub splits: Vec<SplitName>,
    /// Images to show beside their reconstructions: of `test` if there are any, at random.
    #[schemars(range(min = 1, max = 1000))]
    pub samples: usize,
    /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
    pub device: Device,
    /// What the first weights, the order of the images and the samples are drawn from.
    pub seed: u64,
}

impl Default for TrainParams {
    fn default() -> Self {
        Self {
            architecture: Architecture::Linear,
            latent: 32,
            hidden: Vec::new(),
            channels: vec![16, 32],
            activation: Activation::Relu,
            code_activation: Activation::None,
            output_activation: Activation::Sigmoid,
            loss: Loss::Mse,
            variational: false,
            kl_weight: 1.0,
            initialisation: Initialisation::FanIn,
            learning_rate: 1e-3,
            batch: 128,
            epochs: None,
            early_stopping: None,
            splits: vec![SplitName::Train, SplitName::Pool],
            samples: 10,
            device: Device::Auto,
            seed: 0,
        }
    }
}

/// When to stop before the last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct EarlyStopping {
    /// Epochs in a row without improvement after which training stops.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Share of the images of `splits` that is set aside, at random, to measure the validation
    /// loss: 0.05 unless `validation_split` says otherwise.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub validation: Option<f64>,
    /// Part of the data, none of `splits`, whose images measure the validation loss. With `test`
    /// the test images choose the epoch, though no weight is learnt from them: codes of test
    /// images are then transductive, and results on them must say so.
    pub validation_split: Option<SplitName>,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, validation: None, validation_split: None }
    }
}

/// Parameters of `encode`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EncodeParams {
    /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
    pub device: Device,
}

/// The family of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Architecture {
    /// Fully connected layers.
    Linear,
    /// Convolutions, then fully connected layers.
    Conv,
}

/// What training minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Loss {
    /// Mean squared difference.
    Mse,
    /// Binary cross-entropy.
    Bce,
}
