//! Linear models: logistic regression and principal components.
//!
//! Parameters and fitted models are separate types: [`Logistic`] is what you ask for, [`FittedLogistic`]
//! what you get.
//!
//! | module | what it computes |
//! | --- | --- |
//! | [`logistic`] | multinomial logistic regression by L-BFGS in whitened coordinates |
//! | [`pca`] | principal components, optionally whitened, of a matrix or of a stream of rows |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod lbfgs;
pub mod logistic;
pub mod pca;

pub use logistic::{FittedLogistic, Logistic};
pub use pca::{FittedPca, Pca};
