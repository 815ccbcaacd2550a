//! What every algorithm stands on: matrices, blocks of rows, products, distances, seeded random streams.
//!
//! Everything works on plain row-major slices, seen through [`Matrix`], and knows nothing of tables,
//! stages or libtorch.
//!
//! | module | what it computes |
//! | --- | --- |
//! | [`blocks`] | rows cut into blocks of a fixed size, sums over them in a fixed order |
//! | [`product`] | matrix products and inner products, each on one thread |
//! | [`distance`], [`nearest`] | squared Euclidean distances, the nearest of some rows |
//! | [`eigen`] | covariance matrices, eigenvectors of symmetric ones |
//! | [`softmax`] | exponentials and softmax |
//! | [`random`] | one independent random stream per (seed, purpose, item) |
//! | [`members`] | who belongs to which group |
//!
//! # Promises, of this crate and of all algorithms on it
//!
//! *The number of threads does not change a bit of any result.* Rows are cut into blocks of a
//! fixed size, each block is computed by one thread, and sums over blocks are taken in the order
//! of the rows. Matrix products pick their instructions by what the CPU offers, so another kind
//! of CPU may round differently.
//!
//! *Bad input is an [`Error`].* Functions that take a matrix look for NaN and infinities first.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod argmax;
pub mod blocks;
pub mod distance;
pub mod eigen;
pub mod error;
mod matrix;
pub mod members;
pub mod nearest;
pub mod product;
pub mod random;
pub mod softmax;

pub use argmax::winners;
pub use error::Error;
pub use matrix::Matrix;
