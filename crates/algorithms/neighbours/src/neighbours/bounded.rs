//! Rows are measured only if their sketches leave a chance that they are near enough.
//!
//! "Optimal multi-step k-nearest neighbor search" (Seidl and Kriegel, SIGMOD 1998), block by block:
//! matrix products of sketches give lower bounds of all distances; of each tile, the rows of the
//! smallest bounds are measured first, until a bound is above the `k`-th smallest distance so far.

use super::{Candidate, Neighbours, Pairs, nearest_first, sketch::Sketches};
use scarce_numeric::{
    Error,
    blocks::ranges,
    distance::{keys, squared_norms},
    nearest::TILE,
    product::vectorized,
};

/// Keys that are looked at together: most of the time none of them is small enough.
const SCAN: usize = 64;

pub(super) fn nearest(
    pairs: Pairs<'_>,
    sketches: &Sketches,
    k: usize,
) -> Result<Neighbours, Error> {
    let (queries, base) = (sketches.queries()?, sketches.base()?);
    let (query_norms, norms) = (squared_norms(queries)?, squared_norms(base)?);
    let longest = f64::from(norms.iter().copied().fold(0.0, f32::max)).sqrt();
    // Of the product (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.5) and, with room to
    // spare, of the sketches themselves: of a coordinate half a unit, of the length of the rest a few.
    let units = (queries.cols() + 64) as f64 * f64::from(f32::EPSILON) / 2.0;

    Ok(pairs.in_blocks(k, |start, rows| {
        let of_block = start..start + rows;
        let mut lists: Vec<_> = query_norms[of_block.clone()]
            .iter()
            .map(|&norm| {
                let rounding = units * (f64::from(norm).sqrt() + longest).powi(2);
                Found::new(k, rounding - f64::from(norm))
            })
            .collect();
        let (mut tile, mut below) = (Vec::new(), Vec::new());
        for columns in ranges(base.rows(), TILE) {
            tile.resize(rows * columns.len(), 0.0);
            let tile_base = base.block(columns.clone());
            keys(queries.block(of_block.clone()), tile_base, &norms[columns.clone()], &mut tile);
            let tile_rows = tile.chunks_exact_mut(columns.len());
            for (row, (keys, list)) in tile_rows.zip(&mut lists).enumerate() {
                let query = start + row;
                if pairs.without_self && columns.contains(&query) {
                    keys[query - columns.start] = f32::INFINITY;
                }
                up_to(list.bar, keys, columns.start as u32, &mut below);
                list.take_in(pairs, query, &mut below);
            }
        }
        lists.into_iter().map(|list| list.items).collect()
    }))
}

/// Sets `below` to the keys up to a bar, with their rows.
fn up_to(bar: f32, keys: &[f32], first: u32, below: &mut Vec<Candidate<f32>>) {
    below.clear();
    vectorized(
        #[inline(always)]
        || {
            for (chunk, keys) in keys.chunks(SCAN).enumerate() {
                // Without an early way out the compiler can use vector instructions.
                if keys.iter().map(|&key| u32::from(key <= bar)).sum::<u32>() == 0 {
                    continue;
                }
                let first = first + (chunk * SCAN) as u32;
                below.extend(keys.iter().copied().zip(first..).filter(|&(key, _)| key <= bar));
            }
        },
    );
}

/// The nearest rows of one query so far.
struct Found {
    k: usize,
    /// From a squared distance to the largest key of a sketch that could be as near.
    to_key: f64,
    /// Rows with keys above this one are too far away.
    bar: f32,
    /// Nearest first.
    items: Vec<Candidate<f64>>,
}

impl Found {
    fn new(k: usize, to_key: f64) -> Self {
        Self { k, to_key, bar: f32::MAX, items: Vec::with_capacity(k + 1) }
    }

    /// Measures the rows of some keys, as far as that is needed.
    fn take_in(&mut self, pairs: Pairs<'_>, query: usize, below: &mut [Candidate<f32>]) {
        below.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for &(key, index) in &*below {
            if key > self.bar {
                break;
            }
            let found = (pairs.exact(query, index), index);
            let place = self.items.partition_point(|item| nearest_first(item, &found).is_lt());
            if place == self.k {
                continue;
            }
            self.items.truncate(self.k - 1);
            self.items.insert(place, found);
            if let (true, Some((farthest, _))) = (self.items.len() == self.k, self.items.last()) {
                self.bar = (pairs.squared(*farthest) + self.to_key) as f32;
            }
        }
    }
}
