//! Label spreading and label propagation: labels flow from a few rows to all others.
//!
//! [`Kernel`] says how strongly rows are linked, [`Transduction`] what flows along the links and
//! for how long. Definitions, stopping rule and treatment of special cases are those of
//! scikit-learn's `LabelSpreading` and `LabelPropagation`; all classes flow at once, as the columns
//! of one product a step.

mod dense;
mod sparse;
mod tall_skinny;

use rayon::prelude::*;

use scarce_numeric::{Error, Matrix, blocks::ROW_BLOCK, error::check_length, winners};

/// How strongly rows are linked.
pub struct Kernel {
    links: Links,
    /// The weight of every row to itself, `[n]`, which is not among the links.
    own: Vec<f64>,
}

enum Links {
    Dense(dense::Tiles),
    Sparse(sparse::Nearest),
}

impl Kernel {
    /// exp(−γ ‖x − y‖²) between all rows of `x: [n, d]`, in [`Kernel::rbf_bytes`] of memory. Weights
    /// below 10⁻³⁰⁷ are no link.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parameter`] if γ is negative or not finite.
    pub fn rbf(x: Matrix<'_>, gamma: f64) -> Result<Self, Error> {
        let links = Links::Dense(dense::Tiles::rbf(x, gamma)?);
        Ok(Self { links, own: vec![1.0; x.rows()] })
    }

    /// From every row of `x: [n, d]` a link of weight 1 to each of the `k` rows nearest to it, itself
    /// among them; of equally near rows the first.
    ///
    /// # Errors
    /// As [`scarce_neighbours::neighbours::nearest_neighbours`].
    pub fn nearest(x: Matrix<'_>, k: usize) -> Result<Self, Error> {
        let near = sparse::Nearest::of(x, k)?;
        let own = near.own().map(|own| f64::from(u8::from(own))).collect();
        Ok(Self { links: Links::Sparse(near), own })
    }

    /// The memory that [`Kernel::rbf`] takes for so many rows: half a matrix of `f64`.
    pub fn rbf_bytes(rows: usize) -> u64 {
        4 * (rows as u64) * (rows as u64 + 1)
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.own.len()
    }

    /// Sets `out: [n, width]` to the product of the links with the rows of `x: [n, width]`, each
    /// times its factor, and lets `finish` change every row of it.
    fn product(
        &self,
        x: &[f64],
        factors: &[f64],
        width: usize,
        out: &mut [f64],
        finish: impl Fn(usize, &mut [f64]) + Sync,
    ) {
        match &self.links {
            Links::Dense(tiles) => tiles.product(x, factors, width, out, finish),
            Links::Sparse(near) => near.product(x, factors, width, out, finish),
        }
    }

    /// 1/√(sum of the weights of the links to a row), or 1 for a row without one: `[n]`.
    fn scales(&self) -> Vec<f64> {
        let degrees = match &self.links {
            Links::Dense(tiles) => tiles.degrees(),
            Links::Sparse(near) => near.listed(),
        };
        degrees.iter().map(|&sum| if sum > 0.0 { 1.0 / sum.sqrt() } else { 1.0 }).collect()
    }
}

/// What flows along the links in a step. W are the weights of the links.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// F ← α S F + (1 − α) Y with S = D^(−½) W D^(−½), the weight of a row to itself set to 0 and D
    /// the column sums: D. Zhou et al., "Learning with local and global consistency", NIPS 2003
    /// (2004). Rows with a label may end up with another.
    Spreading {
        /// How much a row takes from the others rather than from its own label, between 0 and 1.
        alpha: f64,
    },
    /// F ← D⁻¹ W F with D the row sums, each row divided by its sum, rows with a label set back to
    /// it: X. Zhu and Z. Ghahramani, "Learning from labeled and unlabeled data with label
    /// propagation", CMU-CALD-02-107, 2002.
    Propagation,
}

/// Label spreading or label propagation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transduction {
    /// What flows.
    pub method: Method,
    /// Most steps.
    pub max_iterations: usize,
    /// Stop when a step changed all entries by less than this in sum.
    pub tolerance: f64,
}

/// One step, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Which step, from 1.
    pub iteration: usize,
    /// The sum of all changes in it.
    pub change: f64,
}

/// What [`Transduction::run`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Transduced {
    /// The most probable class of each row, of equals the first; `None` where no label came: `[n]`.
    pub labels: Vec<Option<u32>>,
    /// Probability of each class, all 0 where no label came: `[n, classes]`.
    pub probabilities: Vec<f32>,
    /// Steps done.
    pub iterations: usize,
    /// The sum of all changes in the last one.
    pub change: f64,
    /// Whether the changes fell below the tolerance.
    pub converged: bool,
}

