//! Clustering: which images lie close together, found without any label.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `kmeans` | k groups around their means, by Lloyd's algorithm ([`kmeans`]) |
//! | `minibatch-kmeans` | the same, nearly as good and much sooner, by small batches ([`minibatch`]) |
//! | `gaussian-mixture` | k clouds that may be long and of different sizes ([`mixture`]) |
//! | `assign` | the centroids of a fit applied to other images ([`assign`]) |
//!
//! A clustering serves twice. Before labelling, the image nearest to the centre of each cluster,
//! its *representative*, is worth a label more than an image picked at random (`budget` takes the
//! clusters). After labelling, a label can be given to the whole cluster (`propagate-clusters`), or
//! only to its inner part: each image carries its distance to the centroid and its `percentile`,
//! the share of the cluster that is at most as far, from just above 0 to 100.
//!
//! All rows that are clustered are held in memory, by `kmeans` twice while the clusters are sought.
//! They are put in the order of their ids first, so that the result depends neither on the order of
//! the features nor on the number of threads.
//!
//! ```
//! let kinds = scarce_cluster::kinds();
//! let outputs: Vec<_> = kinds[0].description().outputs.iter().map(|port| &port.name).collect();
//! assert_eq!(outputs, ["clusters", "centroids"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod assign;
mod error;
mod fitted;
pub mod kmeans;
mod members;
pub mod minibatch;
pub mod mixture;
mod points;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use fitted::Init;
pub use scarce_stage::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<kmeans::KMeans>(code),
        Kind::of::<minibatch::MiniBatchKMeans>(code),
        Kind::of::<mixture::GaussianMixture>(code),
        Kind::of::<assign::Assign>(code),
    ]
}
