//! Multinomial logistic regression.
//!
//! With P = softmax(X Wᵀ + b) it minimises
//!
//! ```text
//! 1/S Σᵢ sᵢ (−log P[i, yᵢ]) + 1/(2 C S) ‖W‖²,   S = Σᵢ sᵢ
//! ```
//!
//! (Bishop, *Pattern Recognition and Machine Learning*, §4.3.4, with a Gaussian prior on W), which
//! is scikit-learn's loss for solver `lbfgs` with more than two classes; the intercepts b are not
//! penalised. Of two classes scikit-learn penalises ‖w‖² / (2 C S), where w is the one row that tells
//! the classes apart. Here each keeps a row, and at the minimum these are w/2 and −w/2, so that the
//! same penalty is ‖W‖² / (C S). The same C thus means the same fit for any number of classes.
//! Products of matrices are in `f32`, sums over rows, the penalty and the search in `f64`.
//!
//! The search runs in coordinates in which the features are uncorrelated ([`whitening`]), which
//! changes the way to the minimum but neither the minimum nor the test that it is one.

mod whitening;

use crate::lbfgs::{Minimum, Point, Reading, largest, minimise};
use rayon::prelude::*;
use scarce_numeric::{
    Error, Matrix,
    blocks::{ROW_BLOCK, ordered_sum},
    error::{check_labels, check_length},
    product::{add_a_bt, at_b},
    softmax::{exponentials, softmax, subtract_largest},
};
use whitening::Whitening;

pub use crate::lbfgs::Ending;

/// What logistic regression shall do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic {
    /// Inverse strength C of the penalty, above 0; scikit-learn's, for two classes too.
    pub c: f64,
    /// Whether to fit intercepts.
    pub intercept: bool,
    /// Stop when no entry of the gradient of the loss above is larger.
    pub tolerance: f64,
    /// Most iterations of L-BFGS.
    pub max_iterations: usize,
}

impl Default for Logistic {
    /// C = 1, intercepts, tolerance 10⁻⁴, at most 1,000 iterations.
    fn default() -> Self {
        Self { c: 1.0, intercept: true, tolerance: 1e-4, max_iterations: 1000 }
    }
}

/// How the search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Why it ended.
    pub ending: Ending,
    /// Iterations done.
    pub iterations: usize,
    /// How often loss and gradient were computed.
    pub evaluations: usize,
    /// The loss reached.
    pub loss: f64,
    /// Largest entry of the gradient there.
    pub gradient: f64,
}

/// One iteration, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Which iteration, from 1.
    pub iteration: usize,
    /// The loss after it.
    pub loss: f64,
    /// Largest entry of the gradient.
    pub gradient: f64,
}

/// A model fitted by [`Logistic::fit`].
///
/// A class without examples has zero weights and an intercept of −∞, hence probability 0.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedLogistic {
    /// Number of classes.
    pub classes: usize,
    /// Numbers per row.
    pub cols: usize,
    /// Weights W, `[classes, cols]`.
    pub weights: Vec<f32>,
    /// Intercepts b, `[classes]`; zeros if none were fitted.
    pub intercepts: Vec<f32>,
    /// How the search ended.
    pub convergence: Convergence,
}

impl Logistic {
    /// Fits to rows `x: [n, d]` with `labels: [n]` below `classes`, and, if given, a weight not
    /// below 0 for every row.
    ///
    /// # Errors
    /// [`Error::TooFew`] without rows of positive weight, [`Error::Label`], [`Error::Length`],
    /// [`Error::Parameter`], [`Error::NotFinite`].
    pub fn fit(
        &self,
        x: Matrix<'_>,
        labels: &[u32],
        classes: usize,
        weights: Option<&[f32]>,
    ) -> Result<FittedLogistic, Error> {
        self.fit_observed(x, labels, classes, weights, &mut |_| {})
    }

