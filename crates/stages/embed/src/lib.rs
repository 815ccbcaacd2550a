//! Embeddings that need no training by gradient: a vector for every image.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `pixels` | the pixels themselves, scaled to [0, 1] ([`pixels`]) |
//! | `pca` | coordinates along the principal components ([`pca`]) |
//! | `project` | a projection fitted earlier, applied to other images ([`project`]) |
//! | `centroid-distances` | distances to the centroids of clusters ([`centroid_distances`]) |
//! | `tsne` | a map in two dimensions, for looking at ([`tsne`]) |
//!
//! All but `tsne` stream: memory holds one batch of images, and for `pca` a covariance matrix.
//! Nothing is learnt from images of the test split, which are embedded like all others; `tsne`,
//! which cannot place what it did not learn from, leaves them out. Rows keep the order of the input
//! (`tsne`: of the ids), and nothing depends on the number of threads.
//!
//! ```
//! let names: Vec<String> =
//!     scarce_embed::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(names, ["pixels", "pca", "project", "centroid-distances", "tsne"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod centroid_distances;
mod error;
pub mod pca;
pub mod pixels;
pub mod project;
mod projection;
mod source;
pub mod tsne;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use scarce_stage::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<pixels::Pixels>(code),
        Kind::of::<pca::PrincipalComponents>(code),
        Kind::of::<project::Project>(code),
        Kind::of::<centroid_distances::CentroidDistances>(code),
        Kind::of::<tsne::Tsne>(code),
    ]
}
