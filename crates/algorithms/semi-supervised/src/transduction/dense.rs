//! A radial kernel between all rows, in memory.
//!
//! The matrix is symmetric, so only the tiles on and above its diagonal are kept, in `f64`: weights
//! that span hundreds of orders of magnitude still decide between classes when nothing heavier
//! links a row, which `f32` could not tell from no link at all.

use std::ops::Range;

use rayon::prelude::*;

use crate::transduction::tall_skinny::{self, STRIP, place};
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ranges},
    product::{add_a_bt, vectorized},
};

/// Most partial sums of a product, so most threads that it can use.
const PARTIAL_SUMS: usize = 16;

/// The weights between different rows; a row's weight to itself is left 0.
pub(super) struct Tiles {
    rows: usize,
    /// By ascending `down`, then `across`.
    tiles: Vec<Tile>,
}

/// The weights between the rows of `down` and those of `across`, which are the same or come later.
struct Tile {
    down: Range<usize>,
    across: Range<usize>,
    /// `[down, across]`.
    weights: Vec<f64>,
    /// The sums of its rows, `[down]`, and of its columns, `[across]`.
    sums: [Vec<f64>; 2],
}

impl Tiles {
    /// exp(−γ ‖x − y‖²) between all rows of `x: [n, d]`.
    pub(super) fn rbf(x: Matrix<'_>, gamma: f64) -> Result<Self, Error> {
        x.check_finite()?;
        if !(gamma >= 0.0 && gamma.is_finite()) {
            let value = gamma.to_string();
            return Err(Error::Parameter { name: "gamma", must: "0 or more", value });
        }
        let points = Points::new(x);
        let padded = x.rows().next_multiple_of(STRIP);
        let places: Vec<_> = ranges(padded, ROW_BLOCK)
            .flat_map(|down| {
                let later = ranges(padded, ROW_BLOCK).skip(down.start / ROW_BLOCK);
                later.map(move |across| (down.clone(), across))
            })
            .collect();
        let tiles =
            places.into_par_iter().map(|(down, across)| points.tile(gamma, down, across)).collect();
        Ok(Self { rows: x.rows(), tiles })
    }

    /// The sum of the weights between each row and all others: `[n]`.
    pub(super) fn degrees(&self) -> Vec<f64> {
        let mut degrees = vec![0.0; self.padded()];
        for tile in &self.tiles {
            let [down, across] = &tile.sums;
            add(&mut degrees[tile.down.clone()], down);
            if tile.down != tile.across {
                add(&mut degrees[tile.across.clone()], across);
            }
        }
        degrees.truncate(self.rows);
        degrees
    }

    /// Sets `out: [n, width]` to the product of the weights with the rows of `x: [n, width]`, each
    /// times its factor, and lets `finish` change every row of it.
    pub(super) fn product(
        &self,
        x: &[f64],
        factors: &[f64],
        width: usize,
        out: &mut [f64],
        finish: impl Fn(usize, &mut [f64]) + Sync,
    ) {
        let x = self.strips(x, factors, width);
        let per_sum = self.tiles.len().div_ceil(PARTIAL_SUMS).max(1);
        let sums: Vec<(usize, Vec<f64>)> = self
            .tiles
            .par_chunks(per_sum)
            .with_max_len(1)
            .map(|tiles| {
                // No tile of this sum or a later one reaches above its first.
                let first = tiles.first().map_or(0, |tile| tile.down.start) * width;
                let mut sum = vec![0.0; x.len() - first];
                for tile in tiles {
                    tile.add_products(&x, width, first, &mut sum);
                }
                (first, sum)
            })
            .collect();
        out.par_chunks_mut(ROW_BLOCK * width).enumerate().for_each(|(number, out)| {
            let start = number * ROW_BLOCK;
            let (from, length) = (start * width, ROW_BLOCK.min(self.padded() - start) * width);
            let mut total = vec![0.0; length];
            for (first, sum) in sums.iter().filter(|(first, _)| *first <= from) {
                add(&mut total, &sum[from - first..]);
            }
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                for (column, to) in out.iter_mut().enumerate() {
                    *to = total[place(row, column, width)];
                }
                finish(start + row, out);
            }
        });
    }

    /// `x: [n, width]`, each row times its factor, in strips.
    fn strips(&self, x: &[f64], factors: &[f64], width: usize) -> Vec<f64> {
        let mut strips = vec![0.0; self.padded() * width];
        for (row, (x, factor)) in x.chunks_exact(width).zip(factors).enumerate() {
            for (column, value) in x.iter().enumerate() {
                strips[place(row, column, width)] = value * factor;
            }
        }
        strips
    }

    /// The rows of all tiles together.
    fn padded(&self) -> usize {
        self.rows.next_multiple_of(STRIP)
    }
}

impl Tile {
    /// Adds the tile's share of the product with `x`, and that of its mirror image below the
    /// diagonal, to a sum that begins at entry `first`. Both in the layout of [`Tiles::strips`].
    fn add_products(&self, x: &[f64], width: usize, first: usize, sum: &mut [f64]) {
        let entries = |rows: &Range<usize>| rows.start * width..rows.end * width;
        let (down, across) = (entries(&self.down), entries(&self.across));
        let above = &mut sum[down.start - first..down.end - first];
        tall_skinny::add_product(&self.weights, &x[across.clone()], width, above);
        if self.down != self.across {
            let below = &mut sum[across.start - first..across.end - first];
            tall_skinny::add_mirrored(&self.weights, &x[down], width, below);
        }
    }
}

