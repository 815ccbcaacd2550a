//! Learning on a graph of nearest neighbours: what ten labels can reach.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `neighbour-graph` | joins every image to its nearest neighbours ([`neighbour_graph`]) |
//! | `propagate-graph` | lets a few labels flow along the edges ([`propagate`]) |
//! | `propagate-logistic` | the same, and logistic regression on the images' features, together ([`propagate_logistic`]) |
//! | `query-graph` | asks for labels of the images that labels reach least ([`query_graph`]) |
//! | `graph-predict` | gives new images the vote of the nearest images of a graph ([`predict`]) |
//! | `spectral-embedding` | coordinates of the images, by which clusters of any shape are round ([`spectral_embedding`]) |
//!
//! A graph is two tables: `nodes`, its images, and `edges`, each pair of neighbours once with a
//! weight. It knows no label, so that one graph serves every method, budget and seed below it:
//!
//! ```toml
//! [stages.graph]
//! kind = "neighbour-graph"
//! inputs = { features = "codes" }
//!
//! [stages.spread]
//! kind = "propagate-graph"
//! inputs = { nodes = "graph", edges = "graph", labels = "labels" }
//! method = "poisson-mbo"
//!
//! [stages.test]
//! kind = "graph-predict"
//! inputs = { features = "codes", distributions = "spread" }
//! ```
//!
//! By default the graph is of the images that may be learnt from, and `graph-predict` sees the test
//! images only afterwards. A transductive study takes `splits = ["train", "test"]` for the graph.
//!
//! The numerics are in [`scarce_graph_learning`]. Nothing depends on the number of threads or on the
//! order of rows, and nothing is labelled by default: an image that no label reaches has none.
//!
//! ```
//! let names: Vec<String> =
//!     scarce_graph::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(names[..3], ["neighbour-graph", "propagate-graph", "propagate-logistic"]);
//! assert_eq!(names[3..], ["query-graph", "graph-predict", "spectral-embedding"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod belief;
mod calibrate;
mod choices;
mod error;
mod labels;
mod method;
pub mod neighbour_graph;
mod params;
pub mod predict;
mod priors;
pub mod propagate;
pub mod propagate_logistic;
pub mod query_graph;
pub mod spectral_embedding;
mod tables;

#[cfg(test)]
mod testing;

pub use choices::Metric;
pub use error::Error;
pub use method::Method;
pub use params::{Confidence, Params as PropagateParams, Sizes};
pub use priors::{PriorRule, Priors};

pub use scarce_stage::SplitName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<neighbour_graph::NeighbourGraph>(code),
        Kind::of::<propagate::PropagateGraph>(code),
        Kind::of::<propagate_logistic::PropagateLogistic>(code),
        Kind::of::<query_graph::QueryGraph>(code),
        Kind::of::<predict::GraphPredict>(code),
        Kind::of::<spectral_embedding::SpectralEmbedding>(code),
    ]
}
