//! Coordinates in which logistic regression is easy to minimise.
//!
//! Where all classes are equally probable the Hessian of the loss is close to
//! ρ/S Σᵢ sᵢ x̃ᵢ x̃ᵢᵀ + the penalty for every class, with x̃ = (x, 1) and ρ = (K − 1)/K² (D. Böhning,
//! "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44, 1992). Neighbouring
//! pixels go together, so this matrix M has eigenvalues from about 10 down to the penalty's 10⁻⁵,
//! and a gradient method zigzags. With M = L Lᵀ and φ = Lᵀ θ, class by class, it is the identity:
//! L-BFGS over φ took a fifth of the iterations on 12,000 images of clothes.

use faer::{
    Accum, Conj, Mat, MatMut, MatRef, Par,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch},
        matmul::matmul,
        triangular_solve::{
            solve_lower_triangular_in_place, solve_upper_triangular_in_place_with_conj,
        },
    },
};

use rayon::prelude::*;

use super::Loss;

/// Wider features are left as they are: factor and solves would cost more than they save.
const MOST_COLUMNS: usize = 2048;
/// Rows per column that the matrix is estimated from; more do not change it much.
const ROWS_PER_COLUMN: usize = 16;
/// Fewer rows are never taken, unless there are no more.
const FEWEST_ROWS: usize = 4096;
/// Rows of the matrix that one thread computes at a time.
const PANEL: usize = 64;
/// Added to the diagonal, as a share of its mean: columns without variance have nothing else.
const FLOOR: f64 = 1e-7;

/// The factor L of M, `[d + 1, d + 1]`, lower triangular, row-major.
pub(super) struct Whitening {
    lower: Vec<f64>,
    side: usize,
    classes: usize,
}

impl Whitening {
    /// From the rows of a loss; `None` where there are too few of them for it to pay.
    pub(super) fn of(loss: &Loss<'_>) -> Option<Self> {
        let (n, d) = (loss.x.rows(), loss.x.cols());
        if n < d || d > MOST_COLUMNS || loss.classes < 2 {
            return None;
        }
        let side = d + 1;
        let mut matrix = second_moments(loss);
        let classes = loss.classes as f64;
        let share = (classes - 1.0) / (classes * classes);
        let penalty = 1.0 / (loss.c * loss.total);
        for entry in &mut matrix {
            *entry *= share;
        }
        let trace: f64 = (0..side).map(|i| matrix[i * side + i]).sum();
        for i in 0..side {
            // Without an intercept its coordinate stays by itself, and its gradient is 0.
            let penalised = match (i < d, loss.intercept) {
                (true, _) => penalty,
                (false, true) => 0.0,
                (false, false) => 1.0,
            };
            matrix[i * side + i] += penalised + FLOOR * trace / side as f64;
        }
        factor(&mut matrix, side)?;
        Some(Self { lower: matrix, side, classes: loss.classes })
    }

    /// θ = L⁻ᵀ φ, in the order of θ: weights row by row, then intercepts.
    pub(super) fn parameters(&self, phi: &[f64]) -> Vec<f64> {
        let mut rows = phi.to_vec();
        let lower = MatRef::from_row_major_slice(&self.lower, self.side, self.side);
        let right = MatMut::from_column_major_slice_mut(&mut rows, self.side, self.classes);
        let upper = lower.transpose();
        // On one thread: faer cuts the work by the number of threads, and the last bits with it.
        solve_upper_triangular_in_place_with_conj(upper, Conj::No, right, Par::Seq);
        let mut theta = Vec::with_capacity(rows.len());
        theta.extend(rows.chunks_exact(self.side).flat_map(|row| &row[..self.side - 1]));
        theta.extend(rows.chunks_exact(self.side).map(|row| row[self.side - 1]));
        theta
    }

    /// Sets `out` to L⁻¹ times the gradient by θ: the gradient by φ.
    pub(super) fn gradient(&self, by_theta: &[f64], out: &mut [f64]) {
        let d = self.side - 1;
        let (weights, intercepts) = by_theta.split_at(self.classes * d);
        let rows = weights.chunks_exact(d).zip(intercepts);
        for (to, (row, intercept)) in out.chunks_exact_mut(self.side).zip(rows) {
            to[..d].copy_from_slice(row);
            to[d] = *intercept;
        }
        let lower = MatRef::from_row_major_slice(&self.lower, self.side, self.side);
        let right = MatMut::from_column_major_slice_mut(out, self.side, self.classes);
        solve_lower_triangular_in_place(lower, right, Par::Seq);
    }
}

