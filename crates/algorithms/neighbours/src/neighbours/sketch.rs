//! Short versions of rows, which tell how near two of them can be at most.
//!
//! A row is centred and written in coordinates along the leading principal directions of the base; the
//! length of what these leave out is one coordinate more. By the Cauchy–Schwarz inequality, sketches are
//! never farther apart than their rows.

use super::{Metric, Pairs, exhaustive};
use faer::Mat;
use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, column_means},
    distance::squared_norms,
    eigen::{covariance, eigen},
    product::add_a_b,
};

/// Base rows that directions are learnt from.
const LEARNT_FROM: usize = 4096;
/// Queries and base rows that it is tried on how many directions serve best.
const TRIED_QUERIES: usize = 64;
const TRIED_ROWS: usize = 1024;
/// Numbers of directions are tried in such steps, less the coordinate that is added.
const STEP: usize = 16;

/// Costs in units of a multiplication in a matrix product: to look at a key; per column, to measure a
/// row again; per product in `f64`; per cubed column, to find the directions.
const LOOK: f64 = 16.0;
const MEASURE: f64 = 30.0;
const DOUBLE: f64 = 2.0;
const DIRECTIONS: f64 = 25.0;
/// Rows that are measured for one that lies within the true distance: that one is known in the end only.
const TOO_MANY: f64 = 1.5;
/// Sketches must be cheaper by this much.
const WORTH: f64 = 0.8;
/// Fewer pairs than this, per entry of the matrix of directions, are not worth learning directions for.
const WORTH_LEARNING: usize = 200;
/// Most columns: beyond, learning takes long.
const MOST_COLUMNS: usize = 2048;

/// Sketches of all queries and of the base.
pub(super) struct Sketches {
    /// Numbers per sketch.
    cols: usize,
    queries: Vec<f32>,
    base: Vec<f32>,
}

impl Sketches {
    /// Sketches, if finding the `k` nearest is expected to be faster with them.
    pub(super) fn worth_it(pairs: Pairs<'_>, k: usize) -> Result<Option<Self>, Error> {
        let (d, rows) = (pairs.base.cols(), pairs.base.rows());
        let compared = pairs.queries.rows().saturating_mul(rows);
        if !(2 * STEP..=MOST_COLUMNS).contains(&d)
            || compared / WORTH_LEARNING < d * d
            || rows < LEARNT_FROM
        {
            return Ok(None);
        }
        // What is too large for a square must be told of the rows, not of sketches.
        squared_norms(pairs.queries)?;
        squared_norms(pairs.base)?;
        let directions = Directions::of(pairs.base)?;
        let Some(count) = directions.best_count(pairs, k)? else { return Ok(None) };
        Ok(Some(Self::along(&directions, pairs, count)))
    }

    /// Sketches in so many directions, worth it or not.
    #[cfg(test)]
    pub(super) fn sketched_with(pairs: Pairs<'_>, count: usize) -> Result<Self, Error> {
        Ok(Self::along(&Directions::of(pairs.base)?, pairs, count))
    }

    fn along(directions: &Directions, pairs: Pairs<'_>, count: usize) -> Self {
        let leading = directions.leading(count);
        Self {
            cols: count + 1,
            queries: directions.sketch(pairs.queries, &leading),
            base: directions.sketch(pairs.base, &leading),
        }
    }

    /// `[queries, cols]`
    pub(super) fn queries(&self) -> Result<Matrix<'_>, Error> {
        Matrix::new(&self.queries, self.queries.len() / self.cols, self.cols)
    }

    /// `[base rows, cols]`
    pub(super) fn base(&self) -> Result<Matrix<'_>, Error> {
        Matrix::new(&self.base, self.base.len() / self.cols, self.cols)
    }
}

/// Principal directions of some of the rows.
struct Directions {
    mean: Vec<f64>,
    /// In columns, by rising variance, `[d, d]`.
    vectors: Mat<f64>,
}

impl Directions {
    fn of(base: Matrix<'_>) -> Result<Self, Error> {
        let sample = spread(base, LEARNT_FROM);
        let sample = Matrix::new(&sample, sample.len() / base.cols(), base.cols())?;
        let mean = column_means(sample);
        let (_, vectors) = eigen(&covariance(sample, &mean), base.cols())?;
        Ok(Self { mean, vectors })
    }

    /// The leading ones, `[d, count]`.
    fn leading(&self, count: usize) -> Vec<f64> {
        let d = self.mean.len();
        (0..d)
            .flat_map(|row| (0..count).map(move |column| (row, d - 1 - column)))
            .map(|place| self.vectors[place])
            .collect()
    }

    /// Coordinates of `x: [n, d]` along some directions, `[n, count]`, in `f64` so that rounding does not
    /// count, and what the squared length of each centred row is.
    fn coordinates(&self, x: Matrix<'_>, leading: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let d = x.cols();
        let centred: Vec<f64> = x
            .iter_rows()
            .flat_map(|row| {
                row.iter().zip(&self.mean).map(|(&value, mean)| f64::from(value) - mean)
            })
            .collect();
        let mut coordinates = vec![0.0; x.rows() * (leading.len() / d)];
        add_a_b(&centred, leading, d, 1.0, &mut coordinates);
        (coordinates, centred.chunks_exact(d).map(squared_length).collect())
    }

