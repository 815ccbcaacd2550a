//! Products of a tile of weights with the few columns that classes are.
//!
//! A product for matrices of any shape fills its vectors with those columns: of ten, some lanes stay
//! idle. These fill them with rows, for which the columns are kept in strips: `[n / STRIP, width,
//! STRIP]`.

use faer::traits::pulp::{Arch, Simd, WithSimd};

/// Rows per strip, and what the sides of a tile are multiples of: two of the widest vectors.
pub(super) const STRIP: usize = 16;

/// Columns with fewer than one entry in so many that is not 0 are faster taken entry by entry.
const SPARSE: usize = 16;

/// Adds `weights · x` to `sum`: `weights: [m, p]`, strips `x: [p, width]` and `sum: [m, width]`.
pub(super) fn add_product(weights: &[f64], x: &[f64], width: usize, sum: &mut [f64]) {
    let Some(entries) = few_entries(x, width) else {
        return Arch::new().dispatch(Product { weights, x, width, sum, mirrored: false });
    };
    for (i, row) in weights.chunks_exact(x.len() / width).enumerate() {
        for &(j, column, value) in &entries {
            sum[place(i, column, width)] += row[j] * value;
        }
    }
}

/// Adds `weightsᵀ · x` to `sum`: `weights: [m, p]`, strips `x: [m, width]` and `sum: [p, width]`.
pub(super) fn add_mirrored(weights: &[f64], x: &[f64], width: usize, sum: &mut [f64]) {
    let Some(entries) = few_entries(x, width) else {
        return Arch::new().dispatch(Product { weights, x, width, sum, mirrored: true });
    };
    let p = sum.len() / width;
    for (i, column, value) in entries {
        let strips = sum.chunks_exact_mut(STRIP * width);
        for (strip, weights) in strips.zip(weights[i * p..].chunks_exact(STRIP)) {
            for (sum, weight) in strip[column * STRIP..].iter_mut().zip(weights) {
                *sum += weight * value;
            }
        }
    }
}

/// Where in strips an entry is.
pub(super) fn place(row: usize, column: usize, width: usize) -> usize {
    (row / STRIP * width + column) * STRIP + row % STRIP
}

/// Row, column and value of the entries that are not 0, unless they are many.
fn few_entries(x: &[f64], width: usize) -> Option<Vec<(usize, usize, f64)>> {
    let count: u32 = x.iter().map(|&value| u32::from(value != 0.0)).sum();
    let entries = || {
        let entries = x.iter().enumerate().filter(|&(_, &value)| value != 0.0);
        let split = |(place, &value)| {
            let (strip, column) = (place / STRIP / width, place / STRIP % width);
            (strip * STRIP + place % STRIP, column, value)
        };
        entries.map(split).collect()
    };
    (count as usize * SPARSE < x.len()).then(entries)
}

struct Product<'a> {
    weights: &'a [f64],
    x: &'a [f64],
    width: usize,
    sum: &'a mut [f64],
    mirrored: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // As many columns at once as there are registers for their sums.
        let mut first = 0;
        while first < self.width {
            first += match (self.width - first, self.mirrored) {
                (10.., false) => self.across::<S, 10>(simd, first),
                (5.., false) => self.across::<S, 5>(simd, first),
                (2.., false) => self.across::<S, 2>(simd, first),
                (_, false) => self.across::<S, 1>(simd, first),
                (5.., true) => self.down::<S, 5>(simd, first),
                (2.., true) => self.down::<S, 2>(simd, first),
                (_, true) => self.down::<S, 1>(simd, first),
            };
        }
    }
}

