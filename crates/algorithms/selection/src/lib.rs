//! Which rows to label first, when nothing or little is known of their classes.
//!
//! | function | picks |
//! | --- | --- |
//! | [`core_set`] | the row farthest from all picked ones, again and again |
//! | [`max_herding`] | the row that adds most to how well all rows are covered |
//! | [`typical`] | in each cluster without a label the row in its densest part |
//! | [`representatives`] | in each cluster without a label the row nearest to its centroid |
//! | [`diverse`] | of rows that are wanted by other measures, some that are not alike |
//!
//! All but the last two are greedy, so the first few picks for a large budget are the picks for a
//! small one, unless clusters are made for the budget, as in the paper of [`typical`]. Rows that are
//! labelled already count as picked, and are never picked again.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod core_set;
mod diverse;
mod herding;
mod representative;
mod typical;

pub use core_set::core_set;
pub use diverse::diverse;
pub use herding::{MaxHerding, max_herding};
pub use representative::representatives;
pub use typical::typical;

use scarce_numeric::{Error, Matrix};

/// A row that was picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Which row.
    pub row: usize,
    /// How much it was wanted, in the units of the strategy; higher is more.
    pub score: f64,
}

/// Most clusters that labelled rows call for: beyond, they would hold a handful of rows each (the
/// authors of [`typical`] stop there too).
const MOST_CLUSTERS: usize = 500;

/// How many clusters to make where `labelled` rows are known and `count` are to be picked: as many
/// as both together, so that at least `count` have no labelled row; at most 500, or `count` if that
/// is more.
pub fn cluster_number(labelled: usize, count: usize) -> usize {
    labelled.saturating_add(count).min(MOST_CLUSTERS.max(count))
}

/// Checks that there are as many rows to pick as are asked for, and says which are labelled.
fn taken(x: Matrix<'_>, labelled: &[usize], count: usize) -> Result<Vec<bool>, Error> {
    x.check_finite()?;
    let mut taken = vec![false; x.rows()];
    for &row in labelled {
        let Some(place) = taken.get_mut(row) else {
            let value = row.to_string();
            return Err(Error::Parameter { name: "labelled", must: "rows of the matrix", value });
        };
        *place = true;
    }
    let available = taken.iter().filter(|taken| !**taken).count();
    if count > available {
        return Err(Error::TooFew { what: "rows to pick", wanted: count, available });
    }
    Ok(taken)
}