    /// As [`Logistic::fit`]; calls `observe` after every iteration.
    ///
    /// # Errors
    /// As [`Logistic::fit`].
    pub fn fit_observed(
        &self,
        x: Matrix<'_>,
        labels: &[u32],
        classes: usize,
        weights: Option<&[f32]>,
        observe: &mut dyn FnMut(Step),
    ) -> Result<FittedLogistic, Error> {
        self.check()?;
        check_length("labels", x.rows(), labels.len())?;
        check_labels(labels, classes)?;
        x.check_finite()?;
        let weights = row_weights(x.rows(), weights)?;

        let (present, dense) = present_classes(labels, &weights, classes);
        let loss = Loss {
            x,
            labels: &dense,
            weights: &weights,
            total: weights.iter().copied().map(f64::from).sum(),
            classes: present.len(),
            // Two opposite rows of half the size have half the square of one.
            c: if present.len() == 2 { self.c / 2.0 } else { self.c },
            intercept: self.intercept,
        };
        let minimum = loss.minimise(self, observe);
        Ok(fitted(&minimum, &present, classes, x.cols()))
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |name, must, value: String| Err(Error::Parameter { name, must, value });
        if !(self.c > 0.0 && self.c.is_finite()) {
            return wrong("c", "above 0", self.c.to_string());
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return wrong("tolerance", "0 or more", self.tolerance.to_string());
        }
        Ok(())
    }
}

/// The weight of every row, 1 unless given.
fn row_weights(rows: usize, weights: Option<&[f32]>) -> Result<Vec<f32>, Error> {
    let weights = weights.map_or_else(|| vec![1.0; rows], <[f32]>::to_vec);
    check_length("weights", rows, weights.len())?;
    if let Some(wrong) = weights.iter().find(|w| !(**w >= 0.0 && w.is_finite())) {
        return Err(Error::Parameter {
            name: "weights",
            must: "finite and not below 0",
            value: wrong.to_string(),
        });
    }
    if !weights.iter().any(|&w| w > 0.0) {
        return Err(Error::TooFew { what: "row to learn from", wanted: 1, available: 0 });
    }
    Ok(weights)
}

/// The classes that have examples, and the labels renumbered to count only these.
///
/// Without examples nothing would hold an unpenalised intercept back from −∞.
fn present_classes(labels: &[u32], weights: &[f32], classes: usize) -> (Vec<usize>, Vec<u32>) {
    let mut seen = vec![false; classes];
    for (&label, &weight) in labels.iter().zip(weights) {
        seen[label as usize] |= weight > 0.0;
    }
    let present: Vec<usize> = (0..classes).filter(|&class| seen[class]).collect();
    let mut renumbered = vec![0; classes];
    for (new, &old) in present.iter().enumerate() {
        renumbered[old] = new as u32;
    }
    let dense = labels.iter().map(|&l| renumbered[l as usize]).collect();
    (present, dense)
}

/// Puts the parameters of the classes that have examples in their places among all classes.
fn fitted(minimum: &Minimum, present: &[usize], classes: usize, cols: usize) -> FittedLogistic {
    let point = &minimum.point;
    let (theta, offsets) = point.at.split_at(present.len() * cols);
    let mut weights = vec![0.0; classes * cols];
    let mut intercepts = vec![f32::NEG_INFINITY; classes];
    for ((&class, row), &offset) in present.iter().zip(theta.chunks(cols)).zip(offsets) {
        intercepts[class] = offset as f32;
        for (to, &from) in weights[class * cols..][..cols].iter_mut().zip(row) {
            *to = from as f32;
        }
    }
    FittedLogistic {
        classes,
        cols,
        weights,
        intercepts,
        convergence: Convergence {
            ending: minimum.ending,
            iterations: minimum.iterations,
            evaluations: minimum.evaluations,
            loss: point.value,
            gradient: point.steepness,
        },
    }
}

/// The loss over the parameters θ = (W row by row, b).
struct Loss<'a> {
    x: Matrix<'a>,
    labels: &'a [u32],
    weights: &'a [f32],
    total: f64,
    classes: usize,
    c: f64,
    intercept: bool,
}

