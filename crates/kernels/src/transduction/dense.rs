//! A radial kernel between all rows, in memory.
//!
//! The matrix is symmetric, so only the tiles on and above its diagonal are kept, in `f64`: weights
//! that span hundreds of orders of magnitude still decide between classes when nothing heavier
//! links a row, which `f32` could not tell from no link at all.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ranges},
    product::{add_a_b, add_a_bt, add_at_b, vectorized},
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
        let places: Vec<_> = ranges(x.rows(), ROW_BLOCK)
            .flat_map(|down| {
                let later = ranges(x.rows(), ROW_BLOCK).skip(down.start / ROW_BLOCK);
                later.map(move |across| (down.clone(), across))
            })
            .collect();
        let tiles =
            places.into_par_iter().map(|(down, across)| points.tile(gamma, down, across)).collect();
        Ok(Self { rows: x.rows(), tiles })
    }

    /// Sets `out: [n, width]` to the product of the weights with `x: [n, width]`.
    pub(super) fn product(&self, x: &[f64], width: usize, out: &mut [f64]) {
        let per_sum = self.tiles.len().div_ceil(PARTIAL_SUMS).max(1);
        let sums: Vec<(usize, Vec<f64>)> = self
            .tiles
            .par_chunks(per_sum)
            .map(|tiles| {
                // No tile of this sum or a later one reaches above its first.
                let first = tiles.first().map_or(0, |tile| tile.down.start) * width;
                let mut sum = vec![0.0; self.rows * width - first];
                for tile in tiles {
                    tile.add_products(x, width, first, &mut sum);
                }
                (first, sum)
            })
            .collect();
        let block = ROW_BLOCK * width;
        out.par_chunks_mut(block).enumerate().for_each(|(number, out)| {
            out.fill(0.0);
            let start = number * block;
            for (first, sum) in sums.iter().filter(|(first, _)| *first <= start) {
                for (to, from) in out.iter_mut().zip(&sum[start - first..]) {
                    *to += from;
                }
            }
        });
    }
}

impl Tile {
    /// Adds the tile's share of the product with `x`, and that of its mirror image below the
    /// diagonal, to a sum that begins at entry `first`.
    fn add_products(&self, x: &[f64], width: usize, first: usize, sum: &mut [f64]) {
        let entries = |rows: &Range<usize>| rows.start * width..rows.end * width;
        let (down, across) = (entries(&self.down), entries(&self.across));
        let above = &mut sum[down.start - first..down.end - first];
        add_a_b(&self.weights, &x[across.clone()], self.across.len(), 1.0, above);
        if self.down != self.across {
            let below = &mut sum[across.start - first..across.end - first];
            add_at_b(&self.weights, &x[down], self.down.len(), 1.0, below);
        }
    }
}

/// The rows in `f64`, in which ‖x‖² − 2 x·y + ‖y‖² loses nothing that matters.
struct Points {
    cols: usize,
    /// `[n, d]`.
    values: Vec<f64>,
    /// ‖x‖²: `[n]`.
    norms: Vec<f64>,
}

impl Points {
    fn new(x: Matrix<'_>) -> Self {
        let values: Vec<f64> = x.data().par_iter().map(|&value| f64::from(value)).collect();
        let norm = |row: &[f64]| row.iter().map(|value| value * value).sum();
        let norms = values.par_chunks_exact(x.cols()).map(norm).collect();
        Self { cols: x.cols(), values, norms }
    }

    fn tile(&self, gamma: f64, down: Range<usize>, across: Range<usize>) -> Tile {
        let rows =
            |range: &Range<usize>| &self.values[range.start * self.cols..range.end * self.cols];
        let mut weights = Vec::with_capacity(down.len() * across.len());
        for norm in &self.norms[down.clone()] {
            weights.extend(self.norms[across.clone()].iter().map(|other| norm + other));
        }
        add_a_bt(rows(&down), rows(&across), self.cols, -2.0, &mut weights);
        // With the widest vectors that the CPU has. They change no bit: nothing is fused.
        vectorized(
            #[inline(always)]
            || weigh(gamma, &mut weights),
        );
        if down == across {
            weights.iter_mut().step_by(across.len() + 1).for_each(|weight| *weight = 0.0);
        }
        Tile { down, across, weights }
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
/// below 2·10⁻¹⁶ there. Unlike the library's it compiles to vector instructions and gives the same
/// bits everywhere.
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
    let rounded = bounded * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = bounded - n * LN_2.0 - n * LN_2.1;
    let mut series = 1.0 / 479_001_600.0;
    for coefficient in SERIES {
        series = series * r + coefficient;
    }
    let power_of_two = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    if x < -708.0 { 0.0 } else { series * power_of_two }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{blocks::tests::same_on_any_threads, fixtures::noise};

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
            Tiles::rbf(x, 1.5).unwrap().product(&factor, width, &mut out);
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
