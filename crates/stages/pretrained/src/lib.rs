//! Embeddings of images by networks that others trained: ONNX models, frozen, streamed, without
//! libtorch.
//!
//! One kind, `pretrained`: images in, [`Embeddings`](scarce_artifact::Embeddings) out. What happens in
//! between, each in a module of its own:
//!
//! 1. the model's files are found and checked before anything runs: no operators of others, no files
//!    outside its folder (`model`, `onnx`);
//! 2. the description of the preprocessing is read, and refused where it is not understood in full
//!    (`preprocessing`);
//! 3. ONNX Runtime is found and opened, a shared library of one pinned version ([`runtime`]);
//! 4. threads read, decode and prepare pictures and run them through copies of the network; vectors
//!    come out in order (`lanes`, `network`, `pooling`).
//!
//! On the processor vectors are the same bits for any number of threads and any batch.
//!
//! ```
//! let kinds = scarce_pretrained::kinds();
//! assert_eq!(kinds[0].description().kind, "pretrained");
//! assert_eq!(kinds[0].description().environment["onnxruntime"], "1.32.0");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod encode;
mod error;
mod lanes;
mod model;
mod network;
mod onnx;
mod params;
mod pooling;
mod preprocessing;
pub mod runtime;
mod source;

#[cfg(test)]
mod tests;

use scarce_stage::Kind;

pub use error::{Error, Result};
pub use model::check_model;
pub use params::{Augment, Device, Params, Pooling};
pub use preprocessing::{Overrides, Size};

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    vec![Kind::of::<encode::Pretrained>(env!("SCARCE_FINGERPRINT"))]
}
