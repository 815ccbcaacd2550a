//! Clustering: which images lie close together, found without any label.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `kmeans` | k groups around their means, by Lloyd's algorithm ([`kmeans`]) |
//!
//! A clustering serves twice. Before labelling, the image nearest to the centre of each cluster,
//! its *representative*, is worth a label more than an image picked at random (`budget` takes the
//! clusters). After labelling, a label can be given to the whole cluster (`propagate-clusters`), or
//! only to its inner part: each image carries its distance to the centroid and its `percentile`,
//! the share of the cluster that is at most as far, from just above 0 to 100.
//!
//! All rows that are clustered are held in memory, twice while the clusters are sought. They are
//! put in the order of their ids first, so that the result depends neither on the order of the
//! features nor on the number of threads.
//!
//! ```
//! let kinds = scarce_cluster::kinds();
//! let outputs: Vec<_> = kinds[0].description().outputs.iter().map(|port| &port.name).collect();
//! assert_eq!(outputs, ["clusters", "centroids"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
pub mod kmeans;
mod members;
mod points;

#[cfg(test)]
mod bench;

pub use error::Error;
pub use points::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    vec![Kind::of::<kmeans::KMeans>(env!("SCARCE_FINGERPRINT"))]
}
