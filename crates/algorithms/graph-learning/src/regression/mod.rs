//! Logistic regression on the features of a graph's nodes, and labels that flow along its edges: each
//! learns from the other.

mod mixture;

use rayon::prelude::*;

use super::{Convergence, Graph, Precision, Scores, Seeds, poisson, seeds::Reach, smooth};
use mixture::Mixture;
use scarce_linear::{FittedLogistic, FittedPca, Logistic, Pca};
use scarce_numeric::{
    Error, Matrix, blocks::ROW_BLOCK, error::check_length, product::dot, softmax::softmax_rows,
};

/// Steps of [`smooth`], of features as of probabilities: 0.8²⁰ is 0.01.
const STEPS: usize = 20;
/// α by which features are smoothed.
const FEATURES: f64 = 0.5;
/// Features are scaled such that the mean square of their rows is this, so that penalties mean the same
/// whatever the unit.
const MEAN_SQUARE: f64 = 100.0;
/// λ times the number of labels: the same penalty on the sum, not the mean, of the labels' losses.
const PENALTY: f64 = 3.0;
/// The largest λ of the regression on all nodes.
const LAST_PENALTY: f64 = 0.01;
/// Largest entry of a regression's gradient, at the scale of the features above.
const TOLERANCE: f64 = 1e-6;
/// The share of the last regression's weight that the labels that were given have.
const GIVEN_SHARE: f64 = 0.5;

/// A classifier for the nodes of a graph from few labels, which is one for other rows as well.
///
/// Four answers are combined, as a product of probabilities, each to a power:
///
/// 1. Logistic regression on the labelled nodes, each class of the same weight however many labels it
///    has, its features smoothed over the graph (F. Wu and
///    others, *Simplifying graph convolutional networks*, ICML 2019), its probabilities smoothed again
///    with the labels held (*Predict then propagate*, ICLR 2019; Q. Huang and others, *Combining label
///    propagation and simple models outperforms graph neural networks*, ICLR 2021).
/// 2. [`poisson`] learning, to the power 1/m for m labels per class: what it knows more at one label
///    per class, it does not at ten.
/// 3. Four rounds of expectation and maximisation of a mixture of von Mises–Fisher distributions on the
///    smoothed features that starts from there, with shares of the classes estimated (A. Banerjee and
///    others, *Clustering on the unit hypersphere using von Mises–Fisher distributions*, JMLR 2005), to
///    the power 2/(1 + m). The roots of its shares are all that is assumed of the sizes of classes.
/// 4. Logistic regression on all nodes, without smoothing, labelled by what these three say and
///    weighted by how sure they are: self-training (D. Yarowsky, ACL 1995), once. It needs no graph, and
///    answers for rows that are not nodes.
///
/// What is constant here was chosen on vectors of a pretrained network for photographs of clothes,
/// training images, with draws of labels that no published figure has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphRegression {
    /// α of the probabilities: what share a node takes from its neighbours.
    pub alpha: f64,
    /// Principal components that are learnt from; fewer where there are not so many.
    pub components: usize,
    /// Whether rows are scaled to length 1 first, as suits features that are compared by cosine.
    pub unit_length: bool,
    /// Of Poisson learning.
    pub precision: Precision,
}

impl Default for GraphRegression {
    fn default() -> Self {
        Self { alpha: 0.8, components: 256, unit_length: true, precision: Precision::default() }
    }
}

/// What does not depend on labels.
#[derive(Debug, Clone)]
pub struct PreparedFeatures<'a> {
    model: GraphRegression,
    graph: &'a Graph,
    pca: FittedPca,
    /// What components are multiplied by.
    scale: f32,
    /// Scaled components: `[nodes, k]`.
    plain: Vec<f32>,
    /// The same, smoothed over the graph and scaled again: `[nodes, k]`.
    smoothed: Vec<f32>,
}

