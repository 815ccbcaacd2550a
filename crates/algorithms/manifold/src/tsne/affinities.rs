//! How much each row cares for each of its neighbours.

use super::Point;
use super::tree::Tree;
use rayon::prelude::*;
use scarce_neighbours::neighbours::{Metric, self_neighbours};
use scarce_numeric::{Error, Matrix, members::Members};

/// Halvings, or doublings, of the precision at most.
const MOST_STEPS: usize = 100;

/// How far the logarithm of the perplexity may be off.
const TOLERANCE: f64 = 1e-5;

/// Rows whose share of the divergence is summed by one task.
const BLOCK: usize = 256;

/// A symmetric sparse matrix p that sums to 1, `[n, n]`.
pub(super) struct Affinities {
    /// Row `i` has the entries `starts[i]..starts[i + 1]`, by ascending column.
    starts: Vec<usize>,
    columns: Vec<u32>,
    p: Vec<f32>,
}

impl Affinities {
    /// Gaussian around every row of `x: [n, d]` over its ⌊3 · perplexity + 1⌋ nearest others, as
    /// wide as the perplexity wants it, then averaged with what the others think of it.
    pub(super) fn new(x: Matrix<'_>, perplexity: f64) -> Result<Self, Error> {
        let k = (x.rows() - 1).min((3.0 * perplexity + 1.0) as usize);
        let neighbours = self_neighbours(x, k, Metric::Euclidean)?;
        let mut p = vec![0.0; x.rows() * k];
        p.par_chunks_exact_mut(k)
            .zip(neighbours.distances.par_chunks_exact(k))
            .for_each(|(p, distances)| conditional(distances, perplexity, p));
        Ok(Self::symmetric(&neighbours.indices, &p, k))
    }

    /// `(p_ij + p_ji) / 2n` from `k` entries in every row.
    fn symmetric(indices: &[u32], p: &[f64], k: usize) -> Self {
        let n = indices.len() / k;
        // The entries that name each row as a neighbour.
        let incoming = Members::new(indices, indices.len() / k);
        let mut all = Self { starts: vec![0], columns: Vec::new(), p: Vec::new() };
        let mut row: Vec<(u32, f64)> = Vec::new();
        for i in 0..n {
            let outgoing = i * k..(i + 1) * k;
            row.clear();
            row.extend(outgoing.map(|at| (indices[at], p[at])));
            row.extend(incoming.of(i).iter().map(|&at| ((at as usize / k) as u32, p[at as usize])));
            // A neighbour that is one both ways comes twice; the order of two summands is no matter.
            row.sort_unstable_by_key(|&(column, _)| column);
            for both in row.chunk_by(|a, b| a.0 == b.0) {
                let sum: f64 = both.iter().map(|&(_, p)| p).sum();
                all.columns.push(both[0].0);
                all.p.push((sum / (2 * n) as f64) as f32);
            }
            all.starts.push(all.columns.len());
        }
        all
    }

    /// The neighbours of a row and their entries.
    pub(super) fn of(&self, row: usize) -> impl Iterator<Item = (usize, f32)> {
        let range = self.starts[row]..self.starts[row + 1];
        let columns = self.columns[range.clone()].iter().map(|&column| column as usize);
        columns.zip(self.p[range].iter().copied())
    }

    /// Σ p ln(p / q) over the entries, with q = `1 / (1 + ‖y_i − y_j‖²)` as a share of its sum over
    /// all pairs.
    pub(super) fn kl_divergence(&self, places: &[Point], theta: f32) -> f64 {
        let total = Tree::new(places).repulsion(places, theta).total;
        let sum_of = |row: usize| -> f64 {
            let [x, y] = places[row].map(f64::from);
            let term = |(column, p): (usize, f32)| {
                let [other_x, other_y] = places[column].map(f64::from);
                let q = 1.0 / (1.0 + (x - other_x).powi(2) + (y - other_y).powi(2)) / total;
                let p = f64::from(p);
                if p > 0.0 { p * (p / q).ln() } else { 0.0 }
            };
            self.of(row).map(term).sum()
        };
        let rows: Vec<usize> = (0..places.len()).collect();
        let blocks: Vec<f64> =
            rows.par_chunks(BLOCK).map(|rows| rows.iter().map(|&row| sum_of(row)).sum()).collect();
        blocks.into_iter().sum()
    }
}

/// Sets `p: [k]` to exp(−precision · distance²), divided by its sum, with the precision that gives
/// the perplexity; found by doubling and halving.
fn conditional(distances: &[f32], perplexity: f64, p: &mut [f64]) {
    // Subtracting the least square changes nothing but keeps the largest entry from vanishing.
    let squares: Vec<f64> = distances.iter().map(|&d| f64::from(d).powi(2)).collect();
    let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let squares: Vec<f64> = squares.into_iter().map(|square| square - least).collect();
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    if mean <= 0.0 {
        p.fill(1.0 / squares.len() as f64);
        return;
    }
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut precision = 1.0 / mean;
    for _ in 0..MOST_STEPS {
        let excess = entropy(&squares, precision, p) - perplexity.ln();
        if excess.abs() <= TOLERANCE {
            return;
        }
        if excess > 0.0 {
            low = precision;
        } else {
            high = precision;
        }
        precision = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * precision };
    }
}

/// Sets `p` and returns its entropy in nats.
fn entropy(squares: &[f64], precision: f64, p: &mut [f64]) -> f64 {
    for (p, square) in p.iter_mut().zip(squares) {
        *p = (-precision * square).exp();
    }
    let sum: f64 = p.iter().sum();
    let mut mean = 0.0;
    for (p, square) in p.iter_mut().zip(squares) {
        *p /= sum;
        mean += *p * square;
    }
    sum.ln() + precision * mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::noise;

    #[test]
    fn every_row_has_the_perplexity_asked_for() {
        let distances: Vec<f32> = (0..91u16).map(|i| 3.0 + f32::from(i * i) / 900.0).collect();
        for perplexity in [2.0, 5.0, 30.0, 80.0] {
            let mut p = [0.0; 91];
            conditional(&distances, perplexity, &mut p);
            let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            assert!((entropy.exp() / perplexity - 1.0).abs() < 1e-4, "{entropy}");
            assert!(p.windows(2).all(|pair| pair[0] >= pair[1]), "nearer is more");
        }
    }

    #[test]
    fn equal_distances_are_equally_probable() {
        let mut p = [0.0; 4];
        conditional(&[2.0; 4], 3.0, &mut p);
        assert_eq!(p, [0.25; 4]);
        // Three at 0 cannot have perplexity 2.
        conditional(&[0.0, 0.0, 0.0, 1.0], 2.0, &mut p);
        assert!((p[0] - 1.0 / 3.0).abs() < 1e-9 && p[3] < 1e-9);
    }

    #[test]
    fn affinities_are_symmetric_and_sum_to_one() {
        let x = noise(200, 5, 21);
        let all = Affinities::new(Matrix::new(&x, 200, 5).unwrap(), 7.0).unwrap();
        let sum: f64 = all.p.iter().copied().map(f64::from).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        for row in 0..200 {
            assert!(all.of(row).count() >= 22);
            for (column, p) in all.of(row) {
                let back = all.of(column).find(|&(other, _)| other == row);
                assert_eq!(back, Some((row, p)));
                assert_ne!(column, row);
            }
        }
    }
}
