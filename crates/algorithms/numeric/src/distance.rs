//! Squared Euclidean distances by matrix products.
//!
//! ‖x − y‖² = ‖x‖² − 2 x·y + ‖y‖² turns all distances between two sets into one product. The
//! price is cancellation where the distance is small beside the norms: such entries, and those of
//! the nearest rows, are computed again from the differences.

use crate::{
    Error, Matrix,
    blocks::ROW_BLOCK,
    nearest::{Targets, nearest_targets},
    product::{add_a_bt, add_few_bt, dot, squared_distance},
};
use rayon::prelude::*;

/// Entries below this share of ‖x‖² + ‖y‖² are computed again from the differences.
const CANCELLATION: f32 = 1e-2;
/// Up to so many rows a product of blocks spends its time packing the other side.
const FEW: usize = 16;

/// For every row, the nearest of some other rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Which row is nearest, `[n]`; the first one if several are.
    pub index: Vec<u32>,
    /// Squared Euclidean distance to it, `[n]`, not less than 0.
    pub squared: Vec<f32>,
}

/// ‖row‖² of every row.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::Overflow`] if a norm is too large for products of such rows to be safe.
pub fn squared_norms(x: Matrix<'_>) -> Result<Vec<f32>, Error> {
    let norms: Vec<f32> =
        x.data().par_chunks_exact(x.cols()).map(|row| dot(row, row) as f32).collect();
    match norms.iter().position(|&norm| norm.is_nan() || norm > f32::MAX / 8.0) {
        Some(row) => {
            x.check_finite()?;
            Err(Error::Overflow { row })
        }
        None => Ok(norms),
    }
}

/// Sets `keys: [m, n]` to ‖y‖² − 2 x·y, which orders the `n` rows of `y` as their distance to
/// each of the `m` rows of `x` does.
pub fn keys(x: Matrix<'_>, y: Matrix<'_>, y_norms: &[f32], keys: &mut [f32]) {
    for row in keys.chunks_exact_mut(y_norms.len()) {
        row.copy_from_slice(y_norms);
    }
    if x.rows() <= FEW {
        add_few_bt(x.data(), y.data(), x.cols(), -2.0, keys);
    } else {
        add_a_bt(x.data(), y.data(), x.cols(), -2.0, keys);
    }
}

/// Sets `out: [m, n]` to the squared distances of the rows of one block to the rows of `y`.
pub fn squared_block(
    x: Matrix<'_>,
    x_norms: &[f32],
    y: Matrix<'_>,
    y_norms: &[f32],
    out: &mut [f32],
) {
    keys(x, y, y_norms, out);
    let rows = out.chunks_exact_mut(y.rows());
    for ((row, x_row), &x_norm) in rows.zip(x.iter_rows()).zip(x_norms) {
        for (j, (entry, &y_norm)) in row.iter_mut().zip(y_norms).enumerate() {
            *entry += x_norm;
            if *entry < CANCELLATION * (x_norm + y_norm) {
                *entry = squared_distance(x_row, y.row(j)) as f32;
            }
        }
    }
}

/// All squared Euclidean distances, `[n, m]`, between `x: [n, d]` and `y: [m, d]`.
///
/// Rows that are equal have distance exactly 0.
///
/// # Errors
/// [`Error::Width`], [`Error::NotFinite`] or [`Error::Overflow`].
pub fn squared_euclidean(x: Matrix<'_>, y: Matrix<'_>) -> Result<Vec<f32>, Error> {
    check(x, y)?;
    if y.rows() == 0 {
        return Ok(Vec::new());
    }
    let (x_norms, y_norms) = (squared_norms(x)?, squared_norms(y)?);
    let mut out = vec![0.0; x.rows() * y.rows()];
    out.par_chunks_mut(ROW_BLOCK * y.rows()).enumerate().for_each(|(block, out)| {
        let start = block * ROW_BLOCK;
        let range = start..start + out.len() / y.rows();
        squared_block(x.block(range.clone()), &x_norms[range], y, &y_norms, out);
    });
    Ok(out)
}

/// All Euclidean distances, `[n, m]`, between `x: [n, d]` and `y: [m, d]`.
///
/// # Errors
/// [`Error::Width`], [`Error::NotFinite`] or [`Error::Overflow`].
pub fn euclidean(x: Matrix<'_>, y: Matrix<'_>) -> Result<Vec<f32>, Error> {
    let mut distances = squared_euclidean(x, y)?;
    distances.par_iter_mut().for_each(|d| *d = d.sqrt());
    Ok(distances)
}

