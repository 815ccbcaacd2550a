//! Matrix products and sums on row-major slices, each on one thread.
//!
//! faer's product was the fastest of those measured on `f32` (110 to 150 GFLOP/s on one AVX-512
//! core for blocks of 256 to 2,048 rows, against 57 to 83 for the `gemm` crate). It runs on the
//! calling thread alone, so a block's result does not depend on how many threads there are. Sums are
//! compiled for several instruction sets, of which pulp takes the best that a machine has; all of them
//! add in the same order.

use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::traits::pulp::{Arch, Simd, WithSimd};
use faer::{Accum, MatMut, MatRef, Par};

/// Adds `alpha * a·bᵀ` to `out`: `a: [m, d]`, `b: [n, d]`, `out: [m, n]`.
///
/// The bits of a row of `out` depend on that row of `a` alone, not on how many others there are.
pub fn add_a_bt<T: ComplexField + Copy>(a: &[T], b: &[T], d: usize, alpha: T, out: &mut [T]) {
    let (m, n) = (a.len() / d, b.len() / d);
    if m == 1 && n > 1 {
        // A single row takes another way through faer, which adds in another order.
        let mut twice = [&*out, &*out].concat();
        add_a_bt(&[a, a].concat(), b, d, alpha, &mut twice);
        out.copy_from_slice(&twice[..n]);
        return;
    }
    matmul(
        MatMut::from_row_major_slice_mut(out, m, n),
        Accum::Add,
        MatRef::from_row_major_slice(a, m, d),
        MatRef::from_row_major_slice(b, n, d).transpose(),
        alpha,
        Par::Seq,
    );
}

/// Adds `a·b` to `out`: `a: [m, p]`, `b: [p, q]`, `out: [m, q]`.
pub fn add_a_b<T: ComplexField>(a: &[T], b: &[T], p: usize, one: T, out: &mut [T]) {
    let (m, q) = (a.len() / p, b.len() / p);
    matmul(
        MatMut::from_row_major_slice_mut(out, m, q),
        Accum::Add,
        MatRef::from_row_major_slice(a, m, p),
        MatRef::from_row_major_slice(b, p, q),
        one,
        Par::Seq,
    );
}

/// Sets `out` to `aᵀ·b`: `a: [m, p]`, `b: [m, q]`, `out: [p, q]`.
pub fn at_b<T: ComplexField>(a: &[T], b: &[T], m: usize, one: T, out: &mut [T]) {
    at_b_with(a, b, m, one, Accum::Replace, out);
}

/// Adds `aᵀ·b` to `out`: `a: [m, p]`, `b: [m, q]`, `out: [p, q]`.
pub fn add_at_b<T: ComplexField>(a: &[T], b: &[T], m: usize, one: T, out: &mut [T]) {
    at_b_with(a, b, m, one, Accum::Add, out);
}

fn at_b_with<T: ComplexField>(a: &[T], b: &[T], m: usize, one: T, accum: Accum, out: &mut [T]) {
    let (p, q) = (a.len() / m, b.len() / m);
    matmul(
        MatMut::from_row_major_slice_mut(out, p, q),
        accum,
        MatRef::from_row_major_slice(a, m, p).transpose(),
        MatRef::from_row_major_slice(b, m, q),
        one,
        Par::Seq,
    );
}

/// Adds `alpha * a·bᵀ` to `out` as [`add_a_bt`] does, for an `a` of so few rows that packing `b` for a
/// product of blocks would take longer than the product.
pub fn add_few_bt(a: &[f32], b: &[f32], d: usize, alpha: f32, out: &mut [f32]) {
    Arch::new().dispatch(Few { a, b, d, alpha, out });
}

struct Few<'a> {
    a: &'a [f32],
    b: &'a [f32],
    d: usize,
    alpha: f32,
    out: &'a mut [f32],
}

impl WithSimd for Few<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, d, alpha, out } = self;
        let (m, n) = (a.len() / d, b.len() / d);
        // Two rows of `b` stay in the first-level cache while all of `a` passes, three rows at a time.
        for j in (0..n).step_by(2) {
            let js = [j, (j + 1).min(n - 1)];
            let right = js.map(|j| S::as_simd_f32s(&b[j * d..][..d]));
            for i in (0..m).step_by(3) {
                let is = [i, (i + 1).min(m - 1), (i + 2).min(m - 1)];
                let left = is.map(|i| S::as_simd_f32s(&a[i * d..][..d]));
                let sums = six_products(simd, left, right);
                for (&i, sums) in is.iter().zip(sums).take(m - i) {
                    for (&j, sum) in js.iter().zip(sums).take(n - j) {
                        out[i * n + j] += alpha * sum;
                    }
                }
            }
        }
    }
}

/// All inner products of three rows and two, each given as whole vectors and a rest.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn six_products<S: Simd>(
    simd: S,
    left: [(&[S::f32s], &[f32]); 3],
    right: [(&[S::f32s], &[f32]); 2],
) -> [[f32; 2]; 3] {
    let vectors = left[0].0.len();
    let mut sums = [[simd.splat_f32s(0.0); 2]; 3];
    let (a, b) = (left.map(|(v, _)| &v[..vectors]), right.map(|(v, _)| &v[..vectors]));
    for at in 0..vectors {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_f32s(a[at], b[at], *sum);
            }
        }
    }
    let rest = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    std::array::from_fn(|i| {
        std::array::from_fn(|j| simd.reduce_sum_f32s(sums[i][j]) + rest(left[i].1, right[j].1))
    })
}

