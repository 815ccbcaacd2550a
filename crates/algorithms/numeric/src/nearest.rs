//! The nearest of some targets, from keys of which the smallest wins.
//!
//! ‖y‖² − 2 x·y orders targets y as their distance to x does, and comes from a matrix product. Its rounding
//! may hide which of two targets is nearer: all that are within it are measured again.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ranges},
    distance::{Nearest, squared_norms},
    product::{add_a_bt, dot, squared_distance, vectorized},
};

/// Targets of one tile: with [`ROW_BLOCK`] rows it takes 1 MB.
pub const TILE: usize = 1024;
/// Keys that are looked at together.
const LANES: usize = 16;

/// Rows that others may be nearest to.
pub struct Targets<'a> {
    /// The rows themselves.
    pub rows: Matrix<'a>,
    /// ‖y‖².
    norms: Vec<f32>,
    /// The largest ‖y‖.
    longest: f64,
}

impl<'a> Targets<'a> {
    /// Of rows that must be finite.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn new(rows: Matrix<'a>) -> Result<Self, Error> {
        let norms = squared_norms(rows)?;
        let longest = f64::from(norms.iter().copied().fold(0.0, f32::max)).sqrt();
        Ok(Self { rows, norms, longest })
    }

    /// What keys of a row of squared length `x_norm` can differ by although the distances are
    /// equal: twice the rounding of a product of `d` terms, summed in any order (Higham, *Accuracy
    /// and Stability of Numerical Algorithms*, §3.5).
    pub fn slack(&self, x_norm: f64) -> f32 {
        let units = (self.rows.cols() + 32) as f64 * f64::from(f32::EPSILON);
        let scale = self.longest * (2.0 * x_norm.sqrt() + self.longest);
        (units * scale) as f32 + f32::MIN_POSITIVE
    }
}

/// The nearest target of every row of `x` and the squared distance to it, for data that are known to be
/// good.
pub fn nearest_targets(x: Matrix<'_>, targets: &Targets<'_>) -> Nearest {
    let (mut index, mut squared) = (vec![0u32; x.rows()], vec![0f32; x.rows()]);
    let blocks = index.par_chunks_mut(ROW_BLOCK).zip(squared.par_chunks_mut(ROW_BLOCK));
    blocks.enumerate().for_each_init(
        || (Tile::default(), Vec::new(), Vec::new()),
        |(tile, contenders, limits), (block, (index, squared))| {
            let start = block * ROW_BLOCK;
            let rows = x.block(start..start + index.len());
            nearest_in_block(rows, targets, tile, contenders, limits);
            let found = index.iter_mut().zip(squared).zip(contenders);
            for (row, ((index, squared), contenders)) in rows.iter_rows().zip(found) {
                let (nearest, distance) = contenders.settle(row, targets.rows);
                (*index, *squared) = (nearest, distance as f32);
            }
        },
    );
    Nearest { index, squared }
}

fn nearest_in_block(
    x: Matrix<'_>,
    targets: &Targets<'_>,
    tile: &mut Tile,
    contenders: &mut Vec<Contenders>,
    limits: &mut Vec<f32>,
) {
    contenders.resize_with(x.rows(), Contenders::default);
    for (contenders, row) in contenders.iter_mut().zip(x.iter_rows()) {
        contenders.restart(targets.slack(dot(row, row)));
    }
    for range in ranges(targets.rows.rows(), TILE) {
        tile.measure(x.data(), targets, range.clone());
        let [smallest, _] = tile.smallest(range.clone());
        limits.clear();
        limits.extend(contenders.iter_mut().zip(smallest).map(|(c, &found)| c.limit(found)));
        tile.within(range, limits, |row, target, key| contenders[row].found.push((key, target)));
    }
}

/// Keys of some rows for some targets: `[targets, rows]`, so that vector instructions work on many rows
/// at once.
#[derive(Default)]
pub struct Tile {
    keys: Vec<f32>,
    rows: usize,
    /// The target that it begins with.
    first: usize,
    /// The smallest key of each row, and the second smallest.
    smallest: [Vec<f32>; 2],
}

impl Tile {
    /// Measures the rows `x: [rows, d]`, at least one, for the targets of a range.
    pub fn measure(&mut self, x: &[f32], targets: &Targets<'_>, range: Range<usize>) {
        let d = targets.rows.cols();
        self.rows = x.len() / d;
        self.first = range.start;
        self.keys.clear();
        for &norm in &targets.norms[range.clone()] {
            self.keys.resize(self.keys.len() + self.rows, norm);
        }
        add_a_bt(targets.rows.block(range).data(), x, d, -2.0, &mut self.keys);
    }

    /// The keys of one target.
    fn of(&self, target: usize) -> &[f32] {
        &self.keys[(target - self.first) * self.rows..][..self.rows]
    }

