//! Queries: which images to label next.
//!
//! Two kinds ask. The kind `query` reads what a propagation or a classifier believes of every image and names those
//! whose labels would tell it most: the ones that it is least sure of. What has a label already is
//! never asked for, and no image of the test split.
//!
//! | strategy | asks first for the image with the |
//! | --- | --- |
//! | `entropy` | highest entropy of its distribution |
//! | `margin` | smallest lead of the most probable class over the second |
//! | `least-confidence` | least probable most probable class |
//! | `random` | smallest number drawn: what any strategy must beat |
//! | `in-order` | smallest id |
//!
//! Burr Settles, *Active Learning Literature Survey* (University of Wisconsin–Madison, Computer
//! Sciences Technical Report 1648, 2009), section 3.1, compares the first three. Of equal scores the
//! smaller id comes first, so the order of the inputs changes nothing. With `diverse` a batch holds no
//! images that are alike.
//!
//! Before there are labels to believe anything by, the kind `select` chooses images by where they
//! lie, so that a few stand for all: `max-herding`, `typiclust`, `core-set`, `representatives`
//! (numerics in [`scarce_selection`]). It sees no test image either.
//!
//! The answers come from `annotate` (which simulates an annotator) or from a person; in rounds they
//! lead to the next queries.
//!
//! ```
//! let kinds = scarce_query::kinds();
//! assert_eq!(kinds[0].description().kind, "query");
//! assert_eq!(kinds[1].description().kind, "select");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod beliefs;
mod candidates;
mod error;
mod params;
mod pool;
mod query;
mod select;

#[cfg(test)]
mod tests;

use scarce_stage::Kind;

pub use error::{Error, Result};
pub use params::{Params, Strategy};
pub use select::{Geometry, SelectParams};

/// The kinds of this crate.
pub fn kinds() -> Vec<Kind> {
    let code = env!("SCARCE_FINGERPRINT");
    vec![Kind::of::<query::Query>(code), Kind::of::<select::Select>(code)]
}
