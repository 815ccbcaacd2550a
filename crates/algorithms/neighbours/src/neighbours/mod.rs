//! k nearest neighbours: exact, or approximate with a measured recall ([`approximate`]).
//!
//! The exact search compares all rows by matrix products, whole ([`exhaustive`]) or, where that promises
//! to be faster, by sketches that tell how near they can be at most ([`bounded`]). Either way the answer
//! is that of a plain double loop over differences in `f64`, ties included, on every machine.

mod bounded;
mod exhaustive;
mod inverted_file;
mod sketch;

pub use inverted_file::{Approximate, approximate};

use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::ROW_BLOCK,
    product::{dot, squared_distance},
};
use std::cmp::Ordering;

/// What "near" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// ‖x − y‖.
    Euclidean,
    /// 1 − cos(x, y), from 0 to 2. A row of zeros is at distance 1 from everything.
    Cosine,
}

/// The `k` nearest base rows of every query, nearest first; of equal distances the smaller
/// index comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Neighbours per query.
    pub k: usize,
    /// Base rows, `[queries, k]`.
    pub indices: Vec<u32>,
    /// Distances in the metric asked for (Euclidean: not squared), `[queries, k]`.
    pub distances: Vec<f32>,
}

impl Neighbours {
    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.indices.len() / self.k
    }

    /// The neighbours of one query: base rows and distances, both `[k]`.
    ///
    /// # Panics
    /// If there is no such query.
    pub fn of(&self, query: usize) -> (&[u32], &[f32]) {
        let range = query * self.k..(query + 1) * self.k;
        (&self.indices[range.clone()], &self.distances[range])
    }
}

/// The `k` nearest rows of `base: [m, d]` to every row of `queries: [n, d]`.
///
/// # Errors
/// [`Error::Parameter`] if `k` is 0, [`Error::TooFew`] if `k > m`, [`Error::Width`],
/// [`Error::NotFinite`], [`Error::Overflow`].
pub fn nearest_neighbours(
    queries: Matrix<'_>,
    base: Matrix<'_>,
    k: usize,
    metric: Metric,
) -> Result<Neighbours, Error> {
    queries.check_width(base)?;
    queries.check_finite()?;
    base.check_finite()?;
    check_k(k, base.rows())?;
    let without_self = false;
    match metric {
        Metric::Euclidean => Pairs { queries, base, metric, without_self }.nearest(k),
        Metric::Cosine => {
            let (a, b) = (unit_rows(queries), unit_rows(base));
            let queries = Matrix::new(&a, queries.rows(), queries.cols())?;
            let base = Matrix::new(&b, base.rows(), base.cols())?;
            Pairs { queries, base, metric, without_self }.nearest(k)
        }
    }
}

/// The `k` nearest *other* rows of every row of `x: [n, d]`.
///
/// Only the row itself is left out: its duplicates, at distance 0, are neighbours.
///
/// # Errors
/// As [`nearest_neighbours`]; [`Error::TooFew`] if `k >= n`.
pub fn self_neighbours(x: Matrix<'_>, k: usize, metric: Metric) -> Result<Neighbours, Error> {
    x.check_finite()?;
    check_k(k, x.rows().saturating_sub(1))?;
    let without_self = true;
    match metric {
        Metric::Euclidean => Pairs { queries: x, base: x, metric, without_self }.nearest(k),
        Metric::Cosine => {
            let unit = unit_rows(x);
            let x = Matrix::new(&unit, x.rows(), x.cols())?;
            Pairs { queries: x, base: x, metric, without_self }.nearest(k)
        }
    }
}

fn check_k(k: usize, available: usize) -> Result<(), Error> {
    if k == 0 {
        return Err(Error::Parameter { name: "k", must: "at least 1", value: k.to_string() });
    }
    if k > available {
        return Err(Error::TooFew { what: "neighbours", wanted: k, available });
    }
    Ok(())
}

/// Every row divided by its length; rows of zeros stay.
fn unit_rows(x: Matrix<'_>) -> Vec<f32> {
    let mut unit = x.data().to_vec();
    unit.par_chunks_exact_mut(x.cols()).for_each(|row| {
        let length = dot(row, row).sqrt();
        if length > 0.0 {
            for value in row {
                *value = (f64::from(*value) / length) as f32;
            }
        }
    });
    unit
}

/// A distance or what stands for it, and a base row. Nearest first; of equals the smaller index.
type Candidate<T> = (T, u32);

fn nearest_first(a: &Candidate<f64>, b: &Candidate<f64>) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Who is to be compared with whom. With [`Metric::Cosine`] all rows have length 1 or are zeros.
#[derive(Clone, Copy)]
struct Pairs<'a> {
    queries: Matrix<'a>,
    base: Matrix<'a>,
    metric: Metric,
    /// Queries and base are the same rows, and none is its own neighbour.
    without_self: bool,
}

impl Pairs<'_> {
    fn nearest(self, k: usize) -> Result<Neighbours, Error> {
        match sketch::Sketches::worth_it(self, k)? {
            Some(sketches) => bounded::nearest(self, &sketches, k),
            None => exhaustive::nearest(self, k),
        }
    }

    /// Squared distance (Euclidean) or distance (cosine).
    fn exact(self, query: usize, index: u32) -> f64 {
        let (x, y) = (self.queries.row(query), self.base.row(index as usize));
        match self.metric {
            Metric::Euclidean => squared_distance(x, y),
            // Two equal directions must not come out a rounding below 0.
            Metric::Cosine => (1.0 - dot(x, y)).max(0.0),
        }
    }

    /// The largest that a squared Euclidean distance can be, from what [`Pairs::exact`] says.
    fn squared(self, exact: f64) -> f64 {
        // ‖x − y‖² = 2 (1 − x·y) + (‖x‖² − 1) + (‖y‖² − 1), and of a row of length 1 that was rounded to
        // `f32` the square is off by up to ε; of a row of zeros it is 0, not 1, which only helps.
        const OFF: f64 = 4.0 * f32::EPSILON as f64;
        match self.metric {
            Metric::Euclidean => exact,
            Metric::Cosine => 2.0 * exact + OFF,
        }
    }

    fn finished(self, exact: f64) -> f32 {
        match self.metric {
            Metric::Euclidean => exact.sqrt() as f32,
            Metric::Cosine => exact as f32,
        }
    }

    /// Answers block by block, side by side: `find(first, rows)` gives the `k` nearest of each of so
    /// many queries, nearest first.
    fn in_blocks<F>(self, k: usize, find: F) -> Neighbours
    where
        F: Fn(usize, usize) -> Vec<Vec<Candidate<f64>>> + Sync,
    {
        let mut indices = vec![0u32; self.queries.rows() * k];
        let mut distances = vec![0f32; self.queries.rows() * k];
        let blocks =
            indices.par_chunks_mut(ROW_BLOCK * k).zip(distances.par_chunks_mut(ROW_BLOCK * k));
        blocks.enumerate().for_each(|(block, (indices, distances))| {
            let found = find(block * ROW_BLOCK, indices.len() / k);
            let places = indices.iter_mut().zip(distances);
            for ((i, d), (distance, index)) in places.zip(found.into_iter().flatten()) {
                (*i, *d) = (index, self.finished(distance));
            }
        });
        Neighbours { k, indices, distances }
    }
}

#[cfg(test)]
mod tests;
