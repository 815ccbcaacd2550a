//! Blocks of columns that go over a graph together: `[places, P]`, an array per place.

use std::ops::{AddAssign, Mul};

use rayon::prelude::*;

use super::Graph;

/// Most columns of a block; more are cut into several blocks.
pub(super) const WIDEST: usize = 16;

/// Places that one thread works on at a time, whatever the number of threads.
pub(super) const PLACES: usize = 1024;

/// `f32` or `f64`.
pub(super) trait Real:
    Copy + Default + AddAssign + Mul<Output = Self> + From<f32> + Send + Sync
{
}

impl Real for f32 {}
impl Real for f64 {}

/// Calls a function of the const parameter `P` with the least even `P` that holds `width` columns.
macro_rules! with_width {
    ($width:expr, $function:ident :: <_> $arguments:tt) => {
        match $width {
            0..=2 => with_width!(@ 2, $function, $arguments),
            3..=4 => with_width!(@ 4, $function, $arguments),
            5..=6 => with_width!(@ 6, $function, $arguments),
            7..=8 => with_width!(@ 8, $function, $arguments),
            9..=10 => with_width!(@ 10, $function, $arguments),
            11..=12 => with_width!(@ 12, $function, $arguments),
            13..=14 => with_width!(@ 14, $function, $arguments),
            _ => with_width!(@ 16, $function, $arguments),
        }
    };
    (@ $width:literal, $function:ident, $arguments:tt) => { $function::<$width> $arguments };
}
pub(super) use with_width;

/// Columns `first..` of `values: [places, columns]` as a block; what is missing is 0.
pub(super) fn load<const P: usize>(values: &[f64], columns: usize, first: usize) -> Vec<[f64; P]> {
    let width = P.min(columns - first);
    let row = |row: &[f64]| {
        let mut lanes = [0.0; P];
        lanes[..width].copy_from_slice(&row[first..first + width]);
        lanes
    };
    values.par_chunks_exact(columns).map(row).collect()
}

/// The way back of [`load`].
pub(super) fn store<const P: usize>(
    block: &[[f64; P]],
    values: &mut [f64],
    columns: usize,
    first: usize,
) {
    let width = P.min(columns - first);
    values.par_chunks_exact_mut(columns).zip(block).for_each(|(row, lanes)| {
        row[first..first + width].copy_from_slice(&lanes[..width]);
    });
}

/// Row `place` of W·x.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
pub(super) fn gather<T: Real, const P: usize>(graph: &Graph, x: &[[T; P]], place: usize) -> [T; P] {
    let mut sum = [T::default(); P];
    let row = graph.row(place);
    for (&other, &weight) in graph.columns()[row.clone()].iter().zip(&graph.weights()[row]) {
        let (weight, lanes) = (T::from(weight), &x[other as usize]);
        for (sum, &lane) in sum.iter_mut().zip(lanes) {
            *sum += weight * lane;
        }
    }
    sum
}

/// Adds up what [`PLACES`] places at a time return, in their order.
pub(super) fn total<const P: usize>(
    parts: impl IndexedParallelIterator<Item = [f64; P]>,
) -> [f64; P] {
    let parts: Vec<[f64; P]> = parts.collect();
    let mut total = [0.0; P];
    for part in parts {
        for (total, lane) in total.iter_mut().zip(part) {
            *total += lane;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_their_columns_and_zeros() {
        let values: Vec<f64> = (0..15).map(f64::from).collect(); // [3, 5]
        let block = load::<4>(&values, 5, 3);
        assert_eq!(block, [[3.0, 4.0, 0.0, 0.0], [8.0, 9.0, 0.0, 0.0], [13.0, 14.0, 0.0, 0.0]]);
        let mut back = vec![-1.0; 15];
        store(&block, &mut back, 5, 3);
        assert_eq!(back[3..5], [3.0, 4.0]);
        assert_eq!(back[5..8], [-1.0; 3]);
    }

    #[test]
    fn the_width_is_the_least_that_holds_the_columns() {
        fn width<const P: usize>() -> usize {
            P
        }
        let found: Vec<usize> = (1..=17).map(|n| with_width!(n, width::<_>())).collect();
        assert_eq!(found, [2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16, 16, 16]);
    }
}
