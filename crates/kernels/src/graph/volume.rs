//! A class for every node such that classes have given sizes.

use super::{Scores, ballot::Ballot, poisson::check_priors};
use crate::Error;

/// Step of the ascent.
const STEP: f64 = 0.1;
/// A class's share of the nodes may be off by this much, or by what rounding to whole nodes costs.
const SHARE_TOLERANCE: f64 = 1e-3;
/// Steps without a smaller error after which shares are taken to be out of reach.
const PATIENCE: usize = 1000;
/// Most steps.
const STEPS: usize = 10_000;
/// After a look at all nodes, look only at those whose winner can change in so many steps.
const LOOK_AHEAD: f64 = 8.0;
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
    let mut ballot = Ballot::new(nodes, classes, at, open);
    let mut weights = vec![1.0; classes];
    let (error, steps) = Ascent::climb(&mut ballot, priors, &mut weights);
    for (node, row) in scores.values.chunks_exact_mut(classes).enumerate() {
        for (class, value) in row.iter_mut().enumerate() {
            *value = ballot.product(node, class, &weights);
        }
    }
    Ok(Volumes { labels: ballot.labels(), weights, error, steps })
}

/// The search for weights.
pub(super) struct Ascent {
    /// Share of the nodes that each class shall have; 0 where it cannot win.
    shares: Vec<f64>,
    /// Nodes that somebody wins.
    decided: usize,
}

impl Ascent {
    /// Finds weights for which shares fit the priors, starting from those given; returns the largest
    /// difference and the number of steps. The winners are then those for these weights.
    pub(super) fn climb(ballot: &mut Ballot, priors: &[f64], weights: &mut [f64]) -> (f64, usize) {
        let mut counts = ballot.decide(weights);
        let ascent = Self { shares: shares(ballot, priors), decided: counts.iter().sum() };
        let mut best = Best { error: f64::INFINITY, step: 0, weights: weights.to_vec() };
        let mut near: Option<Near> = None;
        let mut step = 0;
        loop {
            let gaps = ascent.gaps(&counts);
            let error = gaps.iter().fold(0.0, |worst: f64, gap| worst.max(gap.abs()));
            if error < best.error {
                best = Best { error, step, weights: weights.to_vec() };
            }
            let hopeless = step == STEPS || step - best.step >= PATIENCE;
            if best.error <= ascent.tolerance() || hopeless {
                break;
            }
            move_weights(weights, &gaps);
            counts = match near.as_mut().filter(|near| near.suffices(weights)) {
                Some(near) => near.decide(weights),
                None => {
                    let counts = ballot.decide(weights);
                    near.insert(Near::around(ballot, weights, &counts, STEP * error)).total.clone()
                }
            };
            step += 1;
        }
        weights.copy_from_slice(&best.weights);
        ballot.decide(weights);
        (best.error, step)
    }

    /// How much too large the share of each class is.
    fn gaps(&self, counts: &[usize]) -> Vec<f64> {
        let share = |&count: &usize| count as f64 / self.decided.max(1) as f64;
        counts.iter().map(share).zip(&self.shares).map(|(share, wanted)| share - wanted).collect()
    }

    fn tolerance(&self) -> f64 {
        let whole_nodes = 1.0 - 1.0 / self.shares.len() as f64;
        SHARE_TOLERANCE.max(whole_nodes / self.decided.max(1) as f64)
    }
}

/// The best weights so far.
struct Best {
    error: f64,
    step: usize,
    weights: Vec<f64>,
}

/// One step downhill; the first class keeps the weight 1.
fn move_weights(weights: &mut [f64], gaps: &[f64]) {
    for (weight, gap) in weights.iter_mut().zip(gaps) {
        *weight = (*weight - STEP * gap).max(LEAST_WEIGHT);
    }
    let first = weights[0];
    weights.iter_mut().for_each(|weight| *weight /= first);
}

/// The nodes that can change hands while weights stay near some reference: scores are at most 1, so a
/// lead lasts until some weight has moved by half of it.
struct Near {
    reference: Vec<f64>,
    /// How far weights may move.
    radius: f64,
    ballot: Ballot,
    /// Winners among the other nodes.
    far: Vec<usize>,
    /// Winners among all nodes, for the reference.
    total: Vec<usize>,
}

impl Near {
    fn around(ballot: &Ballot, weights: &[f64], total: &[usize], step: f64) -> Self {
        let leads = ballot.leads(weights);
        let radius = (LOOK_AHEAD * step).max(f64::from(quantile(&leads)) / 2.0);
        // The last term covers rounding.
        let bar = (2.0 * radius + 1e-5) as f32;
        let nodes: Vec<u32> =
            (0..leads.len() as u32).filter(|&node| leads[node as usize] <= bar).collect();
        let mut part = ballot.part(&nodes);
        let inside = part.decide(weights);
        let far = total.iter().zip(inside).map(|(total, inside)| total - inside).collect();
        let reference = weights.to_vec();
        Self { reference, radius, ballot: part, far, total: total.to_vec() }
    }

    fn suffices(&self, weights: &[f64]) -> bool {
        let mut moved = weights.iter().zip(&self.reference).map(|(a, b)| (a - b).abs());
        moved.all(|moved| moved <= self.radius)
    }

    fn decide(&mut self, weights: &[f64]) -> Vec<usize> {
        let inside = self.ballot.decide(weights);
        self.far.iter().zip(inside).map(|(far, inside)| far + inside).collect()
    }
}

/// The lead that a sixteenth of the nodes do not exceed, looked up in a sample.
fn quantile(leads: &[f32]) -> f32 {
    let mut sample: Vec<f32> = leads.iter().copied().step_by(leads.len() / 4096 + 1).collect();
    if sample.is_empty() {
        return 0.0;
    }
    let rank = sample.len() / 16;
    let lead = *sample.select_nth_unstable_by(rank, f32::total_cmp).1;
    if lead.is_finite() { lead } else { 0.0 }
}

/// Priors of the classes that can win somewhere, made to sum to 1; 0 for the others.
fn shares(ballot: &Ballot, priors: &[f64]) -> Vec<f64> {
    let kept = |(class, &prior): (usize, &f64)| if ballot.can_win(class) { prior } else { 0.0 };
    let kept: Vec<f64> = priors.iter().enumerate().map(kept).collect();
    let sum: f64 = kept.iter().sum();
    kept.iter().map(|prior| if sum > 0.0 { prior / sum } else { 0.0 }).collect()
}
