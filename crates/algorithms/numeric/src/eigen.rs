//! Covariance matrices, and eigenvectors of symmetric matrices.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, MatRef, Par};
use rayon::prelude::*;

use crate::blocks::ROW_BLOCK;
use crate::product::add_at_b;
use crate::{Error, Matrix};

/// Partial covariance matrices side by side, each `d²` numbers.
const PARTIAL_SUMS: usize = 8;

/// The covariance matrix with divisor n − 1, `[d, d]`.
pub fn covariance(x: Matrix<'_>, mean: &[f64]) -> Vec<f64> {
    let d = x.cols();
    let per_sum = x.rows().div_ceil(PARTIAL_SUMS).next_multiple_of(ROW_BLOCK);
    let partial: Vec<Vec<f64>> = x
        .data()
        .par_chunks(per_sum * d)
        .map(|group| {
            let mut sum = vec![0.0; d * d];
            for rows in group.chunks(ROW_BLOCK * d) {
                let centred: Vec<f64> = rows
                    .chunks_exact(d)
                    .flat_map(|row| row.iter().zip(mean).map(|(&v, m)| f64::from(v) - m))
                    .collect();
                add_at_b(&centred, &centred, rows.len() / d, 1.0, &mut sum);
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; d * d];
    for sum in partial {
        for (t, s) in total.iter_mut().zip(sum) {
            *t += s;
        }
    }
    let divisor = (x.rows() - 1) as f64;
    for t in &mut total {
        *t /= divisor;
    }
    total
}

/// Eigenvalues, upwards, and eigenvectors, in columns, of a symmetric matrix `[d, d]`.
///
/// On one thread: faer cuts the work by the number of threads, and the last bits with it.
pub fn eigen(matrix: &[f64], d: usize) -> Result<(Vec<f64>, Mat<f64>), Error> {
    let mut values = vec![0.0; d];
    let mut vectors = Mat::zeros(d, d);
    let scratch = self_adjoint_evd_scratch::<f64>(
        d,
        ComputeEigenvectors::Yes,
        Par::Seq,
        faer::prelude::default(),
    );
    self_adjoint_evd(
        MatRef::from_row_major_slice(matrix, d, d),
        faer::diag::DiagMut::from_slice_mut(&mut values),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        faer::prelude::default(),
    )
    .map_err(|_| Error::NoConvergence { what: "eigenvalues of a symmetric matrix" })?;
    Ok((values, vectors))
}
