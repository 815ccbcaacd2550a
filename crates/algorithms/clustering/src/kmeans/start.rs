//! The first centroids: given, drawn, or by greedy k-means++.

use super::{Start, centred};
use rand::RngExt;
use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::ROW_BLOCK,
    distance::squared_block,
    random::{self, Stream},
};

impl Start {
    /// How many starts are worth trying.
    pub(super) fn tries(&self, restarts: usize) -> usize {
        match self {
            Self::Given(_) => 1,
            Self::PlusPlus | Self::Random => restarts,
        }
    }

    /// Checks that `k` centroids for the rows of `x` can come from here.
    pub(super) fn check(&self, k: usize, x: Matrix<'_>) -> Result<(), Error> {
        if k > x.rows() {
            return Err(Error::TooFew { what: "clusters", wanted: k, available: x.rows() });
        }
        if let Self::Given(centroids) = self {
            scarce_numeric::error::check_length("given centroids", k * x.cols(), centroids.len())?;
            Matrix::new(centroids, k, x.cols())?.check_finite()?;
        }
        Ok(())
    }

    /// The first `k` centroids, `[k, d]`, for `y: [n, d]`: rows less their `mean`, with their
    /// squared `norms`.
    pub(super) fn centroids(
        &self,
        y: Matrix<'_>,
        norms: &[f32],
        mean: &[f64],
        k: usize,
        rng: &mut Stream,
    ) -> Result<Vec<f32>, Error> {
        let rows = match self {
            Self::Given(centroids) => {
                return Ok(centred(Matrix::new(centroids, k, y.cols())?, mean));
            }
            Self::Random => random::sample(y.rows(), k, rng)?,
            Self::PlusPlus => plus_plus(y, norms, k, rng),
        };
        Ok(rows.iter().flat_map(|&row| y.row(row)).copied().collect())
    }
}

/// `k` rows of `x: [n, d]`, `k <= n`, spread out by greedy k-means++.
///
/// If fewer than `k` rows are different, the rest are drawn evenly.
fn plus_plus(x: Matrix<'_>, norms: &[f32], k: usize, rng: &mut Stream) -> Vec<usize> {
    let trials = 2 + (k as f64).ln() as usize;
    let mut search = Search { x, norms, closest: vec![f32::INFINITY; x.rows()], tile: Vec::new() };
    let first = rng.random_range(0..x.rows());
    let mut potential = search.choose_from(&[first]).1;
    let mut chosen = vec![first];
    while chosen.len() < k {
        if potential <= 0.0 {
            chosen.push(rng.random_range(0..x.rows()));
            continue;
        }
        let drawn = draw(&search.closest, potential, trials, rng);
        let (row, left) = search.choose_from(&drawn);
        chosen.push(row);
        potential = left;
    }
    chosen
}

struct Search<'a> {
    x: Matrix<'a>,
    norms: &'a [f32],
    /// Squared distance of every row to the nearest row chosen so far, `[n]`.
    closest: Vec<f32>,
    /// What `closest` would be with each of the drawn rows, `[drawn, rows]` for each block of rows.
    tile: Vec<f32>,
}

impl Search<'_> {
    /// Chooses the drawn row that leaves the least potential (the first of equals) and returns
    /// it with that potential, the sum of `closest`.
    fn choose_from(&mut self, drawn: &[usize]) -> (usize, f64) {
        let potentials = self.potentials(drawn);
        let mut best = 0;
        for (trial, potential) in potentials.iter().enumerate() {
            if *potential < potentials[best] {
                best = trial;
            }
        }
        let tiles = self.tile.chunks(ROW_BLOCK * drawn.len());
        for (closest, tile) in self.closest.chunks_mut(ROW_BLOCK).zip(tiles) {
            closest.copy_from_slice(&tile[best * closest.len()..][..closest.len()]);
        }
        (drawn[best], potentials[best])
    }

    /// Fills the tile; the sum over all rows for each of the drawn, taken block by block.
    fn potentials(&mut self, drawn: &[usize]) -> Vec<f64> {
        let width = drawn.len();
        let rows: Vec<f32> = drawn.iter().flat_map(|&row| self.x.row(row)).copied().collect();
        let row_norms: Vec<f32> = drawn.iter().map(|&row| self.norms[row]).collect();
        let Ok(candidates) = Matrix::new(&rows, width, self.x.cols()) else {
            return Vec::new();
        };
        self.tile.resize(self.x.rows() * width, 0.0);
        let (x, norms) = (self.x, self.norms);
        let sums: Vec<Vec<f64>> = self
            .tile
            .par_chunks_mut(ROW_BLOCK * width)
            .zip(self.closest.par_chunks(ROW_BLOCK))
            .enumerate()
            .map(|(block, (tile, closest))| {
                let range = block * ROW_BLOCK..block * ROW_BLOCK + closest.len();
                let rows = x.block(range.clone());
                squared_block(candidates, &row_norms, rows, &norms[range], tile);
                tile.chunks_exact_mut(closest.len()).map(|row| cap(row, closest)).collect()
            })
            .collect();
        let mut total = vec![0.0; width];
        for sum in sums {
            for (t, s) in total.iter_mut().zip(sum) {
                *t += s;
            }
        }
        total
    }
}

/// Caps distances at `closest` and sums them.
fn cap(distances: &mut [f32], closest: &[f32]) -> f64 {
    let pairs = distances.iter_mut().zip(closest);
    pairs.fold(0.0, |sum, (distance, &cap)| {
        *distance = distance.min(cap);
        sum + f64::from(*distance)
    })
}

/// Draws rows in proportion to `closest`.
fn draw(closest: &[f32], potential: f64, trials: usize, rng: &mut Stream) -> Vec<usize> {
    let mut aims: Vec<(f64, usize)> =
        (0..trials).map(|trial| (rng.random::<f64>() * potential, trial)).collect();
    aims.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // Rounding may leave an aim beyond the last sum: the last row that can be drawn serves.
    let last = closest.iter().rposition(|&d| d > 0.0).unwrap_or(0);
    let mut drawn = vec![last; trials];
    let mut aims = aims.into_iter().peekable();
    let mut sum = 0.0;
    for (row, &distance) in closest.iter().enumerate() {
        sum += f64::from(distance);
        while let Some((_, trial)) = aims.next_if(|&(aim, _)| aim < sum) {
            drawn[trial] = row;
        }
    }
    drawn
}