/// The nearest row of `y: [m, d]` to every row of `x: [n, d]`; of equally near rows the first.
///
/// The answer is that of a double loop over differences in `f64`, whatever stands beside a row and
/// on every machine: where the rounding of the product leaves a doubt, distances are measured again.
///
/// # Errors
/// [`Error::TooFew`] if `y` is empty; [`Error::Width`], [`Error::NotFinite`], [`Error::Overflow`].
pub fn nearest(x: Matrix<'_>, y: Matrix<'_>) -> Result<Nearest, Error> {
    check(x, y)?;
    if y.rows() == 0 {
        return Err(Error::TooFew { what: "nearest row", wanted: 1, available: 0 });
    }
    squared_norms(x)?;
    Ok(nearest_targets(x, &Targets::new(y)?))
}

fn check(x: Matrix<'_>, y: Matrix<'_>) -> Result<(), Error> {
    x.check_width(y)?;
    x.check_finite()?;
    y.check_finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{noise, same_on_any_threads};

    #[test]
    fn distances_agree_with_differences() {
        let (x, y) = (noise(700, 33, 1), noise(1_100, 33, 2));
        let x = Matrix::new(&x, 700, 33).unwrap();
        let y = Matrix::new(&y, 1_100, 33).unwrap();
        let all = same_on_any_threads(|| squared_euclidean(x, y).unwrap());
        let closest = same_on_any_threads(|| nearest(x, y).unwrap());
        for i in 0..700 {
            let row = &all[i * 1_100..][..1_100];
            for (j, &found) in row.iter().enumerate() {
                let exact = squared_distance(x.row(i), y.row(j));
                assert!((f64::from(found) - exact).abs() < 1e-5 * exact);
            }
            let smallest = row.iter().copied().fold(f32::INFINITY, f32::min);
            assert!((closest.squared[i] - smallest).abs() <= 1e-5 * smallest);
        }
    }

    #[test]
    fn far_from_the_origin_small_distances_survive() {
        let x = [1000.0f32, 1000.0, 1000.5, 1000.0];
        let x = Matrix::new(&x, 2, 2).unwrap();
        assert_eq!(squared_euclidean(x, x).unwrap(), [0.0, 0.25, 0.25, 0.0]);
    }

    #[test]
    fn rows_too_alike_for_the_product_are_told_apart() {
        // Far from the origin all keys round alike; neighbours are 1/64 apart.
        let y: Vec<f32> = (0..900u16).map(|i| 4_000.0 + f32::from(i) / 64.0).collect();
        let x: Vec<f32> = (0..300u16).map(|i| 4_000.0 + f32::from(i) / 23.0).collect();
        let nearest = nearest(Matrix::new(&x, 300, 1).unwrap(), Matrix::new(&y, 900, 1).unwrap());
        let nearest = nearest.unwrap();
        for (i, value) in x.iter().enumerate() {
            let distance = |j: &usize| (f64::from(y[*j]) - f64::from(*value)).powi(2);
            let by_hand = (0..900).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            assert_eq!(nearest.index[i] as usize, by_hand);
        }
    }

    #[test]
    fn of_equal_rows_the_first_is_nearest() {
        let y = [1.0f32, 1.0].repeat(40);
        let x = [0.5f32, 0.25].repeat(300);
        let x = Matrix::new(&x, 300, 2).unwrap();
        let found = nearest(x, Matrix::new(&y, 40, 2).unwrap()).unwrap();
        assert!(found.index.iter().all(|&i| i == 0));
        assert!(found.squared.iter().all(|&d| d == 0.8125));
    }

    #[test]
    fn bad_input_is_refused() {
        let nan = [f32::NAN, 0.0];
        let good = [0.0f32, 0.0];
        let huge = [1e30f32, 0.0];
        let m = |data| Matrix::new(data, 1, 2).unwrap();
        assert!(matches!(
            squared_euclidean(m(&nan), m(&good)),
            Err(Error::NotFinite { row: 0, column: 0 })
        ));
        assert!(matches!(nearest(m(&good), m(&huge)), Err(Error::Overflow { row: 0 })));
        let narrow = Matrix::new(&good, 2, 1).unwrap();
        assert!(matches!(nearest(m(&good), narrow), Err(Error::Width { left: 2, right: 1 })));
        let none = Matrix::new(&[], 0, 2).unwrap();
        assert!(matches!(nearest(m(&good), none), Err(Error::TooFew { .. })));
    }
}
