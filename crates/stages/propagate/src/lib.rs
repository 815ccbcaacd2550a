//! Propagation: from a few labels to labels for many more images.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `propagate-clusters` | each cluster takes the label of its labelled images ([`clusters`]) |
//! | `propagate-neighbours` | each image takes the label of its nearest labelled images ([`neighbours`]) |
//! | `propagate-nearest` | each labelled image gives its label to the images nearest to it ([`nearest`]) |
//! | `label-spreading` | labels spread along weighted links, and may be overruled ([`spreading`]) |
//! | `label-propagation` | labels flow along weighted links, given ones held fast ([`propagation`]) |
//! | `pseudo-labels` | the most confident predictions of a classifier are taken for labels ([`pseudo_labels`]) |
//! | `self-training` | a classifier learns from its own confident predictions ([`self_training`]) |
//!
//! All write a table of labels that any classifier can be fitted to. Labels that were given stay
//! as they are, with their source; the others have the source `propagated` and a confidence that is
//! the kind's own estimate. An image that no label reaches is not in the table: nothing is ever
//! labelled by default. Rows are in the order of ids, and the result depends neither on the order
//! of the inputs nor on the number of threads. `label-spreading`, `label-propagation`
//! and `self-training` also write `distributions`, what they believe of every image.
//!
//! An image has one given label at most. Propagated ones may repeat it, one row for each time it
//! was claimed (`propagate-nearest` with `overlap = "keep"`); whoever reads the table counts each.
//!
//! Images of the test split get no label, and none that they have is used.
//!
//! ```
//! let names: Vec<String> =
//!     scarce_propagate::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(names[..3], ["propagate-clusters", "propagate-neighbours", "propagate-nearest"]);
//! assert_eq!(names[3..5], ["label-spreading", "label-propagation"]);
//! assert_eq!(names[5..], ["pseudo-labels", "self-training"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clusters;
mod error;
mod found;
mod metric;
pub mod nearest;
pub mod neighbours;
mod points;
pub mod propagation;
pub mod pseudo_labels;
pub mod self_training;
pub mod spreading;
mod transduce;

#[cfg(test)]
mod known;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use metric::Metric;
pub use points::SplitName;
pub use transduce::KernelName;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<clusters::PropagateClusters>(code),
        Kind::of::<neighbours::PropagateNeighbours>(code),
        Kind::of::<nearest::PropagateNearest>(code),
        Kind::of::<spreading::LabelSpreading>(code),
        Kind::of::<propagation::LabelPropagation>(code),
        Kind::of::<pseudo_labels::PseudoLabels>(code),
        Kind::of::<self_training::SelfTraining>(code),
    ]
}