impl Loss<'_> {
    /// The minimum, its point in the coordinates of θ.
    fn minimise(&self, model: &Logistic, observe: &mut dyn FnMut(Step)) -> Minimum {
        let whitening = Whitening::of(self);
        let size = self.classes * (self.x.cols() + 1);
        let mut slope = vec![0.0; size];
        let mut function = |at: &[f64], gradient: &mut [f64]| match &whitening {
            None => {
                let value = self.evaluate(at, gradient);
                Reading { value, steepness: largest(gradient) }
            }
            Some(whitening) => {
                let value = self.evaluate(&whitening.parameters(at), &mut slope);
                whitening.gradient(&slope, gradient);
                Reading { value, steepness: largest(&slope) }
            }
        };
        let mut told = |iteration, point: &Point| {
            observe(Step { iteration, loss: point.value, gradient: point.steepness });
        };
        let (start, limit) = (vec![0.0; size], model.max_iterations);
        let mut minimum = minimise(&mut function, start, model.tolerance, limit, &mut told);
        if let Some(whitening) = &whitening {
            minimum.point.at = whitening.parameters(&minimum.point.at);
        }
        minimum
    }

    /// Fills in the gradient, `[classes * (d + 1)]`, and returns the loss.
    fn evaluate(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (k, d) = (self.classes, self.x.cols());
        let theta32: Vec<f32> = theta.iter().map(|&t| t as f32).collect();
        let (w, b) = theta32.split_at(k * d);
        // The sum holds the gradient and, last, the loss.
        let sum = ordered_sum(self.x.rows(), theta.len() + 1, |range, sum| {
            let rows = self.x.block(range.clone());
            let mut residuals = logits(rows, w, b);
            let (labels, weights) = (&self.labels[range.clone()], &self.weights[range]);
            sum[k * (d + 1)] += residuals_from_logits(&mut residuals, labels, weights, k);
            let mut product = vec![0f32; k * d];
            at_b(&residuals, rows.data(), rows.rows(), 1.0, &mut product);
            for (s, p) in sum.iter_mut().zip(product) {
                *s += f64::from(p);
            }
            for row in residuals.chunks_exact(k) {
                for (s, &r) in sum[k * d..].iter_mut().zip(row) {
                    *s += f64::from(r);
                }
            }
        });
        let penalty = 1.0 / (self.c * self.total);
        let mut squares = 0.0;
        for (i, (g, s)) in gradient.iter_mut().zip(&sum).enumerate() {
            *g = s / self.total;
            if i < k * d {
                *g += penalty * theta[i];
                squares += theta[i] * theta[i];
            } else if !self.intercept {
                *g = 0.0;
            }
        }
        sum[k * (d + 1)] / self.total + 0.5 * penalty * squares
    }
}

/// X Wᵀ + b for a block of rows, `[rows, classes]`.
fn logits(rows: Matrix<'_>, weights: &[f32], intercepts: &[f32]) -> Vec<f32> {
    let mut logits = intercepts.repeat(rows.rows());
    add_a_bt(rows.data(), weights, rows.cols(), 1.0, &mut logits);
    logits
}

/// Turns logits into sᵢ (P − one-hot y) in place and returns Σ sᵢ (−log P[i, yᵢ]).
fn residuals_from_logits(
    logits: &mut [f32],
    labels: &[u32],
    weights: &[f32],
    classes: usize,
) -> f64 {
    subtract_largest(logits, classes);
    let rows = logits.chunks_exact(classes).zip(labels);
    let own: Vec<f32> = rows.map(|(row, &label)| row[label as usize]).collect();
    let sums = exponentials(logits, classes);
    let mut loss = 0.0;
    for (i, row) in logits.chunks_exact_mut(classes).enumerate() {
        loss += f64::from(weights[i]) * (sums[i].ln() - f64::from(own[i]));
        for p in row.iter_mut() {
            *p *= weights[i] / sums[i] as f32;
        }
        row[labels[i] as usize] -= weights[i];
    }
    loss
}

impl FittedLogistic {
    /// Class probabilities of every row of `x: [n, cols]`, `[n, classes]`.
    ///
    /// # Errors
    /// [`Error::Width`] or [`Error::NotFinite`]; [`Error::Length`] if the public fields were
    /// changed so that they disagree.
    pub fn predict_proba(&self, x: Matrix<'_>) -> Result<Vec<f32>, Error> {
        if x.cols() != self.cols {
            return Err(Error::Width { left: self.cols, right: x.cols() });
        }
        let k = self.classes;
        check_length("weights", k * self.cols, self.weights.len())?;
        check_length("intercepts", k, self.intercepts.len())?;
        x.check_finite()?;
        let mut probabilities = vec![0.0; x.rows() * k];
        probabilities.par_chunks_mut(ROW_BLOCK * k).enumerate().for_each(|(block, out)| {
            let start = block * ROW_BLOCK;
            let rows = x.block(start..start + out.len() / k);
            out.copy_from_slice(&logits(rows, &self.weights, &self.intercepts));
            softmax(out, k);
        });
        Ok(probabilities)
    }

    /// The most probable class of every row of `x: [n, cols]`, `[n]`.
    ///
    /// # Errors
    /// As [`FittedLogistic::predict_proba`].
    pub fn predict(&self, x: Matrix<'_>) -> Result<Vec<u32>, Error> {
        let probabilities = self.predict_proba(x)?;
        Ok(scarce_numeric::winners(&probabilities, self.classes))
    }
}

#[cfg(test)]
mod tests;
