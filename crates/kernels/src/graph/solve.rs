//! Preconditioned conjugate gradients for (G − aW)u = b, many right-hand sides at a time.
//!
//! G is a diagonal matrix and the preconditioner (Hestenes and Stiefel, *Methods of conjugate
//! gradients for solving linear systems*, 1952; Golub and Van Loan, *Matrix computations*, §11.5).
//! Every column has its own step lengths and stops for itself; the graph is read once per iteration
//! for all of them.

use rayon::prelude::*;

use super::{
    Graph,
    block::{PLACES, WIDEST, add_products, gather, load, store, total, with_width},
};
use crate::Error;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// Largest residual of any column, relative to its right-hand side.
    pub tolerance: f64,
    /// Most iterations.
    pub max_iterations: usize,
}

impl Default for Precision {
    fn default() -> Self {
        Self { tolerance: 1e-5, max_iterations: 2000 }
    }
}

impl Precision {
    pub(super) fn check(self) -> Result<(), Error> {
        if self.tolerance > 0.0 && self.tolerance < 1.0 {
            return Ok(());
        }
        let value = self.tolerance.to_string();
        Err(Error::Parameter { name: "tolerance", must: "between 0 and 1", value })
    }
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Iterations; the most of any block of columns.
    pub iterations: usize,
    /// Largest relative residual of any column.
    pub residual: f64,
    /// Whether that is within the tolerance.
    pub converged: bool,
}

/// The matrix G − aW, of which some places may be left out.
pub(super) struct System<'a> {
    graph: &'a Graph,
    /// a.
    factor: f64,
    /// G by place.
    diagonal: Vec<f64>,
    /// 1/G; 0 where a place is left out: its solution is 0, whatever its right-hand side.
    inverse: Vec<f64>,
}

impl<'a> System<'a> {
    /// A place of which the diagonal is not positive, or `without` says so, is left out.
    pub(super) fn new(
        graph: &'a Graph,
        factor: f64,
        diagonal: Vec<f64>,
        without: impl Fn(usize) -> bool,
    ) -> Self {
        let inverse = |(place, &diagonal): (usize, &f64)| {
            if diagonal > 0.0 && !without(place) { 1.0 / diagonal } else { 0.0 }
        };
        let inverse = diagonal.iter().enumerate().map(inverse).collect();
        Self { graph, factor, diagonal, inverse }
    }

    /// Replaces `rhs: [places, columns]` by the solution.
    pub(super) fn solve(&self, rhs: &mut [f64], columns: usize, precision: Precision) -> Convergence {
        let mut whole = Convergence { iterations: 0, residual: 0.0, converged: true };
        for first in (0..columns).step_by(WIDEST) {
            let width = (columns - first).min(WIDEST);
            let part = with_width!(width, panel::<_>(self, rhs, columns, first, precision));
            whole.iterations = whole.iterations.max(part.iterations);
            whole.residual = whole.residual.max(part.residual);
            whole.converged &= part.converged;
        }
        whole
    }
}

fn panel<const P: usize>(
    system: &System<'_>,
    rhs: &mut [f64],
    columns: usize,
    first: usize,
    precision: Precision,
) -> Convergence {
    let b = load::<P>(rhs, columns, first);
    let (x, convergence) = conjugate_gradients(system, b, precision);
    store(&x, rhs, columns, first);
    convergence
}