/// What [`PreparedFeatures::fit`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedGraphRegression {
    /// The probability of each class of every node; a labelled node has its class alone. A class
    /// without labels has probability 0.
    pub scores: Scores,
    /// Answers for rows with as many columns as the features had; with `unit_length` they are to be
    /// scaled to length 1 first.
    pub linear: FittedLogistic,
    /// The shares of the classes that the mixture estimated: `[classes]`.
    pub shares: Vec<f64>,
}

impl GraphRegression {
    /// Prepares the features `x: [nodes, d]`.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of rows than nodes; [`Error::TooFew`] for fewer than two;
    /// [`Error::Parameter`] for an α that is not from 0 to below 1, no component, or rows that are all the
    /// same; [`Error::NotFinite`], [`Error::TooWide`].
    pub fn prepare<'a>(
        &self,
        graph: &'a Graph,
        x: Matrix<'_>,
    ) -> Result<PreparedFeatures<'a>, Error> {
        check_length("features", graph.nodes(), x.rows())?;
        x.check_finite()?;
        let rows = if self.unit_length { Some(unit_rows(x.data(), x.cols())) } else { None };
        let x = Matrix::new(rows.as_deref().unwrap_or(x.data()), x.rows(), x.cols())?;
        let components = self.components.min(x.cols()).min(x.rows());
        let pca = Pca { components, whiten: 0.0 }.fit(x)?;
        let mut plain = pca.transform(x)?;
        let scale = scale(&mut plain, components)?;
        let mut smoothed = plain.clone();
        smooth(graph, &mut smoothed, components, FEATURES, STEPS)?;
        self::scale(&mut smoothed, components)?;
        Ok(PreparedFeatures { model: *self, graph, pca, scale, plain, smoothed })
    }
}