fn add(to: &mut [f64], from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The rows in `f64`, in which ‖x‖² − 2 x·y + ‖y‖² loses nothing that matters.
struct Points {
    rows: usize,
    cols: usize,
    /// `[n, d]` and rows of zeros up to a multiple of [`STRIP`].
    values: Vec<f64>,
    /// ‖x‖²: `[n]`.
    norms: Vec<f64>,
}

impl Points {
    fn new(x: Matrix<'_>) -> Self {
        let mut values: Vec<f64> = x.data().par_iter().map(|&value| f64::from(value)).collect();
        values.resize(x.rows().next_multiple_of(STRIP) * x.cols(), 0.0);
        let norm = |row: &[f64]| row.iter().map(|value| value * value).sum();
        let norms = values.par_chunks_exact(x.cols()).map(norm).collect();
        Self { rows: x.rows(), cols: x.cols(), values, norms }
    }

    fn tile(&self, gamma: f64, down: Range<usize>, across: Range<usize>) -> Tile {
        let rows =
            |range: &Range<usize>| &self.values[range.start * self.cols..range.end * self.cols];
        let mut weights = Vec::with_capacity(down.len() * across.len());
        for norm in &self.norms[down.clone()] {
            weights.extend(self.norms[across.clone()].iter().map(|other| norm + other));
        }
        add_a_bt(rows(&down), rows(&across), self.cols, -2.0, &mut weights);
        // With the widest vectors that the CPU has. They change no bit: what is fused is fused everywhere.
        vectorized(
            #[inline(always)]
            || weigh(gamma, &mut weights),
        );
        if down == across {
            weights.iter_mut().step_by(across.len() + 1).for_each(|weight| *weight = 0.0);
        }
        // While the weights are in the cache. A row that is only there for the size counts for none.
        let ones = |range: &Range<usize>| -> Vec<f64> {
            range.clone().map(|row| if row < self.rows { 1.0 } else { 0.0 }).collect()
        };
        let mut sums = [vec![0.0; down.len()], vec![0.0; across.len()]];
        tall_skinny::add_product(&weights, &ones(&across), 1, &mut sums[0]);
        tall_skinny::add_mirrored(&weights, &ones(&down), 1, &mut sums[1]);
        Tile { down, across, weights, sums }
    }
}

/// Replaces squared distances by the weights exp(−γ d²).
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn weigh(gamma: f64, squared: &mut [f64]) {
    for entry in squared {
        // Rounding must not make a distance negative.
        *entry = exp(-gamma * if *entry > 0.0 { *entry } else { 0.0 });
    }
}

/// eˣ for x ≤ 0 to within a few units in the last place; 0 below −708, near the end of `f64`.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2 and the Taylor series of eʳ, whose first omitted term is
/// below 2·10⁻¹⁶ there. Unlike the library's it compiles to vector instructions, and it gives the
/// same bits everywhere: on a CPU that cannot fuse a product and a sum the library does, slowly.
#[inline]
fn exp(x: f64) -> f64 {
    // Adding and subtracting 1.5 · 2⁵² rounds to an integer, left in the low bits of the sum.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts: n times the first is exact for the n that occur.
    const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    /// 1/11!, 1/10! … 1/0!.
    const SERIES: [f64; 12] = [
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let bounded = if x > -708.0 { x } else { -708.0 };
    let rounded = bounded.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN_2.1, (-n).mul_add(LN_2.0, bounded));
    let mut series = 1.0 / 479_001_600.0_f64;
    for coefficient in SERIES {
        series = series.mul_add(r, coefficient);
    }
    let power_of_two = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    if x < -708.0 { 0.0 } else { series * power_of_two }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    #[test]
    fn the_exponential_agrees_with_the_library() {
        for step in 0..708_000 {
            let x = -f64::from(step) / 1000.0;
            let (found, expected) = (exp(x), x.exp());
            assert!((found - expected).abs() <= 1e-15 * expected, "exp({x}) is not {found}");
        }
        assert_eq!((exp(0.0), exp(-708.5), exp(-1e300)), (1.0, 0.0, 0.0));
    }

    #[test]
    fn products_agree_with_a_double_loop_on_any_threads() {
        // Three blocks of rows, the last a short one: tiles of every shape.
        let (n, d, width) = (600, 5, 3);
        let (data, factor) = (noise(n, d, 1), noise(n, width, 2));
        let x = Matrix::new(&data, n, d).unwrap();
        let factor: Vec<f64> = factor.into_iter().map(f64::from).collect();
        let found = same_on_any_threads(|| {
            let mut out = vec![f64::NAN; n * width];
            Tiles::rbf(x, 1.5).unwrap().product(&factor, &vec![1.0; n], width, &mut out, |_, _| {});
            out
        });
        for i in 0..n {
            for c in 0..width {
                let weight = |j: usize| {
                    let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
                    let squared: f64 = x.row(i).iter().zip(x.row(j)).map(square).sum();
                    if i == j { 0.0 } else { (-1.5 * squared).exp() }
                };
                let sum: f64 = (0..n).map(|j| weight(j) * factor[j * width + c]).sum();
                // The loop subtracts in `f32`.
                assert!((found[i * width + c] - sum).abs() < 1e-5);
            }
        }
    }
}
