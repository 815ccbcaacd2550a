//! Every query beside every base row.
//!
//! Matrix products give approximate distances, tile by tile; the best few per query are measured again.
//! A bound on the rounding of the product (Higham, *Accuracy and Stability of Numerical Algorithms*,
//! §3.5) shows that no other row can belong among them; where it does not, that query is measured
//! against every row.

use super::{Candidate, Metric, Neighbours, Pairs, nearest_first};
use scarce_numeric::{
    Error,
    blocks::ranges,
    distance::{keys, squared_norms},
    nearest::TILE,
};

/// Keys that are looked at together: most of the time none of them is small enough.
const SCAN: usize = 32;

pub(super) fn nearest(pairs: Pairs<'_>, k: usize) -> Result<Neighbours, Error> {
    let search = Search::new(pairs, k)?;
    Ok(pairs.in_blocks(k, |start, rows| {
        let lists = search.candidates(start, rows);
        lists.iter().enumerate().map(|(row, list)| search.settle(start + row, list)).collect()
    }))
}

struct Search<'a> {
    pairs: Pairs<'a>,
    k: usize,
    /// Candidates to measure again: a few more than `k`.
    kept: usize,
    /// ‖y‖² for Euclidean, 0 for cosine, so that ‖y‖² − 2 x·y orders the rows of the base.
    offsets: Vec<f32>,
    /// ‖x‖² of the queries.
    query_norms: Vec<f32>,
    /// The largest ‖y‖ of the base.
    longest: f64,
}

impl<'a> Search<'a> {
    fn new(pairs: Pairs<'a>, k: usize) -> Result<Self, Error> {
        let mut offsets = squared_norms(pairs.base)?;
        let longest = f64::from(offsets.iter().copied().fold(0.0, f32::max)).sqrt();
        if pairs.metric == Metric::Cosine {
            offsets.fill(0.0);
        }
        let query_norms = squared_norms(pairs.queries)?;
        Ok(Self { pairs, k, kept: k + 8 + k / 4, offsets, query_norms, longest })
    }

    /// The best rows by approximate key for a block of queries.
    fn candidates(&self, start: usize, rows: usize) -> Vec<Shortlist> {
        let Pairs { queries, base, without_self, .. } = self.pairs;
        let queries = queries.block(start..start + rows);
        let mut lists: Vec<_> = (0..rows).map(|_| Shortlist::new(self.kept)).collect();
        let mut tile = Vec::new();
        for columns in ranges(base.rows(), TILE) {
            tile.resize(rows * columns.len(), 0.0);
            keys(queries, base.block(columns.clone()), &self.offsets[columns.clone()], &mut tile);
            let tile_rows = tile.chunks_exact_mut(columns.len());
            for (row, (keys, list)) in tile_rows.zip(&mut lists).enumerate() {
                let itself = start + row;
                if without_self && columns.contains(&itself) {
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
        let exact = |index: u32| (self.pairs.exact(query, index), index);
        let mut found: Vec<_> = list.items.iter().map(|&(_, index)| exact(index)).collect();
        self.keep_nearest(&mut found);
        let norm = f64::from(self.query_norms[query]);
        let units = (self.pairs.queries.cols() + 16) as f64 * f64::from(f32::EPSILON) / 2.0;
        let rounding = units * (norm.sqrt() + self.longest).powi(2);
        // In units of the key; `exact` is ‖x‖² more (Euclidean) or 1 + key / 2 (cosine).
        let farthest = match (self.pairs.metric, found.last()) {
            (Metric::Euclidean, Some(&(distance, _))) => distance - norm,
            (Metric::Cosine, Some(&(distance, _))) => 2.0 * (distance - 1.0),
            (_, None) => f64::INFINITY,
        };
        if !list.complete() && farthest + rounding >= f64::from(list.bar) {
            let others = (0..self.pairs.base.rows() as u32)
                .filter(|&index| !(self.pairs.without_self && index as usize == query));
            found = others.map(exact).collect();
            self.keep_nearest(&mut found);
        }
        found
    }

    fn keep_nearest(&self, found: &mut Vec<Candidate<f64>>) {
        if found.len() > self.k {
            found.select_nth_unstable_by(self.k - 1, nearest_first);
            found.truncate(self.k);
        }
        found.sort_unstable_by(nearest_first);
    }
}

/// The smallest keys seen so far. It gathers up to twice as many as it keeps before it drops
/// the larger half, so a key costs constant time on average.
pub(super) struct Shortlist {
    kept: usize,
    /// Keys not below this one are not needed.
    bar: f32,
    pub(super) items: Vec<Candidate<f32>>,
}

impl Shortlist {
    pub(super) fn new(kept: usize) -> Self {
        Self { kept, bar: f32::INFINITY, items: Vec::with_capacity(2 * kept) }
    }

    /// Takes in the keys of the base rows from `first` on.
    pub(super) fn scan(&mut self, first: u32, keys: &[f32]) {
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

    pub(super) fn shrink(&mut self) {
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