/// Runs work compiled for the best vector instructions that the machine has: whatever is inlined into a
/// closure that is marked `#[inline(always)]`. (The bound makes it an `FnOnce`, which pulp calls
/// directly; it would call another kind through a shim, compiled for the least of machines.)
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that the closure is inlined too")]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// Squared Euclidean distance of two rows, in `f64`, summed in a fixed order.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    vectorized(
        #[inline(always)]
        || sum_over_pairs(a, b, |p, q| (p - q) * (p - q)),
    )
}

/// Inner product of two rows, in `f64`, summed in a fixed order.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    vectorized(
        #[inline(always)]
        || sum_over_pairs(a, b, |p, q| p * q),
    )
}

/// Adds `factor` times a row to a sum.
pub fn add(sum: &mut [f64], row: &[f32], factor: f64) {
    vectorized(
        #[inline(always)]
        || {
            for (s, &v) in sum.iter_mut().zip(row) {
                *s += factor * f64::from(v);
            }
        },
    );
}

/// Sets `out` to a row less a mean.
pub fn subtract(row: &[f32], mean: &[f64], out: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for ((out, &value), mean) in out.iter_mut().zip(row).zip(mean) {
                *out = (f64::from(value) - mean) as f32;
            }
        },
    );
}

/// Sixteen partial sums, so that the compiler may use vector instructions without reordering. All loops
/// are over arrays: slices of a length that it does not know would keep the sums in memory.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the vectors that the caller has")]
fn sum_over_pairs(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (a_chunks, a_rest) = a.as_chunks::<16>();
    let (b_chunks, b_rest) = b.as_chunks::<16>();
    let mut rest = [[0.0f32; 16]; 2];
    rest[0][..a_rest.len()].copy_from_slice(a_rest);
    rest[1][..b_rest.len()].copy_from_slice(b_rest);
    let mut lanes = [0.0f64; 16];
    for (p, q) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..16 {
            lanes[lane] += term(f64::from(p[lane]), f64::from(q[lane]));
        }
    }
    for lane in 0..16 {
        lanes[lane] += term(f64::from(rest[0][lane]), f64::from(rest[1][lane]));
    }
    let eight: [f64; 8] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + 8]);
    let four: [f64; 4] = std::array::from_fn(|lane| eight[lane] + eight[lane + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    #[test]
    fn products_agree_with_sums_by_hand() {
        let a = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]; // [2, 3]
        let b = [1.0f32, 0.0, -1.0, 2.0, 1.0, 0.0]; // [2, 3]
        let mut out = [10.0f32; 4];
        add_a_bt(&a, &b, 3, -2.0, &mut out);
        assert_eq!(out, [14.0, 2.0, 14.0, -16.0]);
        let mut out = [1.0f32; 2];
        add_a_b(&a, &[1.0, 0.0, -1.0], 3, 2.0, &mut out);
        assert_eq!(out, [-3.0, -3.0]);
        let mut out = [9.0f32; 9];
        at_b(&a, &b, 2, 1.0, &mut out);
        assert_eq!(out, [9.0, 4.0, -1.0, 12.0, 5.0, -2.0, 15.0, 6.0, -3.0]);
    }

    #[test]
    fn a_product_with_few_rows_is_that_of_any_other() {
        for (m, n, d) in [(1, 1, 3), (4, 7, 33), (6, 20, 64), (9, 3, 100)] {
            let (a, b) = (noise(m, d, 1), noise(n, d, 2));
            let (mut few, mut any) = (vec![0.5f32; m * n], vec![0.5f32; m * n]);
            add_few_bt(&a, &b, d, -2.0, &mut few);
            add_a_bt(&a, &b, d, -2.0, &mut any);
            scarce_testing::assert_close(&few, &any, 1e-4);
        }
    }

    #[test]
    fn sums_over_pairs_take_every_entry_once() {
        let a: Vec<f32> = (0..19u8).map(f32::from).collect();
        let b = vec![1.0f32; 19];
        assert_eq!(dot(&a, &b), 171.0);
        assert_eq!(
            squared_distance(&a, &b),
            (0..19i32).map(|v| f64::from((v - 1) * (v - 1))).sum::<f64>()
        );
    }

    #[test]
    fn the_bits_of_a_row_do_not_depend_on_the_other_rows() {
        let mut wrong = Vec::new();
        for (d, n) in [(3, 2), (5, 2), (64, 10), (784, 10), (1280, 48), (1280, 256)] {
            let (a, b) = (noise(300, d, 1), noise(n, d, 2));
            let mut all = vec![0.0f32; 300 * n];
            add_a_bt(&a, &b, d, 1.0, &mut all);
            for rows in (1..=32).chain([48, 63, 64, 65, 100, 128, 200, 255, 256]) {
                let mut some = vec![0.0f32; rows * n];
                add_a_bt(&a[..rows * d], &b, d, 1.0, &mut some);
                if some != all[..rows * n] {
                    wrong.push((d, n, rows));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
