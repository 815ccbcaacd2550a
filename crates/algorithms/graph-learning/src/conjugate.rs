//! Preconditioned conjugate gradients in `f32` (Hestenes and Stiefel, *Methods of conjugate gradients
//! for solving linear systems*, 1952; Golub and Van Loan, *Matrix computations*, §11.5).
//!
//! Every column has its own step lengths and stops for itself; the graph is read once per iteration
//! for all.

use rayon::prelude::*;

use super::{
    block::{PLACES, gather, total},
    multilevel::Buffers,
    solve::System,
};
use scarce_numeric::product::vectorized;

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
    let mut buffers = system.multilevel.buffers();
    for (residual, inverse) in residual.iter_mut().zip(&system.inverse) {
        if *inverse == 0.0 {
            *residual = [0.0; P];
        }
    }
    let (mut step, mut keep) = ([0f32; P], [0f32; P]);
    let mut square = descend(system, &mut residual, &image, step, &mut buffers);
    let mut product = sum(square, system.multilevel.correct(&mut buffers));
    let bar: [f64; P] = std::array::from_fn(|c| square[c] * goal[c] * goal[c]);
    let mut active: [bool; P] = std::array::from_fn(|c| square[c] > 0.0 && goal[c] < 1.0);
    let mut iterations = 0;
    while active.contains(&true) && iterations < max_iterations {
        iterations += 1;
        turn(system, (&mut x, &mut direction), &residual, &buffers, (step, keep));
        let curvature = apply(system, &direction, &mut image);
        step = [0.0; P];
        for column in 0..P {
            // Not positive only where rounding has eaten the column up.
            active[column] &= curvature[column] > 0.0;
            if active[column] {
                step[column] = (product[column] / curvature[column]) as f32;
            }
        }
        square = descend(system, &mut residual, &image, step, &mut buffers);
        let next = sum(square, system.multilevel.correct(&mut buffers));
        for column in 0..P {
            keep[column] = 0.0;
            if active[column] {
                keep[column] = (next[column] / product[column]) as f32;
                active[column] = square[column] > bar[column];
            }
        }
        product = next;
    }
    for (x, direction) in x.iter_mut().zip(&direction) {
        for column in 0..P {
            x[column] += step[column] * direction[column];
        }
    }
    (x, iterations)
}

/// x += step·direction, with the step of the iteration before, and direction = z + keep·direction: who
/// reads the direction once can do both.
fn turn<const P: usize>(
    system: &System<'_>,
    (x, direction): (&mut [[f32; P]], &mut [[f32; P]]),
    residual: &[[f32; P]],
    buffers: &Buffers<P>,
    (step, keep): ([f32; P], [f32; P]),
) {
    let lowest = system.multilevel.lowest(buffers);
    let chunks = x.par_chunks_mut(PLACES).zip(direction.par_chunks_mut(PLACES));
    let chunks = chunks.zip(residual.par_chunks(PLACES)).zip(system.inverse.par_chunks(PLACES));
    chunks.enumerate().for_each(|(chunk, (((x, direction), residual), inverse))| {
        vectorized(
            #[inline(always)]
            || {
                let rows = x.iter_mut().zip(direction).zip(residual).zip(inverse).enumerate();
                for (offset, (((x, d), r), &inverse)) in rows {
                    let place = chunk * PLACES + offset;
                    let coarse = match lowest {
                        Some((group, found)) if inverse > 0.0 => found[group[place] as usize],
                        _ => [0.0; P],
                    };
                    for column in 0..P {
                        x[column] += step[column] * d[column];
                        d[column] = r[column] * inverse + coarse[column] + keep[column] * d[column];
                    }
                }
            },
        );
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
        vectorized(
            #[inline(always)]
            || {
                let mut sums = [0f32; P];
                for (offset, image) in image.iter_mut().enumerate() {
                    let place = chunk * PLACES + offset;
                    if !system.has(place) {
                        continue;
                    }
                    let pulled = gather(system.graph, direction, place);
                    let (own, diagonal) = (&direction[place], system.diagonal[place] as f32);
                    for column in 0..P {
                        image[column] = diagonal * own[column] - factor * pulled[column];
                        sums[column] += own[column] * image[column];
                    }
                }
                sums.map(f64::from)
            },
        )
    }))
}

/// residual −= step·image, summed over the lowest groups on the way; returns Σ r²/G of each column.
fn descend<const P: usize>(
    system: &System<'_>,
    residual: &mut [[f32; P]],
    image: &[[f32; P]],
    step: [f32; P],
    buffers: &mut Buffers<P>,
) -> [f64; P] {
    let parts = system.multilevel.parts(residual, buffers);
    total(parts.into_par_iter().map(|part| {
        vectorized(
            #[inline(always)]
            || {
                let (image, inverse) =
                    (&image[part.places.clone()], &system.inverse[part.places.clone()]);
                let mut squares = [0f32; P];
                let mut rows = part.residual.iter_mut().zip(image).zip(inverse);
                let mut take_in = |row: ((&mut [f32; P], &[f32; P]), &f32), sum: &mut [f32; P]| {
                    let ((r, i), &inverse) = row;
                    for column in 0..P {
                        r[column] -= step[column] * i[column];
                        squares[column] += r[column] * r[column] * inverse;
                        sum[column] += r[column];
                    }
                };
                for (sum, members) in part.sums.iter_mut().zip(part.sizes) {
                    let mut whole = [0.0; P];
                    for row in rows.by_ref().take((members[1] - members[0]) as usize) {
                        take_in(row, &mut whole);
                    }
                    *sum = whole;
                }
                for row in rows {
                    take_in(row, &mut [0.0; P]);
                }
                squares.map(f64::from)
            },
        )
    }))
}

fn sum<const P: usize>(a: [f64; P], b: [f64; P]) -> [f64; P] {
    std::array::from_fn(|column| a[column] + b[column])
}
