//! How good predictions and clusterings are, and how sure one may be of it.
//!
//! Labels are class numbers from 0. Where a score is undefined (a class without predictions, no
//! rows at all) the function's documentation says what comes instead; none returns NaN.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod classification;
mod clustering;
mod interval;
mod uncertainty;

pub use classification::{ClassScores, Confusion, accuracy};
pub use clustering::{
    adjusted_rand_index, best_assignment, matched_accuracy, normalized_mutual_information,
};
pub use interval::{Interval, mean_interval, prediction_half_width, welch_half_width};
pub use uncertainty::{entropy, margin};
