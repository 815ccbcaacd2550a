//! From scores to distributions over classes.

use rayon::prelude::*;
use scarce_graph_learning::{Scores, Seeds};

use crate::method::Fit;

/// Scores below this share of the sum of a node's scores count as this.
const LEAST_SHARE: f64 = 1e-12;

/// Scores in a form whose softmax is a distribution: `[nodes, classes]`, −∞ where a class cannot
/// reach a node.
///
/// Scores that are at least 0 are taken as proportional to chances, so that this is their logarithm.
/// Others are divided by their mean size over the nodes, which makes methods and graphs comparable.
pub(crate) struct Logits {
    classes: usize,
    values: Vec<f64>,
}

impl Logits {
    pub(crate) fn of(fit: &Fit) -> Self {
        let Scores { classes, reach, .. } = &fit.scores;
        let unit = if fit.positive { 1.0 } else { mean_size(&fit.scores) };
        let row = |node: usize| {
            let scores = fit.scores.of(node);
            let sum: f64 = scores.iter().filter(|score| **score > 0.0).sum();
            let floor = if sum > 0.0 { LEAST_SHARE * sum } else { 1.0 };
            scores.iter().zip(reach.counts(node)).map(move |(&score, &count)| match count {
                0 => f64::NEG_INFINITY,
                _ if fit.positive => score.max(floor).ln(),
                _ => score / unit,
            })
        };
        let values = (0..fit.scores.nodes()).into_par_iter().flat_map_iter(row).collect();
        Self { classes: *classes, values }
    }

    /// The logits of a node: `[classes]`.
    pub(crate) fn of_node(&self, node: usize) -> &[f64] {
        &self.values[node * self.classes..][..self.classes]
    }

    /// Probabilities at a temperature: `[nodes, classes]`; 1 for the class of every seed, all 0 where
    /// no label reaches.
    pub(crate) fn probabilities(&self, temperature: f64, seeds: &Seeds) -> Vec<f32> {
        let rows = self.values.par_chunks_exact(self.classes);
        let row = |row: &[f64]| softmax(row, temperature).into_iter().map(|p| p as f32);
        let mut probabilities: Vec<f32> = rows.flat_map_iter(row).collect();
        for (node, class) in seeds.iter() {
            let row = &mut probabilities[node as usize * self.classes..][..self.classes];
            row.fill(0.0);
            row[class] = 1.0;
        }
        probabilities
    }
}

/// exp(z/T) over their sum; all 0 if no z is finite.
pub(crate) fn softmax(logits: &[f64], temperature: f64) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return vec![0.0; logits.len()];
    }
    let mut powers: Vec<f64> =
        logits.iter().map(|logit| ((logit - most) / temperature).exp()).collect();
    let sum: f64 = powers.iter().sum();
    for power in &mut powers {
        *power /= sum;
    }
    powers
}

/// The mean size of the scores of classes that reach their node; 1 if all are 0.
fn mean_size(scores: &Scores) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for node in 0..scores.nodes() {
        for (score, &labels) in scores.of(node).iter().zip(scores.reach.counts(node)) {
            if labels > 0 {
                sum += score.abs();
                count += 1;
            }
        }
    }
    if sum > 0.0 { sum / count as f64 } else { 1.0 }
}

/// For each value the share of all values that are no larger: `[n]`.
pub(crate) fn ranks(values: &[f32]) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.par_sort_unstable_by(f32::total_cmp);
    let rank = |value: &f32| sorted.partition_point(|other| other.total_cmp(value).is_le());
    values.par_iter().map(|value| rank(value) as f32 / sorted.len() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_leaves_out_what_cannot_be() {
        let p = softmax(&[1.0, f64::NEG_INFINITY, 1.0 + 2f64.ln()], 1.0);
        assert!((p[0] - 1.0 / 3.0).abs() < 1e-12 && p[1] == 0.0);
        assert_eq!(softmax(&[f64::NEG_INFINITY; 2], 1.0), [0.0, 0.0]);
        let hot = softmax(&[0.0, 8.0], 1e6);
        assert!((hot[0] - 0.5).abs() < 1e-5);
    }

    #[test]
    fn ranks_are_shares_of_what_is_no_larger() {
        assert_eq!(ranks(&[0.5, 0.1, 0.9, 0.5]), [0.75, 0.25, 1.0, 0.75]);
        assert_eq!(ranks(&[]), [0.0; 0]);
    }
}
