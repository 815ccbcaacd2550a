//! Links to the nearest rows.

use rayon::prelude::*;

use scarce_neighbours::{Metric, neighbours::nearest_neighbours};
use scarce_numeric::{Error, Matrix, blocks::ROW_BLOCK};

/// For every row the rows nearest to it, all of weight 1. The links have a direction: a row need
/// not be among the nearest of its own nearest.
pub(super) struct Nearest {
    k: usize,
    /// `[n, k]`.
    indices: Vec<u32>,
}

impl Nearest {
    /// The `k` nearest of every row of `x: [n, d]`. A row is at distance 0 from itself and so is
    /// among them, unless `k` rows before it are its duplicates.
    pub(super) fn of(x: Matrix<'_>, k: usize) -> Result<Self, Error> {
        let found = nearest_neighbours(x, x, k, Metric::Euclidean)?;
        Ok(Self { k, indices: found.indices })
    }

    /// Whether each row is among its own nearest.
    pub(super) fn own(&self) -> impl Iterator<Item = bool> {
        self.indices
            .chunks_exact(self.k)
            .enumerate()
            .map(|(row, near)| near.contains(&(row as u32)))
    }

    /// How many other rows list each row.
    pub(super) fn listed(&self) -> Vec<f64> {
        let mut listed = vec![0.0; self.indices.len() / self.k];
        for (row, near) in self.indices.chunks_exact(self.k).enumerate() {
            for &other in near.iter().filter(|&&other| other as usize != row) {
                listed[other as usize] += 1.0;
            }
        }
        listed
    }

    /// Sets every row of `out: [n, width]` to the sum of the rows of `x: [n, width]` that it links
    /// to, each times its factor, itself left out, and lets `finish` change it.
    pub(super) fn product(
        &self,
        x: &[f64],
        factors: &[f64],
        width: usize,
        out: &mut [f64],
        finish: impl Fn(usize, &mut [f64]) + Sync,
    ) {
        out.par_chunks_mut(ROW_BLOCK * width).enumerate().for_each(|(block, out)| {
            out.fill(0.0);
            let first = block * ROW_BLOCK;
            let lists = self.indices[first * self.k..].chunks_exact(self.k);
            for (row, (out, near)) in out.chunks_exact_mut(width).zip(lists).enumerate() {
                for &other in near.iter().filter(|&&other| other as usize != first + row) {
                    let factor = factors[other as usize];
                    for (to, from) in out.iter_mut().zip(&x[other as usize * width..]) {
                        *to += from * factor;
                    }
                }
                finish(first + row, out);
            }
        });
    }
}