    /// `[n, count + 1]`
    fn sketch(&self, x: Matrix<'_>, leading: &[f64]) -> Vec<f32> {
        let count = leading.len() / x.cols();
        let mut sketches = vec![0f32; x.rows() * (count + 1)];
        let blocks = sketches.par_chunks_mut(ROW_BLOCK * (count + 1)).enumerate();
        blocks.for_each(|(block, sketches)| {
            let start = block * ROW_BLOCK;
            let rows = x.block(start..start + sketches.len() / (count + 1));
            let (coordinates, lengths) = self.coordinates(rows, leading);
            let rows = coordinates.chunks_exact(count).zip(&lengths);
            for (sketch, (row, length)) in sketches.chunks_exact_mut(count + 1).zip(rows) {
                for (out, &value) in sketch.iter_mut().zip(row) {
                    *out = value as f32;
                }
                sketch[count] = rest(*length, squared_length(row)) as f32;
            }
        });
        sketches
    }

    /// How many directions make the search fastest; none if it is not worth while.
    fn best_count(&self, pairs: Pairs<'_>, k: usize) -> Result<Option<usize>, Error> {
        let (d, most) = (pairs.base.cols(), pairs.base.cols() / 2);
        let queries = spread(pairs.queries, TRIED_QUERIES);
        let queries = Matrix::new(&queries, queries.len() / d, d)?;
        let rows = spread(pairs.base, TRIED_ROWS);
        let rows = Matrix::new(&rows, rows.len() / d, d)?;

        // A query that is one of the base finds itself too.
        let wanted = (k + usize::from(pairs.without_self)).min(pairs.base.rows());
        let found = exhaustive::nearest(Pairs { queries, without_self: false, ..pairs }, wanted)?;
        let leading = self.leading(most);
        let (query_coordinates, query_lengths) = self.coordinates(queries, &leading);
        let (coordinates, lengths) = self.coordinates(rows, &leading);

        // Pairs of which sketches of so many directions cannot tell that they are too far apart.
        let counts: Vec<usize> = (STEP..=most).step_by(STEP).map(|cols| cols - 1).collect();
        let within = |query: usize| {
            let (_, distances) = found.of(query);
            let farthest = distances.last().copied().map_or(0.0, f64::from);
            let limit = pairs.squared(match pairs.metric {
                Metric::Euclidean => farthest * farthest,
                Metric::Cosine => farthest,
            });
            let a = &query_coordinates[query * most..][..most];
            let mut within = vec![0u32; counts.len()];
            for (b, &length) in coordinates.chunks_exact(most).zip(&lengths) {
                let (mut apart, mut done) = (0.0, 0);
                let mut left = [query_lengths[query], length];
                for (within, &count) in within.iter_mut().zip(&counts) {
                    let (a, b) = (&a[done..count], &b[done..count]);
                    apart += a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
                    left = [left[0] - squared_length(a), left[1] - squared_length(b)];
                    done = count;
                    let bound = apart + (rest(left[0], 0.0) - rest(left[1], 0.0)).powi(2);
                    if bound > limit {
                        // more directions only tell it more clearly
                        break;
                    }
                    *within += 1;
                }
            }
            within
        };
        let within = (0..queries.rows()).into_par_iter().map(within).reduce(
            || vec![0; counts.len()],
            |mut sum, some| {
                sum.iter_mut().zip(some).for_each(|(sum, some)| *sum += some);
                sum
            },
        );

        let (all_queries, all_rows) = (pairs.queries.rows() as f64, pairs.base.rows() as f64);
        let (d, tried) = (d as f64, (queries.rows() * rows.rows()) as f64);
        let cost = |count: usize, within: u32| {
            let cols = count as f64 + 1.0;
            let share = f64::from(within) / tried + k as f64 / all_rows;
            let each = cols + LOOK + TOO_MANY * share * MEASURE * d;
            let before = DOUBLE * d * cols * (all_queries + all_rows) + DIRECTIONS * d * d * d;
            each * all_queries * all_rows + before
        };
        let costs =
            counts.iter().zip(&within).map(|(&count, &within)| (cost(count, within), count));
        let best = costs.min_by(|a, b| a.0.total_cmp(&b.0));
        let plain = (d + LOOK) * all_queries * all_rows;
        Ok(best.filter(|(cost, _)| *cost < WORTH * plain).map(|(_, count)| count))
    }
}

/// Up to `count` rows, evenly spaced.
fn spread(x: Matrix<'_>, count: usize) -> Vec<f32> {
    let rows = x.iter_rows().step_by(x.rows().div_ceil(count).max(1));
    rows.flatten().copied().collect()
}

fn squared_length(row: &[f64]) -> f64 {
    row.iter().map(|value| value * value).sum()
}

/// The length of what is left of a row, of whose squared length a part is told.
fn rest(squared_length: f64, told: f64) -> f64 {
    (squared_length - told).max(0.0).sqrt()
}