impl Product<'_> {
    /// The product with `C` columns along every row of the weights, in the order of memory: a
    /// vector of partial sums for each column.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn across<S: Simd, const C: usize>(&mut self, simd: S, first: usize) -> usize {
        let vectors = STRIP / S::F64_LANES;
        for (i, row) in self.weights.chunks_exact(self.x.len() / self.width).enumerate() {
            let mut sums = [simd.splat_f64s(0.0); C];
            let strips = self.x.chunks_exact(STRIP * self.width);
            for (weights, x) in row.chunks_exact(STRIP).zip(strips) {
                let (weights, _) = S::as_simd_f64s(weights);
                let (x, _) = S::as_simd_f64s(&x[first * STRIP..][..C * STRIP]);
                for at in 0..vectors {
                    for c in 0..C {
                        sums[c] = simd.mul_add_f64s(weights[at], x[c * vectors + at], sums[c]);
                    }
                }
            }
            for (c, sums) in sums.into_iter().enumerate() {
                self.sum[place(i, first + c, self.width)] += simd.reduce_sum_f64s(sums);
            }
        }
        C
    }

    /// The product with `C` columns down all rows of the weights, which the cache holds by now: two
    /// vectors of sums for each column.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn down<S: Simd, const C: usize>(&mut self, simd: S, first: usize) -> usize {
        let vectors = STRIP / S::F64_LANES;
        let p = self.sum.len() / self.width;
        let strips = self.sum.chunks_exact_mut(STRIP * self.width);
        for (number, to) in strips.enumerate() {
            let (to, _) = S::as_mut_simd_f64s(&mut to[first * STRIP..][..C * STRIP]);
            for at in (0..vectors).step_by(2) {
                let mut sums = [[simd.splat_f64s(0.0); 2]; C];
                let strips = self.x.chunks_exact(STRIP * self.width);
                for (rows, x) in self.weights.chunks_exact(STRIP * p).zip(strips) {
                    let x = &x[first * STRIP..][..C * STRIP];
                    for (i, row) in rows.chunks_exact(p).enumerate().take(STRIP) {
                        let (weights, _) = S::as_simd_f64s(&row[number * STRIP..][..STRIP]);
                        for (c, sums) in sums.iter_mut().enumerate() {
                            let x = simd.splat_f64s(x[c * STRIP + i]);
                            sums[0] = simd.mul_add_f64s(weights[at], x, sums[0]);
                            sums[1] = simd.mul_add_f64s(weights[at + 1], x, sums[1]);
                        }
                    }
                }
                for (c, sums) in sums.into_iter().enumerate() {
                    for (to, sum) in to[c * vectors + at..].iter_mut().zip(sums) {
                        *to = simd.add_f64s(*to, sum);
                    }
                }
            }
        }
        C
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    /// `rows: [n, width]` in strips.
    fn strips(rows: &[f64], width: usize) -> Vec<f64> {
        let mut strips = vec![0.0; rows.len()];
        for (i, row) in rows.chunks_exact(width).enumerate() {
            for (column, &value) in row.iter().enumerate() {
                strips[place(i, column, width)] = value;
            }
        }
        strips
    }

    fn numbers(rows: usize, cols: usize, seed: u64) -> Vec<f64> {
        noise(rows, cols, seed).into_iter().map(f64::from).collect()
    }

    /// Both products of a tile of two strips by three agree with sums by hand.
    fn check(width: usize, thin: impl Fn(&mut [f64])) {
        let (m, p) = (2 * STRIP, 3 * STRIP);
        let weights = numbers(m, p, 1);
        for mirrored in [false, true] {
            let (from, to) = if mirrored { (m, p) } else { (p, m) };
            let mut x = numbers(from, width, 2);
            thin(&mut x);
            let mut sum = vec![0.5; to * width];
            let product = if mirrored { add_mirrored } else { add_product };
            product(&weights, &strips(&x, width), width, &mut sum);
            for row in 0..to {
                for column in 0..width {
                    let weight = |i| weights[if mirrored { i * p + row } else { row * p + i }];
                    let all: f64 = (0..from).map(|i| weight(i) * x[i * width + column]).sum();
                    let found = sum[place(row, column, width)];
                    assert!((found - 0.5 - all).abs() < 1e-12, "{row}, {column} of {width}");
                }
            }
        }
    }

    #[test]
    fn products_with_any_number_of_columns_are_sums_by_hand() {
        for width in 1..=23 {
            check(width, |_| {});
        }
    }

    #[test]
    fn columns_of_few_entries_make_no_difference() {
        for width in [1, 3, 10] {
            check(width, |x| {
                let kept = [0, x.len() / 2, x.len() - 1].map(|place| (place, x[place]));
                x.fill(0.0);
                for (place, value) in kept {
                    x[place] = value;
                }
            });
            check(width, |x| x.fill(0.0));
        }
    }
}
