//! Preconditioned conjugate gradients in `f32` (Hestenes and Stiefel, *Methods of conjugate gradients
//! for solving linear systems*, 1952; Golub and Van Loan, *Matrix computations*, §11.5).
//!
//! The preconditioner is the diagonal plus, where few places are held fixed, a correction of the
//! constant, which such systems hardly see: z = r/G + 1·(Σr)/(1ᵀA1) (the coarse space of Nicolaides,
//! *Deflation of conjugate gradients*, SIAM J. Numer. Anal. 24, 1987, used additively). Every column
//! has its own step lengths and stops for itself; the graph is read once per iteration for all.

use rayon::prelude::*;

use super::{
    block::{PLACES, gather, total},
    solve::System,
};

/// Residuals of one iteration.
#[derive(Clone, Copy)]
struct Sizes<const P: usize> {
    /// Σ r²/G.
    square: [f64; P],
    /// Σ r, times the coarse factor.
    shift: [f64; P],
    /// rᵀz.
    product: [f64; P],
}

/// Solves from 0 until each column's length √Σ r²/G is below `goal` times its first, and returns the
/// number of iterations. Columns that are 0 stay 0, and so do places that are left out.
pub(super) fn conjugate_gradients<const P: usize>(
    system: &System<'_>,
    mut residual: Vec<[f32; P]>,
    goal: [f64; P],
    max_iterations: usize,
) -> (Vec<[f32; P]>, usize) {
    let mut x = vec![[0f32; P]; residual.len()];
    let mut direction = x.clone();
    let mut image = x.clone();
    for (residual, inverse) in residual.iter_mut().zip(&system.inverse) {
        if *inverse == 0.0 {
            *residual = [0.0; P];
        }
    }
    let mut now = advance(system, &mut x, &mut residual, (&direction, &image), [0.0; P]);
    let bar: [f64; P] = std::array::from_fn(|c| now.square[c] * goal[c] * goal[c]);
    let mut active: [bool; P] = std::array::from_fn(|c| now.square[c] > 0.0 && goal[c] < 1.0);
    let mut keep = [0f32; P];
    let mut iterations = 0;
    while active.contains(&true) && iterations < max_iterations {
        iterations += 1;
        turn(system, &mut direction, &residual, now.shift, keep);
        let curvature = apply(system, &direction, &mut image);
        let mut step = [0f32; P];
        for column in 0..P {
            // Not positive only where rounding has eaten the column up.
            active[column] &= curvature[column] > 0.0;
            if active[column] {
                step[column] = (now.product[column] / curvature[column]) as f32;
            }
        }
        let next = advance(system, &mut x, &mut residual, (&direction, &image), step);
        for column in 0..P {
            keep[column] = 0.0;
            if active[column] {
                keep[column] = (next.product[column] / now.product[column]) as f32;
                active[column] = next.square[column] > bar[column];
            }
        }
        now = next;
    }
    (x, iterations)
}

/// direction = z + keep·direction.
fn turn<const P: usize>(
    system: &System<'_>,
    direction: &mut [[f32; P]],
    residual: &[[f32; P]],
    shift: [f64; P],
    keep: [f32; P],
) {
    let shift = shift.map(|shift| shift as f32);
    let chunks = direction.par_chunks_mut(PLACES).zip(residual.par_chunks(PLACES));
    chunks.zip(system.inverse.par_chunks(PLACES)).for_each(|((direction, residual), inverse)| {
        for ((d, r), &inverse) in direction.iter_mut().zip(residual).zip(inverse) {
            let (inside, inverse) = (f32::from(u8::from(inverse > 0.0)), inverse as f32);
            for column in 0..P {
                d[column] = r[column] * inverse + shift[column] * inside + keep[column] * d[column];
            }
        }
    });
}

/// Sets `image` to (G − aW)·`direction`, 0 at places that are left out, and returns their inner
/// products.
fn apply<const P: usize>(
    system: &System<'_>,
    direction: &[[f32; P]],
    image: &mut [[f32; P]],
) -> [f64; P] {
    let factor = system.factor as f32;
    total(image.par_chunks_mut(PLACES).enumerate().map(|(chunk, image)| {
        let mut sums = [0f32; P];
        for (offset, image) in image.iter_mut().enumerate() {
            let place = chunk * PLACES + offset;
            if system.inverse[place] == 0.0 {
                continue;
            }
            let (pulled, own) = (gather(system.graph, direction, place), &direction[place]);
            let diagonal = system.diagonal[place] as f32;
            for column in 0..P {
                image[column] = diagonal * own[column] - factor * pulled[column];
                sums[column] += own[column] * image[column];
            }
        }
        sums.map(f64::from)
    }))
}

/// x += step·direction, residual −= step·image; returns the sizes of the residual.
fn advance<const P: usize>(
    system: &System<'_>,
    x: &mut [[f32; P]],
    residual: &mut [[f32; P]],
    (direction, image): (&[[f32; P]], &[[f32; P]]),
    step: [f32; P],
) -> Sizes<P> {
    let chunks = x.par_chunks_mut(PLACES).zip(residual.par_chunks_mut(PLACES));
    let chunks = chunks.zip(direction.par_chunks(PLACES)).zip(image.par_chunks(PLACES));
    let chunks = chunks.zip(system.inverse.par_chunks(PLACES));
    let parts: Vec<([f32; P], [f32; P])> = chunks
        .map(|((((x, residual), direction), image), inverse)| {
            let (mut squares, mut sums) = ([0f32; P], [0f32; P]);
            let rows = x.iter_mut().zip(residual).zip(direction).zip(image).zip(inverse);
            for ((((x, r), d), i), &inverse) in rows {
                let inverse = inverse as f32;
                for column in 0..P {
                    x[column] += step[column] * d[column];
                    r[column] -= step[column] * i[column];
                    squares[column] += r[column] * r[column] * inverse;
                    sums[column] += r[column];
                }
            }
            (squares, sums)
        })
        .collect();
    let (mut square, mut sum) = ([0.0; P], [0.0; P]);
    for (squares, sums) in parts {
        for column in 0..P {
            square[column] += f64::from(squares[column]);
            sum[column] += f64::from(sums[column]);
        }
    }
    let shift = sum.map(|sum| sum * system.coarse);
    let product = std::array::from_fn(|c| square[c] + sum[c] * shift[c]);
    Sizes { square, shift, product }
}
