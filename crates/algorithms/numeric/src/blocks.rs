//! Cutting rows into blocks of a fixed size, whatever the number of threads.

use crate::product::add;
use rayon::prelude::*;
use std::ops::Range;

/// Rows per block: 256 rows of 784 `f32` are 800 kB, which a second-level cache holds.
pub const ROW_BLOCK: usize = 256;

/// Most partial sums that [`ordered_sum`] keeps, so most threads that it can use.
const PARTIAL_SUMS: usize = 32;

/// The ranges of `size` rows that cover `rows`; the last may be shorter.
pub fn ranges(rows: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(size).map(move |start| start..(start + size).min(rows))
}

/// Sums over blocks of rows in an order that depends on nothing but the number of rows.
///
/// `add(range, sum)` adds the share of one block to `sum: [length]`. At most
/// [`PARTIAL_SUMS`] partial sums run side by side and are then added one after another.
pub fn ordered_sum<F>(rows: usize, length: usize, add: F) -> Vec<f64>
where
    F: Fn(Range<usize>, &mut [f64]) + Sync,
{
    let blocks: Vec<_> = ranges(rows, ROW_BLOCK).collect();
    let per_sum = blocks.len().div_ceil(PARTIAL_SUMS).max(1);
    let partial: Vec<Vec<f64>> = blocks
        .par_chunks(per_sum)
        .map(|group| {
            let mut sum = vec![0.0; length];
            for range in group {
                add(range.clone(), &mut sum);
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; length];
    for sum in partial {
        for (t, s) in total.iter_mut().zip(sum) {
            *t += s;
        }
    }
    total
}

/// The mean of every column of `x: [n, d]`, `n > 0`.
pub fn column_means(x: crate::Matrix<'_>) -> Vec<f64> {
    let mut means = ordered_sum(x.rows(), x.cols(), |range, sum| {
        for row in x.block(range).iter_rows() {
            add(sum, row, 1.0);
        }
    });
    for mean in &mut means {
        *mean /= x.rows() as f64;
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::same_on_any_threads;

    #[test]
    fn ranges_cover_all_rows_once() {
        let all: Vec<_> = ranges(600, 256).collect();
        assert_eq!(all, [0..256, 256..512, 512..600]);
        assert_eq!(ranges(0, 256).count(), 0);
    }

    #[test]
    fn ordered_sums_do_not_depend_on_threads() {
        let total = same_on_any_threads(|| {
            ordered_sum(30_000, 1, |range, sum| {
                for row in range {
                    sum[0] += 1.0 / (row as f64 + 0.3);
                }
            })
        });
        let plain: f64 = (0..30_000).map(|row| 1.0 / (f64::from(row) + 0.3)).sum();
        assert!((total[0] - plain).abs() < 1e-9);
    }
}
