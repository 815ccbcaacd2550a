//! Clusters: k-means by Lloyd's algorithm or by mini-batches, mixtures of Gaussian distributions.
//!
//! # Example
//!
//! ```
//! use scarce_clustering::KMeans;
//! use scarce_numeric::Matrix;
//!
//! let points = [0.0, 0.1, 0.2, 0.0, 5.0, 5.1, 5.2, 5.0];
//! let x = Matrix::new(&points, 4, 2)?;
//! let fitted = KMeans::new(2).fit(x)?;
//! assert_eq!(fitted.labels[0], fitted.labels[1]);
//! assert_ne!(fitted.labels[0], fitted.labels[2]);
//! # Ok::<(), scarce_numeric::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod kmeans;
pub mod mixture;

pub use kmeans::{FittedKMeans, KMeans};
pub use mixture::{FittedMixture, GaussianMixture};
