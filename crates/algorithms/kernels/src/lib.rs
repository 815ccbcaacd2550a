//! Numerics for learning from few labels: distances, neighbours, clusters, linear models, scores.
//!
//! Everything here works on plain row-major `f32` slices, seen through [`Matrix`], and knows
//! nothing of tables, stages or libtorch. Parameters and fitted models are separate types:
//! [`KMeans`] is what you ask for, [`FittedKMeans`] what you get.
//!
//! | module | what it computes |
//! | --- | --- |
//! | [`random`] | one independent random stream per (seed, purpose, item) |
//! | [`distance`] | squared Euclidean distances, nearest rows |
//! | [`neighbours`] | k nearest neighbours, exact or approximate, Euclidean or cosine |
//! | [`graph`] | graphs of neighbours; Laplace and Poisson learning, label spreading, spectral embedding |
//! | [`kmeans`] | k-means by Lloyd's algorithm or by mini-batches, k-means++ |
//! | [`mixture`] | mixtures of Gaussian distributions |
//! | [`logistic`] | multinomial logistic regression by L-BFGS |
//! | [`pca`] | principal components, optionally whitened |
//! | [`self_training`] | a classifier that learns from its own confident predictions |
//! | [`transduction`] | label spreading and label propagation |
//! | [`tsne`] | maps in two dimensions by Barnes–Hut t-SNE |
//! | [`vote`] | class probabilities from neighbours |
//! | [`selection`] | which rows to label first |
//! | [`scores`] | accuracy, F1, NMI, ARI, matched accuracy, entropy, intervals |
//!
//! # Promises
//!
//! *The number of threads does not change a bit of any result.* Rows are cut into blocks of a
//! fixed size, each block is computed by one thread, and sums over blocks are taken in the order
//! of the rows. Matrix products pick their instructions by what the CPU offers, so another kind
//! of CPU may round differently; [`neighbours`] and [`scores`] are the same everywhere.
//!
//! *Bad input is an [`Error`].* Functions that take a matrix look for NaN and infinities first.
//!
//! # Example
//!
//! ```
//! use scarce_kernels::{KMeans, Matrix};
//!
//! let points = [0.0, 0.1, 0.2, 0.0, 5.0, 5.1, 5.2, 5.0];
//! let x = Matrix::new(&points, 4, 2)?;
//! let fitted = KMeans::new(2).fit(x)?;
//! assert_eq!(fitted.labels[0], fitted.labels[1]);
//! assert_ne!(fitted.labels[0], fitted.labels[2]);
//! # Ok::<(), scarce_kernels::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod blocks;
pub mod distance;
mod error;
pub mod graph;
pub mod kmeans;
mod lbfgs;
pub mod logistic;
mod matrix;
mod members;
pub mod mixture;
mod nearest;
pub mod neighbours;
pub mod pca;
mod product;
pub mod random;
pub mod scores;
pub mod selection;
pub mod self_training;
pub mod transduction;
pub mod tsne;
pub mod vote;

#[cfg(test)]
mod fixtures;

pub use error::Error;
pub use kmeans::{FittedKMeans, KMeans};
pub use logistic::{FittedLogistic, Logistic};
pub use matrix::Matrix;
pub use mixture::{FittedMixture, GaussianMixture};
pub use neighbours::{Metric, Neighbours};
pub use pca::{FittedPca, Pca};
pub use self_training::{SelfTrained, SelfTraining};
pub use transduction::{Transduced, Transduction};
pub use tsne::{FittedTsne, Tsne};
