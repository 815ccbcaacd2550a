//! Pretrained networks that are known by name: where they lie, where they come from, and whether they
//! are whole.
//!
//! A model is a folder `models/NAME` of a data folder, with an ONNX file and a description of its
//! preprocessing. [`find`] looks for one, [`fetch`] downloads it, [`survey`] says what is there. A
//! network is known by its SHA-256, wherever it comes from; the description is part of the list.
//!
//! ```
//! use scarce_models::{known, named, survey};
//!
//! assert!(named("dinov2-small").is_some());
//! let empty = tempfile::tempdir()?;
//! assert!(survey(&[empty.path().to_owned()]).iter().all(|survey| survey.folder.is_none()));
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod fetch;
mod known;
mod survey;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use fetch::fetch;
pub use known::{KnownModel, known, named};
pub use scarce_download::Progress;
pub use survey::{State, Survey, find, find_any, survey, survey_one};

/// The folder of models below a data folder.
pub const FOLDER: &str = "models";
/// The name of a network in the folder of its model.
pub const NETWORK: &str = "model.onnx";
/// The name of the description of its preprocessing, beside it.
pub const DESCRIPTION: &str = "preprocessor_config.json";