impl Transduction {
    /// Lets labels flow from `start: [n, classes]`, which holds for every labelled row the share of
    /// each class, summing to 1, and zeros for the others. Calls `observe` after every step.
    ///
    /// # Errors
    /// [`Error::Length`] unless `start` has an entry for every row and class;
    /// [`Error::Parameter`] for shares, α or a tolerance out of range.
    pub fn run(
        &self,
        kernel: &Kernel,
        start: &[f64],
        classes: usize,
        observe: &mut dyn FnMut(Step),
    ) -> Result<Transduced, Error> {
        check_length("shares of classes", kernel.rows() * classes, start.len())?;
        self.check(start)?;
        let flow = Flow::new(self.method, kernel, start, classes.max(1));
        let mut now = start.to_vec();
        let mut next = vec![0.0; start.len()];
        // As if all began from nothing: so says scikit-learn's stopping rule.
        let mut change: f64 = start.iter().sum();
        let mut iterations = 0;
        while iterations < self.max_iterations && change >= self.tolerance {
            flow.step(&now, &mut next);
            change = flow.changes(&now, &next);
            std::mem::swap(&mut now, &mut next);
            iterations += 1;
            observe(Step { iteration: iterations, change });
        }
        let converged = change < self.tolerance;
        Ok(finished(&now, classes, iterations, change, converged))
    }

    fn check(&self, start: &[f64]) -> Result<(), Error> {
        let wrong =
            |name, must, value: f64| Err(Error::Parameter { name, must, value: value.to_string() });
        if let Method::Spreading { alpha } = self.method
            && !(alpha > 0.0 && alpha < 1.0)
        {
            return wrong("alpha", "above 0 and below 1", alpha);
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return wrong("tolerance", "0 or more", self.tolerance);
        }
        match start.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            Some(&share) => wrong("start", "from 0 to 1 everywhere", share),
            None => Ok(()),
        }
    }
}

/// Everything that the steps have in common.
struct Flow<'a> {
    method: Method,
    kernel: &'a Kernel,
    /// Factors of the rows before the product and, where labels spread, after it: `[n]`.
    scales: Vec<f64>,
    start: &'a [f64],
    classes: usize,
}

impl<'a> Flow<'a> {
    fn new(method: Method, kernel: &'a Kernel, start: &'a [f64], classes: usize) -> Self {
        let scales = match method {
            Method::Spreading { .. } => kernel.scales(),
            Method::Propagation => vec![1.0; kernel.rows()],
        };
        Self { method, kernel, scales, start, classes }
    }

    /// Sets `next: [n, classes]` to what `now: [n, classes]` becomes in one step.
    fn step(&self, now: &[f64], next: &mut [f64]) {
        let factors = &self.scales;
        match self.method {
            // S F = D^(−½) (W (D^(−½) F)): the matrix need not be touched.
            Method::Spreading { alpha } => {
                self.kernel.product(now, factors, self.classes, next, |row, entries| {
                    let factor = alpha * factors[row];
                    for (entry, start) in entries.iter_mut().zip(self.row(self.start, row)) {
                        *entry = factor * *entry + (1.0 - alpha) * start;
                    }
                });
            }
            Method::Propagation => {
                self.kernel.product(now, factors, self.classes, next, |row, entries| {
                    let given = self.row(self.start, row);
                    if given.iter().any(|&share| share > 0.0) {
                        return entries.copy_from_slice(given);
                    }
                    let own = self.kernel.own[row];
                    for (entry, before) in entries.iter_mut().zip(self.row(now, row)) {
                        *entry += own * before;
                    }
                    // D⁻¹ makes no difference to a row that is then divided by its sum.
                    divide_by_sum(entries);
                });
            }
        }
    }

    fn row<'b>(&self, entries: &'b [f64], row: usize) -> &'b [f64] {
        &entries[row * self.classes..][..self.classes]
    }

    /// The sum of all absolute changes, added up in a fixed order.
    fn changes(&self, before: &[f64], after: &[f64]) -> f64 {
        let block = ROW_BLOCK * self.classes;
        let pairs = before.par_chunks(block).zip(after.par_chunks(block));
        let sums: Vec<f64> = pairs
            .map(|(before, after)| before.iter().zip(after).map(|(b, a)| (a - b).abs()).sum())
            .collect();
        sums.iter().sum()
    }
}

/// Divides a row by its sum; a row of zeros stays.
fn divide_by_sum(entries: &mut [f64]) {
    let sum: f64 = entries.iter().sum();
    if sum > 0.0 {
        for entry in entries {
            *entry /= sum;
        }
    }
}

fn finished(
    found: &[f64],
    classes: usize,
    iterations: usize,
    change: f64,
    converged: bool,
) -> Transduced {
    let mut shares = found.to_vec();
    shares.chunks_exact_mut(classes.max(1)).for_each(divide_by_sum);
    let probabilities: Vec<f32> = shares.into_iter().map(|share| share as f32).collect();
    // Of the numbers as they are given out: what rounding alone tells apart is equal.
    let winners = winners(&probabilities, classes).into_iter();
    let rows = found.chunks_exact(classes.max(1));
    let reached = rows.map(|row| row.iter().any(|&entry| entry > 0.0));
    let labels = winners.zip(reached).map(|(label, reached)| reached.then_some(label)).collect();
    Transduced { labels, probabilities, iterations, change, converged }
}

#[cfg(test)]
mod tests;
