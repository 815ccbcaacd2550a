//! Square roots of covariance matrices.

/// The transposed inverse of the lower Cholesky factor of a symmetric `matrix: [d, d]`, `[d, d]`:
/// an upper triangle P with `PPᵀ` the inverse of the matrix. `None` if it is not positive definite.
pub(super) fn inverse_root(matrix: &[f64], d: usize) -> Option<Vec<f64>> {
    let lower = factor(matrix, d)?;
    // Row i of the inverse of L, by forward substitution; stored as column i of P.
    let mut inverse = vec![0.0; d * d];
    for i in 0..d {
        let (done, rest) = inverse.split_at_mut(i * d);
        let row = &mut rest[..d];
        let own = 1.0 / lower[i * d + i];
        for (k, before) in done.chunks_exact(d).enumerate() {
            let factor = lower[i * d + k];
            for (entry, before) in row[..=k].iter_mut().zip(before) {
                *entry -= factor * before;
            }
        }
        row[..i].iter_mut().for_each(|entry| *entry *= own);
        row[i] = own;
    }
    let mut upper = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            upper[j * d + i] = inverse[i * d + j];
        }
    }
    Some(upper)
}

/// The lower Cholesky factor.
fn factor(matrix: &[f64], d: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let (a, b) = (&lower[i * d..][..j], &lower[j * d..][..j]);
            let known: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let left = matrix[i * d + j] - known;
            lower[i * d + j] = if i > j {
                left / lower[j * d + j]
            } else if left > 0.0 && left.is_finite() {
                left.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_with_its_transpose_is_the_inverse() {
        let matrix = [4.0, 2.0, -1.0, 2.0, 5.0, 0.5, -1.0, 0.5, 3.0];
        let root = inverse_root(&matrix, 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let inverse =
                    |k: usize| -> f64 { (0..3).map(|m| root[k * 3 + m] * root[j * 3 + m]).sum() };
                let product: f64 = (0..3).map(|k| matrix[i * 3 + k] * inverse(k)).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        assert!(root[3] == 0.0 && root[6] == 0.0 && root[7] == 0.0);
    }

    #[test]
    fn what_is_no_covariance_has_none() {
        assert!(inverse_root(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(inverse_root(&[0.0], 1).is_none());
        assert!(inverse_root(&[f64::NAN], 1).is_none());
    }
}
