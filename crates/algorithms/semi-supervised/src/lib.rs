//! Semi-supervised learning as scikit-learn has it: label propagation, label spreading, self-training.
//!
//! | module | what it computes |
//! | --- | --- |
//! | [`transduction`] | label propagation and label spreading by a kernel or by neighbours |
//! | [`self_training`] | a classifier that learns from its own confident predictions |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod self_training;
pub mod transduction;

pub use self_training::{SelfTrained, SelfTraining};
pub use transduction::{Transduced, Transduction};