/// The lower triangle of 1/Σs Σᵢ sᵢ x̃ᵢ x̃ᵢᵀ over evenly spaced rows: `[d + 1, d + 1]`, row-major.
fn second_moments(loss: &Loss<'_>) -> Vec<f64> {
    let (n, d) = (loss.x.rows(), loss.x.cols());
    let (side, count) = (d + 1, n.min((ROWS_PER_COLUMN * d).max(FEWEST_ROWS)));
    // √sᵢ x̃ᵢ, `[count, side]`
    let mut rows = Vec::with_capacity(count * side);
    let mut total = 0.0;
    for at in 0..count {
        let row = at * n / count;
        let root = loss.weights[row].sqrt();
        rows.extend(loss.x.row(row).iter().map(|value| value * root));
        rows.push(if loss.intercept { root } else { 0.0 });
        total += f64::from(loss.weights[row]);
    }
    let rows = MatRef::from_row_major_slice(&rows, count, side);
    let mut moments = vec![0.0; side * side];
    moments.par_chunks_mut(PANEL * side).enumerate().for_each(|(panel, out)| {
        let (start, height) = (panel * PANEL, out.len() / side);
        let left = rows.subcols(start, height).transpose();
        let right = rows.subcols(0, start + height);
        let mut product = Mat::<f32>::zeros(height, start + height);
        matmul(product.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
        for (i, row) in out.chunks_exact_mut(side).enumerate() {
            for (j, entry) in row[..=start + i].iter_mut().enumerate() {
                *entry = f64::from(product[(i, j)]) / total.max(f64::MIN_POSITIVE);
            }
        }
    });
    moments
}

/// Cholesky's L in the lower triangle of `matrix`; `None` if it is not positive definite.
fn factor(matrix: &mut [f64], side: usize) -> Option<()> {
    let scratch = cholesky_in_place_scratch::<f64>(side, Par::Seq, faer::prelude::default());
    cholesky_in_place(
        MatMut::from_row_major_slice_mut(matrix, side, side),
        faer::prelude::default(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        faer::prelude::default(),
    )
    .ok()
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_numeric::Matrix;
    use scarce_testing::noise;

    fn with_whitening(intercept: bool, check: impl Fn(&Loss<'_>, &Whitening)) {
        let data = noise(300, 5, 21);
        let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
        let weights: Vec<f32> = (0..300).map(|i| 0.5 + (i % 4) as f32).collect();
        let loss = Loss {
            x: Matrix::new(&data, 300, 5).unwrap(),
            labels: &labels,
            weights: &weights,
            total: weights.iter().copied().map(f64::from).sum(),
            classes: 3,
            c: 0.1,
            intercept,
        };
        check(&loss, &Whitening::of(&loss).unwrap());
    }

    #[test]
    fn the_gradient_is_that_of_the_loss_over_the_new_coordinates() {
        for intercept in [true, false] {
            with_whitening(intercept, |loss, whitening| {
                let phi: Vec<f64> = noise(1, 18, 22).into_iter().map(f64::from).collect();
                let mut slope = vec![0.0; 18];
                let mut gradient = vec![0.0; 18];
                loss.evaluate(&whitening.parameters(&phi), &mut slope);
                whitening.gradient(&slope, &mut gradient);
                let mut value = |phi: &[f64]| loss.evaluate(&whitening.parameters(phi), &mut slope);
                // Without an intercept its coordinates (the last of each class) do not move.
                for i in (0..18).filter(|i| intercept || i % 6 != 5) {
                    let mut at = |step: f64| {
                        let mut moved = phi.clone();
                        moved[i] += step;
                        value(&moved)
                    };
                    let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!((difference - gradient[i]).abs() < 1e-4, "{difference} {gradient:?}");
                }
            });
        }
    }

    #[test]
    fn the_hessian_at_zero_is_close_to_the_identity() {
        with_whitening(true, |loss, whitening| {
            let at = |phi: &[f64]| {
                let (mut slope, mut gradient) = (vec![0.0; 18], vec![0.0; 18]);
                loss.evaluate(&whitening.parameters(phi), &mut slope);
                whitening.gradient(&slope, &mut gradient);
                gradient
            };
            for i in 0..18 {
                let (mut ahead, mut behind) = (vec![0.0; 18], vec![0.0; 18]);
                (ahead[i], behind[i]) = (1e-2, -1e-2);
                let curvature = (at(&ahead)[i] - at(&behind)[i]) / 2e-2;
                // All rows are used here, so it is 1 but for rounding.
                assert!((curvature - 1.0).abs() < 1e-2, "{i}: {curvature}");
            }
        });
    }
}
