//! Chebyshev-filtered subspace iteration on S = D^(−1/2) W D^(−1/2).
//!
//! A polynomial of S that is small on [−1, c] and large above c is applied to a block of vectors,
//! which turns it towards the eigenvectors above c; then the best vectors of the block are found
//! (Rayleigh and Ritz), and c rises to the least of their values. The spectrum of S lies within
//! [−1, 1], so that no bound has to be estimated.

use rayon::prelude::*;

use super::super::{Convergence, Graph, block::PLACES};
use super::rows::{gram, residuals, turn};
use super::{Components, Eigen, Spectral, start};
use scarce_numeric::{Error, eigen::eigen};

/// Least number of vectors beyond those that are wanted: what is just outside decides how fast the
/// last ones converge.
const GUARD: usize = 6;
/// Blocks are a multiple of this wide: eight `f64` fill a line of the cache.
const LANES: usize = 8;
/// A filter makes the largest eigenvalue so much larger than the damped ones; more would leave
/// nothing but the first vector in the first block.
const GAIN: f64 = 1e5;
/// Most products in a filter: one round more, with a better c, serves better.
const MOST_DEGREE: usize = 60;

/// The `count` largest eigenvalues whose eigenvectors are not known.
pub(super) fn solve(
    graph: &Graph,
    components: &Components,
    count: usize,
    how: Spectral,
) -> Result<Eigen, Error> {
    let spare = graph.nodes() - components.len();
    let width = (count + GUARD.max(count / 2)).next_multiple_of(LANES).min(spare);
    let operator = Operator { graph, inverse: components.inverse_roots(), width };
    let mut block = start(graph, width, how.seed);
    let mut products = 0;
    loop {
        components.project_out(&mut block, width);
        orthonormalise(&mut block, width)?;
        let mut image = vec![0.0; block.len()];
        operator.apply(&block, &mut image, |pulled, _| pulled);
        products += 1;
        let values = ritz(&mut block, &mut image, width)?;
        let residual =
            residuals(&image, &block, &values)[..count].iter().copied().fold(0.0, f64::max);
        if residual.is_nan() {
            return Err(Error::NoConvergence { what: "spectral embedding" });
        }
        let converged = residual <= how.tolerance;
        if converged || products >= how.max_products {
            let vectors = block.chunks_exact(width).flat_map(|row| &row[..count]);
            return Ok(Eigen {
                vectors: vectors.copied().collect(),
                values: values[..count].to_vec(),
                convergence: Convergence { iterations: products, residual, converged },
            });
        }
        products += operator.filter(&mut block, image, values[width - 1]);
    }
}

/// S, and what works on blocks `[places, width]`.
struct Operator<'a> {
    graph: &'a Graph,
    /// 1/√d by place.
    inverse: &'a [f64],
    width: usize,
}

