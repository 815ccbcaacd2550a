//! Maps of many dimensions in two: Barnes–Hut t-SNE.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod tsne;

pub use tsne::{FittedTsne, Tsne};
