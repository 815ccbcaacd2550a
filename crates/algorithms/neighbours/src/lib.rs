//! Nearest neighbours, exact or approximate, Euclidean or cosine, and classes by their votes.
//!
//! Results are the same on every kind of CPU.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod neighbours;
pub mod vote;

pub use neighbours::{Metric, Neighbours};
