//! Which rows to label first, when nothing or little is known of their classes.
//!
//! | function | picks |
//! | --- | --- |
//! | [`core_set`] | the row farthest from all picked ones, again and again |
//! | [`max_herding`] | the row that adds most to how well all rows are covered |
//! | [`typical`] | in each cluster without a label the row in its densest part |
//!
//! All are greedy, so the first few picks for a large budget are the picks for a small one, except
//! where the clusters of [`typical`] are made for the budget. Rows that are labelled already count
//! as picked, and are never picked again.

mod core_set;
mod herding;
mod typical;

pub use core_set::core_set;
pub use herding::{MaxHerding, max_herding};
pub use typical::typical;

use crate::{Error, Matrix};

/// A row that was picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Which row.
    pub row: usize,
    /// How much it was wanted, in the units of the strategy; higher is more.
    pub score: f64,
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