/// Solves from u = 0. A column that has converged, or that is 0, is left alone.
///
/// Residuals are measured as √Σ r²/G: that is their length in the preconditioned system.
fn conjugate_gradients<const P: usize>(
    system: &System<'_>,
    mut residual: Vec<[f64; P]>,
    precision: Precision,
) -> (Vec<[f64; P]>, Convergence) {
    let mut x = vec![[0.0; P]; residual.len()];
    let mut direction = x.clone();
    let mut image = x.clone();
    turn(system, &mut direction, &residual, [0.0; P]);
    let start = lengths(system, &residual);
    let bar = start.map(|square| square * precision.tolerance * precision.tolerance);
    let mut now = start;
    let mut active = start.map(|square| square > 0.0);
    let mut iterations = 0;
    while active.contains(&true) && iterations < precision.max_iterations {
        iterations += 1;
        let curvature = apply(system, &direction, &mut image);
        let mut step = [0.0; P];
        for column in 0..P {
            // Not positive only where rounding has eaten the column up.
            active[column] &= curvature[column] > 0.0;
            if active[column] {
                step[column] = now[column] / curvature[column];
            }
        }
        let next = advance(system, &mut x, &mut residual, (&direction, &image), step);
        let mut keep = [0.0; P];
        for column in 0..P {
            if active[column] {
                keep[column] = next[column] / now[column];
                now[column] = next[column];
                active[column] = next[column] > bar[column];
            }
        }
        turn(system, &mut direction, &residual, keep);
    }
    let relative = |column: usize| {
        if start[column] > 0.0 { (now[column] / start[column]).sqrt() } else { 0.0 }
    };
    let worst = (0..P).map(relative).fold(0.0, f64::max);
    (x, Convergence { iterations, residual: worst, converged: worst <= precision.tolerance })
}

/// Sets `image` to (G − aW)·`direction` and returns their inner products.
fn apply<const P: usize>(
    system: &System<'_>,
    direction: &[[f64; P]],
    image: &mut [[f64; P]],
) -> [f64; P] {
    let System { graph, factor, diagonal, .. } = system;
    total(image.par_chunks_mut(PLACES).enumerate().map(|(chunk, image)| {
        let mut sums = [0.0; P];
        for (offset, image) in image.iter_mut().enumerate() {
            let place = chunk * PLACES + offset;
            let pulled = gather(graph, graph.weights(), direction, place);
            for ((out, own), pulled) in image.iter_mut().zip(&direction[place]).zip(&pulled) {
                *out = diagonal[place] * own - factor * pulled;
            }
            add_products(&mut sums, &direction[place], image);
        }
        sums
    }))
}

/// x += step·direction, residual −= step·image; returns the squared lengths of the residual.
fn advance<const P: usize>(
    system: &System<'_>,
    x: &mut [[f64; P]],
    residual: &mut [[f64; P]],
    (direction, image): (&[[f64; P]], &[[f64; P]]),
    step: [f64; P],
) -> [f64; P] {
    let chunks = x.par_chunks_mut(PLACES).zip(residual.par_chunks_mut(PLACES));
    let chunks = chunks.zip(direction.par_chunks(PLACES)).zip(image.par_chunks(PLACES));
    total(chunks.zip(system.inverse.par_chunks(PLACES)).map(
        |((((x, residual), direction), image), inverse)| {
            let mut sums = [0.0; P];
            let rows = x.iter_mut().zip(residual).zip(direction).zip(image).zip(inverse);
            for ((((x, r), d), i), inverse) in rows {
                for column in 0..P {
                    x[column] += step[column] * d[column];
                    r[column] -= step[column] * i[column];
                    sums[column] += r[column] * r[column] * inverse;
                }
            }
            sums
        },
    ))
}

/// direction = residual/G + keep·direction.
fn turn<const P: usize>(
    system: &System<'_>,
    direction: &mut [[f64; P]],
    residual: &[[f64; P]],
    keep: [f64; P],
) {
    let chunks = direction.par_chunks_mut(PLACES).zip(residual.par_chunks(PLACES));
    chunks.zip(system.inverse.par_chunks(PLACES)).for_each(|((direction, residual), inverse)| {
        for ((d, r), inverse) in direction.iter_mut().zip(residual).zip(inverse) {
            for column in 0..P {
                d[column] = r[column] * inverse + keep[column] * d[column];
            }
        }
    });
}

fn lengths<const P: usize>(system: &System<'_>, residual: &[[f64; P]]) -> [f64; P] {
    let chunks = residual.par_chunks(PLACES).zip(system.inverse.par_chunks(PLACES));
    total(chunks.map(|(residual, inverse)| {
        let mut sums = [0.0; P];
        for (r, inverse) in residual.iter().zip(inverse) {
            for column in 0..P {
                sums[column] += r[column] * r[column] * inverse;
            }
        }
        sums
    }))
}