impl PreparedFeatures<'_> {
    /// Learns from labelled nodes.
    ///
    /// # Errors
    /// [`Error::TooFew`] for a labelled node that the graph does not have; [`Error::Parameter`] for a
    /// precision or an α out of range.
    pub fn fit(&self, seeds: &Seeds) -> Result<FittedGraphRegression, Error> {
        let classes = seeds.classes();
        let present = seeds.counts().iter().filter(|count| **count > 0).count();
        let per_class = seeds.len() as f64 / present as f64;
        let (flow, reach, solved) = self.flow(seeds)?;
        let mut belief = self.regression(seeds)?;
        multiply(&mut belief, &flow, classes, 1.0 / per_class);
        let mut mixture = Mixture::new(&self.smoothed, self.pca.len(), seeds);
        let mut refined = belief.clone();
        for _ in 0..mixture::ROUNDS {
            mixture.maximise(&refined);
            refined = self.smooth_with_labels(mixture.expect(), seeds)?;
        }
        multiply(&mut belief, &refined, classes, 2.0 / (1.0 + per_class));
        let (linear, answers) = self.last_regression(&belief, seeds)?;
        multiply(&mut belief, &answers, classes, 1.0);
        hold_labels(&mut belief, seeds);
        let values = belief.into_iter().map(f64::from).collect();
        let scores = Scores { classes, values, reach, solved: vec![("the flow", solved)] };
        Ok(FittedGraphRegression { scores, linear, shares: mixture.shares() })
    }

    /// The components as a matrix.
    fn matrix<'b>(&self, values: &'b [f32]) -> Result<Matrix<'b>, Error> {
        Matrix::new(values, self.graph.nodes(), self.pca.len())
    }

    /// Poisson learning as probabilities: a softmax of the scores over their mean size. Where a class
    /// has no label in the component of a node, nothing is said of the node.
    fn flow(&self, seeds: &Seeds) -> Result<(Vec<f32>, Reach, Convergence), Error> {
        let counts = seeds.counts();
        // Priors like the labels weigh all scores alike.
        let whole: f64 = counts.iter().map(|&count| prior(count)).sum();
        let priors: Vec<f64> = counts.iter().map(|&count| prior(count) / whole).collect();
        let scores = poisson(self.graph, seeds, &priors, self.model.precision)?;
        let known = |node: usize| {
            counts.iter().zip(scores.reach.counts(node)).all(|(&all, &here)| all == 0 || here > 0)
        };
        let (mut sum, mut number) = (0.0, 0_usize);
        for node in (0..scores.nodes()).filter(|&node| known(node)) {
            let row = scores.of(node).iter().zip(&counts).filter(|(_, count)| **count > 0);
            for (score, _) in row {
                sum += score.abs();
                number += 1;
            }
        }
        let unit = if sum > 0.0 { sum / number as f64 } else { 1.0 };
        let mut logits = vec![0f32; scores.values.len()];
        logits.par_chunks_exact_mut(scores.classes).enumerate().for_each(|(node, row)| {
            let known = known(node);
            for ((logit, &score), &count) in row.iter_mut().zip(scores.of(node)).zip(&counts) {
                *logit = match count {
                    0 => f32::NEG_INFINITY,
                    _ if known => (score / unit) as f32,
                    _ => 0.0,
                };
            }
        });
        softmax_rows(&mut logits, scores.classes);
        hold_labels(&mut logits, seeds);
        let reach = Reach::everywhere(self.graph, seeds)?;
        let (_, convergence) = scores.solved[0];
        Ok((logits, reach, convergence))
    }

    /// The regression on the labelled nodes, smoothed with their labels held.
    fn regression(&self, seeds: &Seeds) -> Result<Vec<f32>, Error> {
        let (x, k) = (self.matrix(&self.smoothed)?, self.pca.len());
        let rows: Vec<f32> =
            seeds.iter().flat_map(|(node, _)| x.row(node as usize)).copied().collect();
        let labels: Vec<u32> = seeds.iter().map(|(_, class)| class as u32).collect();
        let model = Logistic { c: 1.0 / PENALTY, tolerance: TOLERANCE, ..Logistic::default() };
        let weights = balanced(seeds);
        let labelled = Matrix::new(&rows, seeds.len(), k)?;
        let fitted = model.fit(labelled, &labels, seeds.classes(), Some(&weights))?;
        self.smooth_with_labels(fitted.predict_proba(x)?, seeds)
    }

    fn smooth_with_labels(&self, mut belief: Vec<f32>, seeds: &Seeds) -> Result<Vec<f32>, Error> {
        hold_labels(&mut belief, seeds);
        smooth(self.graph, &mut belief, seeds.classes(), self.model.alpha, STEPS)?;
        Ok(belief)
    }

    /// The regression on all nodes, for rows of features, and what it says of the nodes.
    fn last_regression(
        &self,
        belief: &[f32],
        seeds: &Seeds,
    ) -> Result<(FittedLogistic, Vec<f32>), Error> {
        let (nodes, classes) = (self.graph.nodes(), seeds.classes());
        let mut labels = scarce_numeric::winners(belief, classes);
        let sure = |(row, &label): (&[f32], &u32)| row[label as usize].powi(2);
        let mut weights: Vec<f32> = belief.chunks_exact(classes).zip(&labels).map(sure).collect();
        for (node, class) in seeds.iter() {
            labels[node as usize] = class as u32;
            weights[node as usize] = 0.0;
        }
        // The weights sum to the number of nodes.
        let others: f64 = weights.iter().copied().map(f64::from).sum();
        let given = if others > 0.0 { GIVEN_SHARE } else { 1.0 };
        let by = if others > 0.0 { (1.0 - given) * nodes as f64 / others } else { 0.0 };
        for weight in &mut weights {
            *weight = (f64::from(*weight) * by) as f32;
        }
        for (node, _) in seeds.iter() {
            weights[node as usize] = (given * nodes as f64 / seeds.len() as f64) as f32;
        }
        let penalty = LAST_PENALTY.min(PENALTY / seeds.len() as f64);
        let c = 1.0 / (penalty * nodes as f64);
        let model = Logistic { c, tolerance: TOLERANCE, ..Logistic::default() };
        let x = self.matrix(&self.plain)?;
        let fitted = model.fit(x, &labels, classes, Some(&weights))?;
        let answers = fitted.predict_proba(x)?;
        Ok((self.unrotated(fitted), answers))
    }

    /// The same regression for rows before they were centred, rotated and scaled.
    fn unrotated(&self, fitted: FittedLogistic) -> FittedLogistic {
        let (d, k, classes) = (self.pca.cols, self.pca.len(), fitted.classes);
        let (mut weights, mut intercepts) = (vec![0f32; classes * d], fitted.intercepts);
        for class in 0..classes {
            let mut row = vec![0f64; d];
            for (component, weight) in fitted.weights[class * k..][..k].iter().enumerate() {
                let weight = f64::from(weight * self.scale);
                for (to, by) in row.iter_mut().zip(&self.pca.components[component * d..][..d]) {
                    *to += weight * f64::from(*by);
                }
            }
            let at_mean: f64 = row.iter().zip(&self.pca.mean).map(|(w, m)| w * f64::from(*m)).sum();
            intercepts[class] -= at_mean as f32;
            for (to, from) in weights[class * d..][..d].iter_mut().zip(row) {
                *to = from as f32;
            }
        }
        FittedLogistic { cols: d, weights, intercepts, ..fitted }
    }
}

