//! Codes learnt without labels: train an autoencoder on images, then encode images with it.
//!
//! An autoencoder squeezes each image through a code of a few numbers and learns to make the
//! image again from them. What it needs for that, it must put into the code, which therefore
//! says more about the image, number for number, than pixels do; nearest neighbours and
//! clusters are better found among codes.
//!
//! Two kinds ([`kinds`]):
//!
//! - `autoencoder` ([`Train`]) takes images and leaves a model, the history of its losses, and
//!   a few images beside their codes and reconstructions;
//! - `encode` ([`Encode`]) takes images and such a model and leaves one embedding per image.
//!
//! The network is described by a [`Blueprint`], which is saved with the weights. For an image of
//! `H·W·C` numbers:
//!
//! ```text
//! linear  H·W·C → hidden… → latent                        → …hidden → H·W·C
//! conv    H×W×C → halved per entry of `channels` → hidden… → latent → …and back
//! ```
//!
//! With `variational` the encoder's last layer gives `2·latent` numbers: the mean and the logarithm of
//! the variance of each number of the code. Training draws codes from that normal distribution and
//! keeps it near the standard normal one (Kingma and Welling 2014); once trained, the code is the
//! mean.
//!
//! ```
//! use scarce_autoencoder::{Architecture, TrainParams};
//!
//! let params: TrainParams = serde_json::from_value(serde_json::json!({
//!     "architecture": "conv",
//!     "latent": 128,
//!     "early_stopping": { "patience": 3, "validation": 0.1 },
//! }))?;
//! assert_eq!(params.architecture, Architecture::Conv);
//! assert_eq!(params.batch, 128);
//! # Ok::<(), serde_json::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod coder;
mod contrastive;
mod data;
mod encode;
mod error;
mod manual_backward;
mod network;
mod params;
mod train;
mod views;

#[cfg(test)]
mod tests;

pub use contrastive::{Contrastive, ContrastiveParams};
pub use encode::Encode;
pub use error::Error;
pub use network::{Autoencoder, Blueprint, Encoder};
pub use params::{Architecture, EarlyStopping, EncodeParams, Loss, TrainParams};
pub use scarce_stage::SplitName;
pub use train::Train;

use scarce_stage::Kind;

/// The kinds of this crate, for a host's list.
pub fn kinds() -> Vec<Kind> {
    let fingerprint = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<Train>(fingerprint),
        Kind::of::<Contrastive>(fingerprint),
        Kind::of::<Encode>(fingerprint),
    ]
}