impl Operator<'_> {
    /// Sets every entry of `out` to `f` of the same entries of S·`block` and of `out` before.
    fn apply(&self, block: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64 + Sync) {
        let width = self.width;
        out.par_chunks_mut(PLACES * width).enumerate().for_each(|(chunk, out)| {
            let mut sum = vec![0.0; width];
            for (offset, out) in out.chunks_exact_mut(width).enumerate() {
                let place = chunk * PLACES + offset;
                sum.fill(0.0);
                let row = self.graph.row(place);
                let others = self.graph.columns()[row.clone()].iter();
                for (&other, &weight) in others.zip(&self.graph.weights()[row]) {
                    let other = other as usize;
                    let weight = f64::from(weight) * self.inverse[other];
                    for (sum, value) in sum.iter_mut().zip(&block[other * width..][..width]) {
                        *sum += weight * value;
                    }
                }
                for (out, sum) in out.iter_mut().zip(&sum) {
                    *out = f(self.inverse[place] * sum, *out);
                }
            }
        });
    }

    /// Applies the Chebyshev polynomial that damps eigenvalues in [−1, `cut`], scaled to be 1 at 1
    /// (Zhou and others, algorithm 3.2), and returns its degree. `image` is S·`block`.
    fn filter(&self, block: &mut Vec<f64>, image: Vec<f64>, cut: f64) -> usize {
        // A block that spans nearly everything has no room below.
        let cut = cut.clamp(-0.9, 1.0 - 1e-12);
        let (half, centre) = (f64::midpoint(cut, 1.0), f64::midpoint(cut, -1.0));
        let top = (1.0 - centre) / half;
        let degree = ((GAIN.acosh() / top.acosh()) as usize).clamp(2, MOST_DEGREE);
        let first = 1.0 / top;
        let mut sigma = first;
        // Y₁ = σ/h (S − c) X.
        let mut before = std::mem::take(block);
        let mut now = image;
        combine(&mut now, &before, |image, old| (image - centre * old) * sigma / half);
        for _ in 2..=degree {
            let next = 1.0 / (2.0 / first - sigma);
            let (by, back) = (2.0 * next / half, sigma * next);
            // Y ← by (S − c) Y − back X, written over X.
            self.apply(&now, &mut before, |pulled, old| by * pulled - back * old);
            combine(&mut before, &now, |out, old| out - by * centre * old);
            std::mem::swap(&mut now, &mut before);
            sigma = next;
        }
        *block = now;
        degree - 1
    }
}

/// Sets every entry of `out` to `f` of it and of the same entry of `other`.
fn combine(out: &mut [f64], other: &[f64], f: impl Fn(f64, f64) -> f64 + Sync) {
    let chunks = out.par_chunks_mut(PLACES).zip(other.par_chunks(PLACES));
    chunks.for_each(|(out, other)| {
        for (out, other) in out.iter_mut().zip(other) {
            *out = f(*out, *other);
        }
    });
}

/// Makes the columns orthonormal, twice, as the first time rounding may leave something
/// (A. Stathopoulos and K. Wu, "A block orthogonalization procedure with constant synchronization
/// requirements", SIAM J. Sci. Comput. 23, 2002).
fn orthonormalise(block: &mut [f64], width: usize) -> Result<(), Error> {
    for _ in 0..2 {
        let products = gram(block, block, width);
        let scale: Vec<f64> = (0..width)
            .map(|i| products[i * width + i])
            .map(|square| if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 })
            .collect();
        let mut scaled = products;
        for (row, a) in scaled.chunks_exact_mut(width).zip(&scale) {
            for (entry, b) in row.iter_mut().zip(&scale) {
                *entry *= a * b;
            }
        }
        let (values, vectors) = eigen(&scaled, width)?;
        let largest = values.last().copied().unwrap_or(1.0);
        let mut basis = vec![0.0; width * width];
        for (row, scale) in scale.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                // Directions that are rounding alone stay short.
                let length = value.max(largest * 1e-15).sqrt();
                basis[row * width + column] = scale * vectors[(row, column)] / length;
            }
        }
        turn(block, &basis, width);
    }
    Ok(())
}

/// Turns the block to its best vectors, and `image`, which is S·`block`, with it; their values,
/// falling.
fn ritz(block: &mut [f64], image: &mut [f64], width: usize) -> Result<Vec<f64>, Error> {
    let mut products = gram(block, image, width);
    for i in 0..width {
        for j in 0..i {
            let mean = f64::midpoint(products[i * width + j], products[j * width + i]);
            products[i * width + j] = mean;
            products[j * width + i] = mean;
        }
    }
    let (values, vectors) = eigen(&products, width)?;
    let mut best = vec![0.0; width * width];
    for row in 0..width {
        for column in 0..width {
            best[row * width + column] = vectors[(row, width - 1 - column)];
        }
    }
    turn(block, &best, width);
    turn(image, &best, width);
    Ok(values.into_iter().rev().collect())
}