/// Weights of the labelled nodes such that all classes with labels weigh the same; their mean is 1.
fn balanced(seeds: &Seeds) -> Vec<f32> {
    let counts = seeds.counts();
    let present = counts.iter().filter(|count| **count > 0).count();
    let weight = |class: usize| seeds.len() as f64 / (present * counts[class]) as f64;
    seeds.iter().map(|(_, class)| weight(class) as f32).collect()
}

/// A prior in proportion to so many labels; classes without labels have next to none.
fn prior(count: usize) -> f64 {
    if count > 0 { count as f64 } else { 1e-9 }
}

/// Rows of length 1; rows of zeros stay.
pub fn unit_rows(values: &[f32], columns: usize) -> Vec<f32> {
    let mut unit = values.to_vec();
    unit.par_chunks_exact_mut(columns.max(1)).for_each(|row| {
        let length = dot(row, row).sqrt();
        if length > 0.0 {
            for value in row {
                *value = (f64::from(*value) / length) as f32;
            }
        }
    });
    unit
}

/// Scales rows to the mean square that penalties are meant for, and says by how much.
fn scale(values: &mut [f32], columns: usize) -> Result<f32, Error> {
    let rows = values.len() / columns;
    // Block by block, whatever the number of threads.
    let square = |block: &[f32]| dot(block, block);
    let squares: Vec<f64> = values.par_chunks(ROW_BLOCK * columns).map(square).collect();
    let mean = squares.iter().sum::<f64>() / rows as f64;
    if mean <= 0.0 {
        let value = "rows that are all the same".to_owned();
        return Err(Error::Parameter { name: "features", must: "different", value });
    }
    let by = (MEAN_SQUARE / mean).sqrt() as f32;
    values.par_iter_mut().for_each(|value| *value *= by);
    Ok(by)
}

/// Gives every labelled node its class alone.
fn hold_labels(belief: &mut [f32], seeds: &Seeds) {
    let classes = seeds.classes();
    for (node, class) in seeds.iter() {
        let row = &mut belief[node as usize * classes..][..classes];
        row.fill(0.0);
        row[class] = 1.0;
    }
}

/// Multiplies each distribution by another to a power, and scales the products to sum to 1.
///
/// What is 0 in one alone is a smallest number instead: rounding shall not rule a class out.
fn multiply(belief: &mut [f32], by: &[f32], classes: usize, power: f64) {
    const LEAST: f32 = 1e-20;
    belief.par_chunks_exact_mut(classes).zip(by.par_chunks_exact(classes)).for_each(|(row, by)| {
        let logs: Vec<f64> = row
            .iter()
            .zip(by)
            .map(|(&p, &q)| match (p > 0.0, q > 0.0) {
                (false, false) => f64::NEG_INFINITY,
                _ => f64::from(p.max(LEAST)).ln() + power * f64::from(q.max(LEAST)).ln(),
            })
            .collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        for (p, log) in row.iter_mut().zip(logs) {
            *p = ((log - most).exp() / sum) as f32;
        }
    });
}

#[cfg(test)]
mod tests;
