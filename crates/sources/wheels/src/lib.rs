//! Shared libraries out of Python wheels: downloaded with pip, unpacked, checked byte by byte.
//!
//! libtorch and ONNX Runtime have no download of their own that is small, pinned and complete; their
//! wheels are. [`download`] gets wheels with whichever pip there is, which knows the user's index,
//! proxy and certificates; [`unpack`] takes out of them what is wanted, and nothing that does not have
//! the SHA-256 that is expected. No Python runs afterwards.
//!
//! [`onnxruntime`] is the recipe of the one library that an installed `scarce` fetches by itself;
//! `cargo xtask setup` uses it too, and has that of libtorch.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
pub mod onnxruntime;
mod pip;
mod unpack;

pub use error::{Error, Result};
pub use pip::{PLATFORM, download, wheels_in};
pub use unpack::{Library, sha256, unpack};
