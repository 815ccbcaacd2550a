//! Linear systems (G − aW)u = b with a diagonal G, many right-hand sides at a time.
//!
//! Conjugate gradients run in `f32`, which halves the memory that has to be read; residuals and
//! solutions are in `f64`. What is left of the residual after a run is solved for again until it is
//! small enough (iterative refinement: Higham, *Accuracy and stability of numerical algorithms*,
//! chapter 12), so that the outcome is as good as `f64` throughout.

use rayon::prelude::*;

use super::{
    Graph,
    block::{PLACES, WIDEST, gather, load, store, total, with_width},
    conjugate::conjugate_gradients,
    multilevel::Multilevel,
};
use scarce_numeric::Error;

/// One run in `f32` makes the residual this much smaller at most.
const RUN_TOLERANCE: f64 = 2e-6;
/// The residual of a run is aimed a little below what is needed: rounding adds to it.
const MARGIN: f64 = 0.7;
/// A run that leaves more than this share of the residual has met the limits of `f64`.
const LEAST_PROGRESS: f64 = 0.5;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// Largest residual of any column, relative to its right-hand side; lengths are √Σ r²/G.
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
    pub(super) graph: &'a Graph,
    /// a.
    pub(super) factor: f64,
    /// G by place.
    pub(super) diagonal: Vec<f64>,
    /// 1/G; 0 where a place is left out: its solution is 0, whatever its right-hand side.
    pub(super) inverse: Vec<f32>,
    /// What the diagonal does not see.
    pub(super) multilevel: Multilevel<'a>,
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
            if diagonal > 0.0 && !without(place) { (1.0 / diagonal) as f32 } else { 0.0 }
        };
        let inverse: Vec<f32> = diagonal.iter().enumerate().map(inverse).collect();
        let multilevel = Multilevel::new(graph, factor, &diagonal, |place| inverse[place] > 0.0);
        Self { graph, factor, diagonal, inverse, multilevel }
    }

    /// Whether a place is in the system.
    pub(super) fn has(&self, place: usize) -> bool {
        self.inverse[place] > 0.0
    }

    /// Replaces `rhs: [places, columns]` by the solution.
    pub(super) fn solve(
        &self,
        rhs: &mut [f64],
        columns: usize,
        precision: Precision,
    ) -> Convergence {
        let mut whole = Convergence { iterations: 0, residual: 0.0, converged: true };
        for first in (0..columns).step_by(WIDEST) {
            let width = (columns - first).min(WIDEST);
            let part = with_width!(width, solve_block::<_>(self, rhs, columns, first, precision));
            whole.iterations = whole.iterations.max(part.iterations);
            whole.residual = whole.residual.max(part.residual);
            whole.converged &= part.converged;
        }
        whole
    }
}

fn solve_block<const P: usize>(
    system: &System<'_>,
    rhs: &mut [f64],
    columns: usize,
    first: usize,
    precision: Precision,
) -> Convergence {
    let b = load::<P>(rhs, columns, first);
    let (x, convergence) = refine(system, &b, precision);
    store(&x, rhs, columns, first);
    convergence
}

/// Solves again and again for what is left.
fn refine<const P: usize>(
    system: &System<'_>,
    b: &[[f64; P]],
    precision: Precision,
) -> (Vec<[f64; P]>, Convergence) {
    let mut x = vec![[0.0; P]; b.len()];
    let mut residual = b.to_vec();
    let start = lengths(system, b);
    let mut left = start;
    let (mut iterations, mut before) = (0, f64::INFINITY);
    loop {
        let relative =
            |column: usize| if start[column] > 0.0 { left[column] / start[column] } else { 0.0 };
        let worst = (0..P).map(relative).fold(0.0, f64::max);
        let converged = worst <= precision.tolerance;
        let stuck = worst > LEAST_PROGRESS * before || iterations == precision.max_iterations;
        if converged || stuck {
            return (x, Convergence { iterations, residual: worst, converged });
        }
        before = worst;
        let mut goal = [1.0; P];
        for column in (0..P).filter(|&column| relative(column) > precision.tolerance) {
            let wanted = MARGIN * precision.tolerance / relative(column);
            goal[column] = wanted.max(RUN_TOLERANCE);
        }
        let scale = left.map(|length| if length > 0.0 { 1.0 / length } else { 0.0 });
        let most = precision.max_iterations - iterations;
        let (step, run) = conjugate_gradients(system, narrow(&residual, scale), goal, most);
        iterations += run;
        add(&mut x, &step, left);
        subtract_image(system, b, &x, &mut residual);
        left = lengths(system, &residual);
    }
}

/// The columns of a block multiplied by `scale`, in `f32`.
fn narrow<const P: usize>(block: &[[f64; P]], scale: [f64; P]) -> Vec<[f32; P]> {
    let row = |row: &[f64; P]| std::array::from_fn(|column| (row[column] * scale[column]) as f32);
    block.par_iter().map(row).collect()
}

/// x += scale·step.
fn add<const P: usize>(x: &mut [[f64; P]], step: &[[f32; P]], scale: [f64; P]) {
    x.par_iter_mut().zip(step).for_each(|(x, step)| {
        for column in 0..P {
            x[column] += scale[column] * f64::from(step[column]);
        }
    });
}

/// residual = b − (G − aW)x, 0 at places that are left out.
fn subtract_image<const P: usize>(
    system: &System<'_>,
    b: &[[f64; P]],
    x: &[[f64; P]],
    residual: &mut [[f64; P]],
) {
    let graph = system.graph;
    residual.par_iter_mut().enumerate().for_each(|(place, residual)| {
        if !system.has(place) {
            *residual = [0.0; P];
            return;
        }
        let pulled = gather(graph, x, place);
        for column in 0..P {
            let image = system.diagonal[place] * x[place][column] - system.factor * pulled[column];
            residual[column] = b[place][column] - image;
        }
    });
}

/// √Σ r²/G of every column.
fn lengths<const P: usize>(system: &System<'_>, block: &[[f64; P]]) -> [f64; P] {
    let chunks = block.par_chunks(PLACES).zip(system.inverse.par_chunks(PLACES));
    let squares = total(chunks.map(|(block, inverse)| {
        let mut sums = [0.0; P];
        for (row, inverse) in block.iter().zip(inverse) {
            for column in 0..P {
                sums[column] += row[column] * row[column] * f64::from(*inverse);
            }
        }
        sums
    }));
    squares.map(f64::sqrt)
}