    /// The smallest two keys of every row among some of the targets; infinite where there are not two.
    pub fn smallest(&mut self, range: Range<usize>) -> [&[f32]; 2] {
        let [mut first, mut second] = std::mem::take(&mut self.smallest);
        for list in [&mut first, &mut second] {
            list.clear();
            list.resize(self.rows, f32::INFINITY);
        }
        vectorized(
            #[inline(always)]
            || {
                for target in range {
                    for ((first, second), &key) in
                        first.iter_mut().zip(&mut second).zip(self.of(target))
                    {
                        let larger = if key < *first { *first } else { key };
                        *second = if larger < *second { larger } else { *second };
                        *first = if key < *first { key } else { *first };
                    }
                }
            },
        );
        self.smallest = [first, second];
        [&self.smallest[0], &self.smallest[1]]
    }

    /// Tells of every row, target and key at or below the row's limit, target by target.
    pub fn within(
        &self,
        range: Range<usize>,
        limits: &[f32],
        mut found: impl FnMut(usize, u32, f32),
    ) {
        vectorized(
            #[inline(always)]
            || {
                for target in range {
                    let chunks = self.of(target).chunks(LANES).zip(limits.chunks(LANES));
                    for (chunk, (keys, limits)) in chunks.enumerate() {
                        // Without a way out the compiler can use vector instructions.
                        let pairs = || keys.iter().zip(limits).enumerate();
                        if pairs().filter(|(_, (key, limit))| key <= limit).count() > 0 {
                            for (within, (&key, _)) in
                                pairs().filter(|(_, (key, limit))| key <= limit)
                            {
                                found(chunk * LANES + within, target as u32, key);
                            }
                        }
                    }
                }
            },
        );
    }
}

/// The targets that may be nearest to one row: those whose keys are within the rounding of the
/// smallest.
#[derive(Default)]
pub struct Contenders {
    slack: f32,
    smallest: f32,
    /// Keys that were within the limit when they were found, with their targets.
    pub found: Vec<(f32, u32)>,
}

impl Contenders {
    /// Forgets all keys, for a row with this slack.
    pub fn restart(&mut self, slack: f32) {
        self.slack = slack;
        self.smallest = f32::INFINITY;
        self.found.clear();
    }

    /// Takes in the smallest of some keys; those up to the limit that it returns are contenders.
    pub fn limit(&mut self, smallest: f32) -> f32 {
        self.smallest = self.smallest.min(smallest);
        self.smallest + self.slack
    }

    /// The targets that may be nearest, with their keys.
    pub fn finalists(&mut self) -> &[(f32, u32)] {
        let limit = self.smallest + self.slack;
        self.found.retain(|&(key, _)| key <= limit);
        &self.found
    }

    /// The nearest target of `row` and its squared distance; all that keys leave a choice of are
    /// measured, and of equals the first is taken.
    fn settle(&mut self, row: &[f32], targets: Matrix<'_>) -> (u32, f64) {
        let mut best = (0, f64::INFINITY);
        for &(_, index) in self.finalists() {
            let distance = squared_distance(row, targets.row(index as usize));
            if distance < best.1 {
                best = (index, distance);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    #[test]
    fn a_tile_knows_its_smallest_keys_and_what_lies_below_a_limit() {
        let (x, y) = (noise(37, 5, 1), noise(90, 5, 2));
        let targets = Targets::new(Matrix::new(&y, 90, 5).unwrap()).unwrap();
        let mut tile = Tile::default();
        tile.measure(&x, &targets, 10..80);
        let key = |row: usize, target: usize| tile.of(target)[row];
        let by_hand: Vec<Vec<f32>> = (0..37)
            .map(|row| {
                let mut keys: Vec<f32> = (20..70).map(|target| key(row, target)).collect();
                keys.sort_by(f32::total_cmp);
                keys
            })
            .collect();
        let limits: Vec<f32> = by_hand.iter().map(|keys| keys[3]).collect();
        let mut found = vec![Vec::new(); 37];
        tile.within(20..70, &limits, |row, target, key| found[row].push((target, key)));
        for (found, keys) in found.iter().zip(&by_hand) {
            assert!(found.is_sorted_by_key(|&(target, _)| target));
            let mut found: Vec<f32> = found.iter().map(|&(_, key)| key).collect();
            found.sort_by(f32::total_cmp);
            assert_eq!(found, keys[..4]);
        }
        let [first, second] = tile.smallest(20..70);
        assert!(by_hand.iter().zip(first).zip(second).all(|((k, a), b)| (k[0], k[1]) == (*a, *b)));
        let [_, second] = tile.smallest(20..21);
        assert!(second.iter().all(|key| key.is_infinite()));
    }
}
