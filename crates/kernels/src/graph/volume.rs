//! A class for every node such that classes have given sizes.

use rayon::prelude::*;

use super::{Scores, block::PLACES, poisson::check_priors};
use crate::Error;

/// Step of the ascent.
const STEP: f64 = 0.1;
/// A class's share of the nodes may be off by this much, or by what rounding to whole nodes costs.
const SHARE_TOLERANCE: f64 = 1e-3;
/// Steps without a smaller error after which shares are taken to be out of reach.
const PATIENCE: usize = 1000;
/// Most steps.
const STEPS: usize = 10_000;
/// Weights stay above this.
const LEAST_WEIGHT: f64 = 1e-3;

/// The outcome of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Volumes {
    /// The class of every node; none where no label reaches.
    pub labels: Vec<Option<u32>>,
    /// What the scores of each class were multiplied by: `[classes]`.
    pub weights: Vec<f64>,
    /// Largest difference between a class's share of the nodes and its prior.
    pub error: f64,
    /// Steps taken.
    pub steps: usize,
}

/// A class for every node that labels reach, such that class k gets the share `priors[k]` of them.
///
/// Scores, moved and scaled to lie in [0, 1], are multiplied by one weight per class, and the highest
/// product wins; the weights of classes that win too often go down until shares fit (Calder, Cook,
/// Thorpe and Slepčev, *Poisson learning*, ICML 2020, §2). Priors of classes without any label are
/// given to the others in proportion. The products replace the scores.
///
/// # Errors
/// [`Error::Length`] or [`Error::Parameter`] for priors out of range.
pub fn assign_volumes(scores: &mut Scores, priors: &[f64]) -> Result<Volumes, Error> {
    check_priors(priors, scores.classes)?;
    let (nodes, classes) = (scores.nodes(), scores.classes);
    let open = |node: usize, class: usize| scores.reach.counts(node)[class] > 0;
    let at = |node: usize, class: usize| scores.values[node * classes + class] as f32;
    let mut contest = Contest::new(nodes, classes, at, open);
    let mut weights = vec![1.0; classes];
    let (error, steps) = contest.balance(priors, &mut weights);
    for (node, row) in scores.values.chunks_exact_mut(classes).enumerate() {
        for (class, value) in row.iter_mut().enumerate() {
            *value = contest.product(node, class, &weights);
        }
    }
    Ok(Volumes { labels: contest.labels(), weights, error, steps })
}

/// Nobody wins.
const NOBODY: u32 = u32::MAX;

/// Scores laid out so that many nodes are decided at once.
pub(super) struct Contest {
    nodes: usize,
    classes: usize,
    /// Blocks of [`PLACES`] nodes, `[classes, PLACES]` each, scaled to [0, 1]; −∞ where a class
    /// cannot win.
    scores: Vec<f32>,
    /// The class of every node, or [`NOBODY`].
    winners: Vec<u32>,
}

impl Contest {
    /// `score` and `open` are asked for node and class; a class wins only where it is open.
    pub(super) fn new(
        nodes: usize,
        classes: usize,
        score: impl Fn(usize, usize) -> f32 + Sync,
        open: impl Fn(usize, usize) -> bool + Sync,
    ) -> Self {
        let blocks = nodes.div_ceil(PLACES);
        let mut scores = vec![f32::NEG_INFINITY; blocks * classes * PLACES];
        scores.par_chunks_exact_mut(classes * PLACES).enumerate().for_each(|(block, scores)| {
            for node in block * PLACES..nodes.min((block + 1) * PLACES) {
                for class in (0..classes).filter(|&class| open(node, class)) {
                    scores[class * PLACES + node % PLACES] = score(node, class);
                }
            }
        });
        scale(&mut scores);
        Self { nodes, classes, scores, winners: vec![NOBODY; nodes] }
    }

