//! Propagation: from a few labels to labels for many more images.
//!
//! | kind | what it does |
//! | --- | --- |
//! | `propagate-clusters` | each cluster takes the label of its labelled images ([`clusters`]) |
//! | `propagate-neighbours` | each image takes the label of its nearest labelled images ([`neighbours`]) |
//!
//! Both write a table of labels that any classifier can be fitted to. Labels that were given stay
//! as they are, with their source; the others have the source `propagated` and a confidence that is
//! the kind's own estimate. An image that no label reaches is not in the table: nothing is ever
//! labelled by default. Rows are in the order of ids, and the result depends neither on the order
//! of the inputs nor on the number of threads.
//!
//! Images of the test split get no label, and none that they have is used.
//!
//! ```
//! let names: Vec<String> =
//!     scarce_propagate::kinds().iter().map(|kind| kind.description().kind.clone()).collect();
//! assert_eq!(names, ["propagate-clusters", "propagate-neighbours"]);
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clusters;
mod error;
mod found;
pub mod neighbours;

#[cfg(test)]
mod bench;

pub use error::Error;

use scarce_stage::Kind;

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![
        Kind::of::<clusters::PropagateClusters>(code),
        Kind::of::<neighbours::PropagateNeighbours>(code),
    ]
}
