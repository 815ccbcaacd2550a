//! Neural classifiers: networks trained on the labelled images, of any depth.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `mlp` | a multilayer perceptron on features ([`Mlp`]) |
//! | `cnn` | a convolutional network on images ([`Cnn`]) |
//! | `neural-features` | the last hidden layer of a saved network, as an embedding ([`NeuralFeatures`]) |
//! | `neural-predict` | a saved network, applied without refitting ([`NeuralPredict`]) |
//!
//! Kinds that fit read `labels` and what the network sees, join them by image id, and write
//! `predictions` for every image, `model`, the trained network, and `history`, its losses by epoch.
//! Labels of test images are never learnt from. The network has one output for each class that has
//! a labelled image; the other classes get probability 0.
//!
//! A network is described by a [`Blueprint`], which is saved with the weights, so that what
//! `neural-predict` rebuilds from a model is the same network, and so are the bytes that it
//! predicts.
//!
//! # Reproducibility
//!
//! Labelled rows are sorted by id before they are learnt from, and everything random is drawn from
//! our own streams: the same seed gives the same bytes on the same device, whatever the number of
//! threads and the order of the labels.
//!
//! ```
//! use scarce_neural::{Loss, MlpParams};
//!
//! let params: MlpParams = serde_json::from_value(serde_json::json!({
//!     "hidden": [300, 100],
//!     "dropout": 0.5,
//!     "loss": "generalised-cross-entropy",
//! }))?;
//! assert_eq!((params.loss, params.q), (Loss::GeneralisedCrossEntropy, 0.7));
//! # Ok::<(), serde_json::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answers;
mod cnn;
mod error;
mod features;
mod fit;
mod mlp;
mod network;
mod objective;
mod params;
mod predict;
mod source;
mod start;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use cnn::Cnn;
pub use error::Error;
pub use features::NeuralFeatures;
pub use mlp::Mlp;
pub use network::{Blueprint, Input, Network};
pub use params::{CnnParams, FeaturesParams, Loss, MlpParams, OptimiserName, PredictParams};
pub use predict::NeuralPredict;
pub use scarce_stage::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate, for a host's list.
pub fn kinds() -> Vec<Kind> {
    let fingerprint = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<Mlp>(fingerprint),
        Kind::of::<Cnn>(fingerprint),
        Kind::of::<NeuralFeatures>(fingerprint),
        Kind::of::<NeuralPredict>(fingerprint),
    ]
}