    /// Finds weights for which shares fit the priors, starting from those given, which should be
    /// positive; returns the largest difference and the steps.
    pub(super) fn balance(&mut self, priors: &[f64], weights: &mut [f64]) -> (f64, usize) {
        let mut counts = self.decide(weights);
        let decided: usize = counts.iter().sum();
        let shares = self.shares(priors);
        let whole_nodes = (1.0 - 1.0 / self.classes as f64) / decided.max(1) as f64;
        let tolerance = SHARE_TOLERANCE.max(whole_nodes);
        let gaps = |counts: &[usize]| -> Vec<f64> {
            let share = |&count: &usize| count as f64 / decided.max(1) as f64;
            counts.iter().map(share).zip(&shares).map(|(share, prior)| share - prior).collect()
        };
        let (mut best, mut best_weights, mut best_step) = (f64::INFINITY, weights.to_vec(), 0);
        let mut step = 0;
        loop {
            let gap = gaps(&counts);
            let error = gap.iter().fold(0.0, |worst: f64, gap| worst.max(gap.abs()));
            if error < best {
                (best, best_step) = (error, step);
                best_weights.copy_from_slice(weights);
            }
            if best <= tolerance || step == STEPS || step - best_step >= PATIENCE {
                break;
            }
            for (weight, gap) in weights.iter_mut().zip(&gap) {
                *weight = (*weight - STEP * gap).max(LEAST_WEIGHT);
            }
            let first = weights[0];
            weights.iter_mut().for_each(|weight| *weight /= first);
            counts = self.decide(weights);
            step += 1;
        }
        weights.copy_from_slice(&best_weights);
        if best_step != step {
            self.decide(weights);
        }
        (best, step)
    }

    /// The class of every node; none where none can win.
    pub(super) fn labels(&self) -> Vec<Option<u32>> {
        self.winners.iter().map(|&winner| (winner != NOBODY).then_some(winner)).collect()
    }

    /// The weighted score of a class; 0 where it cannot win.
    pub(super) fn product(&self, node: usize, class: usize, weights: &[f64]) -> f64 {
        let block = node / PLACES * self.classes * PLACES;
        let score = self.scores[block + class * PLACES + node % PLACES];
        if score.is_finite() { f64::from(score * weights[class] as f32) } else { 0.0 }
    }

    /// Finds the winners and counts them by class.
    fn decide(&mut self, weights: &[f64]) -> Vec<usize> {
        let classes = self.classes;
        let blocks = self.scores.par_chunks_exact(classes * PLACES);
        let counts: Vec<Vec<usize>> = blocks
            .zip(self.winners.par_chunks_mut(PLACES))
            .map(|(scores, winners)| {
                let mut best = [f32::NEG_INFINITY; PLACES];
                let mut found = [NOBODY; PLACES];
                for (class, (scores, &weight)) in scores.chunks_exact(PLACES).zip(weights).enumerate() {
                    let weight = weight as f32;
                    for ((best, found), score) in best.iter_mut().zip(&mut found).zip(scores) {
                        let product = score * weight;
                        let wins = product > *best;
                        *best = if wins { product } else { *best };
                        *found = if wins { class as u32 } else { *found };
                    }
                }
                let mut counts = vec![0; classes];
                for (winner, &found) in winners.iter_mut().zip(&found) {
                    *winner = found;
                    if let Some(count) = counts.get_mut(found as usize) {
                        *count += 1;
                    }
                }
                counts
            })
            .collect();
        let mut total = vec![0; classes];
        for counts in counts {
            for (total, count) in total.iter_mut().zip(counts) {
                *total += count;
            }
        }
        total
    }

    /// Priors of the classes that can win somewhere, made to sum to 1; 0 for the others.
    fn shares(&self, priors: &[f64]) -> Vec<f64> {
        let can_win = |class: usize| {
            let mut blocks = self.scores.chunks_exact(self.classes * PLACES);
            blocks.any(|block| block[class * PLACES..][..PLACES].iter().any(|s| s.is_finite()))
        };
        let kept = priors.iter().enumerate().map(|(c, &prior)| if can_win(c) { prior } else { 0.0 });
        let kept: Vec<f64> = kept.collect();
        let sum: f64 = kept.iter().sum();
        kept.iter().map(|prior| if sum > 0.0 { prior / sum } else { 0.0 }).collect()
    }
}

/// Moves and scales what is finite to [0, 1].
fn scale(scores: &mut [f32]) {
    let finite = || scores.par_iter().copied().filter(|score| score.is_finite());
    let least = finite().reduce(|| f32::INFINITY, f32::min);
    let most = finite().reduce(|| f32::NEG_INFINITY, f32::max);
    let range = if most > least { most - least } else { 1.0 };
    scores.par_iter_mut().for_each(|score| *score = (*score - least) / range);
}
