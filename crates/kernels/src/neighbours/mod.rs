//! k nearest neighbours: exact, or approximate with a measured recall ([`approximate`]).
//!
//! Of the exact search: matrix products give approximate distances to all base rows, tile by tile; the best few per
//! query are measured again from the differences, in `f64`. A bound on the rounding of the
//! product (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.5) shows that no other
//! row can belong among them; where it does not, that query is measured against every row. So
//! the answer is that of a plain double loop, ties included, on every machine.

mod approximate;

pub use approximate::{Approximate, approximate};

use crate::blocks::{ROW_BLOCK, ranges};
use crate::distance::{keys, squared_norms};
use crate::nearest::TILE;
use crate::product::{dot, squared_distance};
use crate::{Error, Matrix};
use rayon::prelude::*;

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
    match metric {
        Metric::Euclidean => Ok(Search::new(queries, base, k, metric, false)?.run()),
        Metric::Cosine => {
            let (a, b) = (unit_rows(queries), unit_rows(base));
            let queries = Matrix::new(&a, queries.rows(), queries.cols())?;
            let base = Matrix::new(&b, base.rows(), base.cols())?;
            Ok(Search::new(queries, base, k, metric, false)?.run())
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
    match metric {
        Metric::Euclidean => Ok(Search::new(x, x, k, metric, true)?.run()),
        Metric::Cosine => {
            let unit = unit_rows(x);
            let x = Matrix::new(&unit, x.rows(), x.cols())?;
            Ok(Search::new(x, x, k, metric, true)?.run())
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

/// Keys that are looked at together: most of the time none of them is small enough.
const SCAN: usize = 32;

/// A base row and either its key (approximate) or its distance.
type Candidate<T> = (T, u32);

struct Search<'a> {
    queries: Matrix<'a>,
    base: Matrix<'a>,
    k: usize,
    /// Candidates to measure again: a few more than `k`.
    kept: usize,
    metric: Metric,
    without_self: bool,
    /// ‖y‖² for Euclidean, 0 for cosine, so that ‖y‖² − 2 x·y orders the rows of the base.
    offsets: Vec<f32>,
    /// ‖x‖² of the queries.
    query_norms: Vec<f32>,
    /// The largest ‖y‖ of the base.
    longest: f64,
}

impl<'a> Search<'a> {
    fn new(
        queries: Matrix<'a>,
        base: Matrix<'a>,
        k: usize,
        metric: Metric,
        without_self: bool,
    ) -> Result<Self, Error> {
        let mut offsets = squared_norms(base)?;
        let longest = f64::from(offsets.iter().copied().fold(0.0, f32::max)).sqrt();
        if metric == Metric::Cosine {
            offsets.fill(0.0);
        }
        Ok(Self {
            queries,
            base,
            k,
            kept: k + 8 + k / 4,
            metric,
            without_self,
            offsets,
            query_norms: squared_norms(queries)?,
            longest,
        })
    }

    fn run(&self) -> Neighbours {
        let k = self.k;
        let mut indices = vec![0u32; self.queries.rows() * k];
        let mut distances = vec![0f32; self.queries.rows() * k];
        indices
            .par_chunks_mut(ROW_BLOCK * k)
            .zip(distances.par_chunks_mut(ROW_BLOCK * k))
            .enumerate()
            .for_each(|(block, (indices, distances))| {
                let start = block * ROW_BLOCK;
                let kept = self.candidates(start, indices.len() / k);
                let rows = indices.chunks_mut(k).zip(distances.chunks_mut(k));
                for (offset, (kept, (indices, distances))) in kept.iter().zip(rows).enumerate() {
                    let found = self.settle(start + offset, kept);
                    for ((i, d), (distance, index)) in indices.iter_mut().zip(distances).zip(found)
                    {
                        (*i, *d) = (index, self.finished(distance));
                    }
                }
            });
        Neighbours { k, indices, distances }
    }

    /// The best rows by approximate key for a block of queries.
    fn candidates(&self, start: usize, rows: usize) -> Vec<Shortlist> {
        let queries = self.queries.block(start..start + rows);
        let mut lists: Vec<_> = (0..rows).map(|_| Shortlist::new(self.kept)).collect();
        let mut tile = Vec::new();
        for columns in ranges(self.base.rows(), TILE) {
            tile.resize(rows * columns.len(), 0.0);
            let base = self.base.block(columns.clone());
            keys(queries, base, &self.offsets[columns.clone()], &mut tile);
            let tile_rows = tile.chunks_exact_mut(columns.len());
            for (row, (keys, list)) in tile_rows.zip(&mut lists).enumerate() {
                let itself = start + row;
                if self.without_self && columns.contains(&itself) {
                    keys[itself - columns.start] = f32::INFINITY;
                }
                list.scan(columns.start as u32, keys);
            }
        }
        for list in &mut lists {
            list.shrink();
        }
        lists
    }

    /// The `k` nearest rows of one query with their exact distances.
    fn settle(&self, query: usize, list: &Shortlist) -> Vec<Candidate<f64>> {
        let exact = |&(_, index): &Candidate<f32>| (self.exact(query, index), index);
        let mut found: Vec<_> = list.items.iter().map(exact).collect();
        self.keep_nearest(&mut found);
        let norm = f64::from(self.query_norms[query]);
        let units = (self.queries.cols() + 16) as f64 * f64::from(f32::EPSILON) / 2.0;
        let rounding = units * (norm.sqrt() + self.longest).powi(2);
        // In units of the key; `exact` is ‖x‖² more (Euclidean) or 1 + key / 2 (cosine).
        let farthest = match (self.metric, found.last()) {
            (Metric::Euclidean, Some(&(distance, _))) => distance - norm,
            (Metric::Cosine, Some(&(distance, _))) => 2.0 * (distance - 1.0),
            (_, None) => f64::INFINITY,
        };
        if !list.complete() && farthest + rounding >= f64::from(list.bar) {
            let others = (0..self.base.rows() as u32)
                .filter(|&index| !(self.without_self && index as usize == query));
            found = others.map(|index| (self.exact(query, index), index)).collect();
            self.keep_nearest(&mut found);
        }
        found
    }

    fn keep_nearest(&self, found: &mut Vec<Candidate<f64>>) {
        let order =
            |a: &Candidate<f64>, b: &Candidate<f64>| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if found.len() > self.k {
            found.select_nth_unstable_by(self.k - 1, order);
            found.truncate(self.k);
        }
        found.sort_unstable_by(order);
    }

    /// Squared distance (Euclidean) or distance (cosine, on rows of length 1).
    fn exact(&self, query: usize, index: u32) -> f64 {
        let (x, y) = (self.queries.row(query), self.base.row(index as usize));
        match self.metric {
            Metric::Euclidean => squared_distance(x, y),
            // Two equal directions must not come out a rounding below 0.
            Metric::Cosine => (1.0 - dot(x, y)).max(0.0),
        }
    }

    fn finished(&self, exact: f64) -> f32 {
        match self.metric {
            Metric::Euclidean => exact.sqrt() as f32,
            Metric::Cosine => exact as f32,
        }
    }
}

/// The smallest keys seen so far. It gathers up to twice as many as it keeps before it drops
/// the larger half, so a key costs constant time on average.
struct Shortlist {
    kept: usize,
    /// Keys not below this one are not needed.
    bar: f32,
    items: Vec<Candidate<f32>>,
}

impl Shortlist {
    fn new(kept: usize) -> Self {
        Self { kept, bar: f32::INFINITY, items: Vec::with_capacity(2 * kept) }
    }

    /// Takes in the keys of the base rows from `first` on.
    fn scan(&mut self, first: u32, keys: &[f32]) {
        for (chunk, keys) in keys.chunks(SCAN).enumerate() {
            // Without an early way out the compiler can use vector instructions.
            if keys.iter().map(|&key| u32::from(key < self.bar)).sum::<u32>() == 0 {
                continue;
            }
            for (within, &key) in keys.iter().enumerate() {
                if key < self.bar {
                    self.items.push((key, first + (chunk * SCAN + within) as u32));
                    if self.items.len() == 2 * self.kept {
                        self.shrink();
                    }
                }
            }
        }
    }

    fn shrink(&mut self) {
        if self.items.len() > self.kept {
            let order =
                |a: &Candidate<f32>, b: &Candidate<f32>| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            let (_, &mut (bar, _), _) = self.items.select_nth_unstable_by(self.kept - 1, order);
            self.bar = bar;
            self.items.truncate(self.kept);
        }
    }

    /// Whether nothing was ever turned away.
    fn complete(&self) -> bool {
        self.bar == f32::INFINITY
    }
}

#[cfg(test)]
mod tests;
