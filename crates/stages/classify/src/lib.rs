//! Classifiers that need no libtorch: from a handful of labels to a class for every image.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `dummy` | ignores the images: what chance alone reaches ([`dummy`]) |
//! | `knn` | the vote of the k nearest labelled images ([`knn`]) |
//! | `logistic-regression` | a linear model per class, fitted by L-BFGS ([`logistic`]) |
//! | `predict` | a classifier fitted earlier, applied to other features ([`predict`]) |
//!
//! The first three read `features` (embeddings) and `labels`, join them by image id, fit, and write
//! `predictions` for the features in their order and `model`, the fitted classifier. Labels of
//! images in the test split are never learnt from. Memory holds the labelled rows and one batch of
//! the others, so that the number of images does not matter.
//!
//! A fitted classifier is a `Rule`: it turns ids and features into classes and probabilities, one
//! per class name of the labels; a class without a labelled image has probability 0. What `predict`
//! reads back from a model is the same `Rule`, and so are the bytes that it predicts.
//!
//! Nothing depends on the number of threads, nor on the order of the labels: labelled rows are
//! sorted by id before they are fitted, and `dummy` draws from one random stream per image.
//!
//! ```
//! let names: Vec<String> =
//!     scarce_classify::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(names, ["dummy", "knn", "logistic-regression", "predict"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answers;
pub mod dummy;
mod error;
pub mod knn;
pub mod logistic;
pub mod predict;
mod rule;
mod scaling;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use scarce_stage::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<dummy::Dummy>(code),
        Kind::of::<knn::Knn>(code),
        Kind::of::<logistic::LogisticRegression>(code),
        Kind::of::<predict::Predict>(code),
    ]
}
