//! Products of tall blocks, `[n, width]`, whose sums do not depend on the number of threads.

use rayon::prelude::*;

use super::super::block::PLACES;
use scarce_numeric::product::{add_a_b, at_b};

/// aᵀ·b, `[width, width]`, for `a, b: [n, width]`: summed over blocks of rows in their order.
pub(super) fn gram(a: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let chunk = PLACES * width;
    let parts: Vec<Vec<f64>> = a
        .par_chunks(chunk)
        .zip(b.par_chunks(chunk))
        .map(|(a, b)| {
            let mut part = vec![0.0; width * width];
            at_b(a, b, a.len() / width, 1.0, &mut part);
            part
        })
        .collect();
    let mut total = vec![0.0; width * width];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total
}

/// Replaces `block: [n, width]` by its product with `turn: [width, width]`.
pub(super) fn turn(block: &mut [f64], turn: &[f64], width: usize) {
    block.par_chunks_mut(PLACES * width).for_each(|rows| {
        let old = rows.to_vec();
        rows.fill(0.0);
        add_a_b(&old, turn, width, 1.0, rows);
    });
}

/// The length of each column of `image − block·diag(values)`, `[width]`.
pub(super) fn residuals(image: &[f64], block: &[f64], values: &[f64]) -> Vec<f64> {
    let width = values.len();
    let chunk = PLACES * width;
    let parts: Vec<Vec<f64>> = image
        .par_chunks(chunk)
        .zip(block.par_chunks(chunk))
        .map(|(image, block)| {
            let mut sums = vec![0.0; width];
            for (image, block) in image.chunks_exact(width).zip(block.chunks_exact(width)) {
                for (((sum, a), b), value) in sums.iter_mut().zip(image).zip(block).zip(values) {
                    *sum += (a - value * b).powi(2);
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; width];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total.into_iter().map(f64::sqrt).collect()
}
