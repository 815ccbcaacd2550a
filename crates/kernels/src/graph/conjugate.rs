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
    let mut square = advance(system, &mut x, &mut residual, (&direction, &image), [0.0; P]);
    let mut product = sum(square, system.multilevel.correct(&residual, &mut buffers));
    let bar: [f64; P] = std::array::from_fn(|c| square[c] * goal[c] * goal[c]);
    let mut active: [bool; P] = std::array::from_fn(|c| square[c] > 0.0 && goal[c] < 1.0);
    let mut keep = [0f32; P];
    let mut iterations = 0;
    while active.contains(&true) && iterations < max_iterations {
        iterations += 1;
        turn(system, &mut direction, &residual, &buffers, keep);
        let curvature = apply(system, &direction, &mut image);
        let mut step = [0f32; P];
        for column in 0..P {
            // Not positive only where rounding has eaten the column up.
            active[column] &= curvature[column] > 0.0;
            if active[column] {
                step[column] = (product[column] / curvature[column]) as f32;
            }
        }
        square = advance(system, &mut x, &mut residual, (&direction, &image), step);
        let next = sum(square, system.multilevel.correct(&residual, &mut buffers));
        for column in 0..P {
            keep[column] = 0.0;
            if active[column] {
                keep[column] = (next[column] / product[column]) as f32;
                active[column] = square[column] > bar[column];
            }
        }
        product = next;
    }
    (x, iterations)
}

/// direction = z + keep·direction.
fn turn<const P: usize>(
    system: &System<'_>,
    direction: &mut [[f32; P]],
    residual: &[[f32; P]],
    buffers: &Buffers<P>,
    keep: [f32; P],
) {
    let lowest = system.multilevel.lowest(buffers);
    let chunks = direction.par_chunks_mut(PLACES).zip(residual.par_chunks(PLACES));
    let chunks = chunks.zip(system.inverse.par_chunks(PLACES)).enumerate();
    chunks.for_each(|(chunk, ((direction, residual), inverse))| {
        let rows = direction.iter_mut().zip(residual).zip(inverse).enumerate();
        for (offset, ((d, r), &inverse)) in rows {
            let place = chunk * PLACES + offset;
            let coarse = match lowest {
                Some((group, corrections)) if inverse > 0.0 => corrections[group[place] as usize],
                _ => [0.0; P],
            };
            for column in 0..P {
                d[column] = r[column] * inverse + coarse[column] + keep[column] * d[column];
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
            if !system.has(place) {
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

/// x += step·direction, residual −= step·image; returns Σ r²/G of each column.
fn advance<const P: usize>(
    system: &System<'_>,
    x: &mut [[f32; P]],
    residual: &mut [[f32; P]],
    (direction, image): (&[[f32; P]], &[[f32; P]]),
    step: [f32; P],
) -> [f64; P] {
    let chunks = x.par_chunks_mut(PLACES).zip(residual.par_chunks_mut(PLACES));
    let chunks = chunks.zip(direction.par_chunks(PLACES)).zip(image.par_chunks(PLACES));
    let chunks = chunks.zip(system.inverse.par_chunks(PLACES));
    total(chunks.map(|((((x, residual), direction), image), inverse)| {
        let mut squares = [0f32; P];
        let rows = x.iter_mut().zip(residual).zip(direction).zip(image).zip(inverse);
        for ((((x, r), d), i), &inverse) in rows {
            for column in 0..P {
                x[column] += step[column] * d[column];
                r[column] -= step[column] * i[column];
                squares[column] += r[column] * r[column] * inverse;
            }
        }
        squares.map(f64::from)
    }))
}

fn sum<const P: usize>(a: [f64; P], b: [f64; P]) -> [f64; P] {
    std::array::from_fn(|column| a[column] + b[column])
}
