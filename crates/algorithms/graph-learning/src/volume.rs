//! A class for every node such that classes have given sizes.

use rayon::prelude::*;

use super::{
    Scores,
    poisson::check_priors,
    transport::{Market, NOBODY},
};
use scarce_numeric::Error;

/// Scaled scores are at least this, so that each has a logarithm.
const LEAST_SCORE: f32 = 1e-9;

/// The outcome of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Volumes {
    /// The class of every node; none where no label reaches.
    pub labels: Vec<Option<u32>>,
    /// What the scores of each class are multiplied by: `[classes]`.
    pub weights: Vec<f64>,
    /// Largest difference between a class's share of the nodes and its prior, or the bound that slack
    /// gives it.
    pub error: f64,
}

/// A class for every node that labels reach, such that class k gets the share `priors[k]` of them, to
/// the node.
///
/// Scores, moved and scaled to lie in [0, 1], are multiplied by one weight per class, and the highest
/// product wins (Calder, Cook, Thorpe and Slepčev, *Poisson learning*, ICML 2020, §2). Weights for
/// which the shares fit are those of the assignment with the largest product of all nodes' scores, so
/// that is what is looked for, exactly. Priors of classes without any label are given to the others
/// in proportion. The products replace the scores.
///
/// # Errors
/// [`Error::Length`] or [`Error::Parameter`] for priors out of range.
pub fn assign_volumes(scores: &mut Scores, priors: &[f64]) -> Result<Volumes, Error> {
    check_priors(priors, scores.classes)?;
    let classes = scores.classes;
    let open = |node: usize, class: usize| scores.reach.counts(node)[class] > 0;
    let at = |node: usize, class: usize| scores.values[node * classes + class] as f32;
    let share = Share::of(scores.nodes(), classes, at, open);
    let settled = share.settle(priors, 0.0, &mut vec![0.0; classes]);
    scores.values = settled.products();
    Ok(settled.volumes)
}

/// Scores on their way to an assignment.
pub(super) struct Share {
    classes: usize,
    /// Logarithms of the scaled scores; −∞ where a class cannot win: `[nodes, classes]`.
    gains: Vec<f32>,
}

impl Share {
    /// `score` and `open` are asked for node and class; a class wins only where it is open.
    pub(super) fn of(
        nodes: usize,
        classes: usize,
        score: impl Fn(usize, usize) -> f32 + Sync,
        open: impl Fn(usize, usize) -> bool + Sync,
    ) -> Self {
        let mut gains = vec![f32::NEG_INFINITY; nodes * classes];
        gains.par_chunks_exact_mut(classes).enumerate().for_each(|(node, row)| {
            for (class, gain) in row.iter_mut().enumerate().filter(|(class, _)| open(node, *class))
            {
                *gain = score(node, class);
            }
        });
        let finite = || gains.par_iter().copied().filter(|score| score.is_finite());
        let least = finite().reduce(|| f32::INFINITY, f32::min);
        let most = finite().reduce(|| f32::NEG_INFINITY, f32::max);
        let range = if most > least { most - least } else { 1.0 };
        gains.par_iter_mut().filter(|score| score.is_finite()).for_each(|score| {
            *score = ((*score - least) / range).max(LEAST_SCORE).ln();
        });
        Self { classes, gains }
    }

    /// Assigns, starting from `prices` (logarithms of the weights) and leaving the new ones there.
    /// Classes may be larger or smaller than their priors by `slack` of these.
    pub(super) fn settle(self, priors: &[f64], slack: f64, prices: &mut Vec<f64>) -> Settled {
        let mut shares = self.shares(priors);
        if slack > 0.0 {
            shares = within(&shares, slack, &self.preferred());
        }
        let mut market = Market::open(self.gains, std::mem::take(prices));
        let decided: usize = market.counts().iter().sum();
        market.balance(&whole(&shares, decided));
        let off = market.counts().iter().zip(&shares);
        let off = off.map(|(&n, share)| (n as f64 / decided.max(1) as f64 - share).abs());
        let error = off.fold(0.0, f64::max);
        let closed = market.close();
        let most = closed.prices.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights = closed.prices.iter().map(|price| (price - most).exp()).collect();
        let label = |label| if label == NOBODY { None } else { Some(label) };
        let labels = closed.labels.into_iter().map(label).collect();
        *prices = closed.prices;
        Settled { volumes: Volumes { labels, weights, error }, gains: closed.gains }
    }

    /// The shares of the classes if every node went where its score is largest.
    fn preferred(&self) -> Vec<f64> {
        let zeros = vec![0.0; self.classes];
        let winner = |row: &[f32]| super::transport::winner(row, &zeros);
        let mut counts = vec![0_usize; self.classes];
        let winners: Vec<u32> = self.gains.par_chunks_exact(self.classes).map(winner).collect();
        for &class in winners.iter().filter(|class| **class != NOBODY) {
            counts[class as usize] += 1;
        }
        let decided: usize = counts.iter().sum();
        counts.iter().map(|&count| count as f64 / decided.max(1) as f64).collect()
    }

    /// Priors of the classes that can win somewhere, made to sum to 1; 0 for the others.
    fn shares(&self, priors: &[f64]) -> Vec<f64> {
        let mut can_win = vec![false; self.classes];
        for row in self.gains.chunks_exact(self.classes) {
            for (can_win, gain) in can_win.iter_mut().zip(row) {
                *can_win |= gain.is_finite();
            }
        }
        let kept =
            || priors.iter().zip(&can_win).map(|(&p, &can_win)| if can_win { p } else { 0.0 });
        let sum: f64 = kept().sum();
        kept().map(|prior| if sum > 0.0 { prior / sum } else { 0.0 }).collect()
    }
}

/// An assignment and what it was made from.
pub(super) struct Settled {
    pub(super) volumes: Volumes,
    gains: Vec<f32>,
}

impl Settled {
    /// The weighted scores, 0 where a class cannot win: `[nodes, classes]`.
    pub(super) fn products(&self) -> Vec<f64> {
        let weights = &self.volumes.weights;
        let product =
            |(at, gain): (usize, &f32)| f64::from(gain.exp()) * weights[at % weights.len()];
        self.gains.par_iter().enumerate().map(product).collect()
    }
}

/// The shares nearest to those `preferred` that differ from the priors by at most `slack` of these.
/// What is cut off goes to the classes that have room, in proportion to it.
fn within(priors: &[f64], slack: f64, preferred: &[f64]) -> Vec<f64> {
    let bounds = |prior: &f64| ((1.0 - slack) * prior, (1.0 + slack) * prior);
    let cut = |(share, prior): (&f64, &f64)| share.clamp(bounds(prior).0, bounds(prior).1);
    let mut shares: Vec<f64> = preferred.iter().zip(priors).map(cut).collect();
    let missing = 1.0 - shares.iter().sum::<f64>();
    let room = |(share, prior): (&f64, &f64)| {
        if missing > 0.0 { bounds(prior).1 - share } else { share - bounds(prior).0 }
    };
    let rooms: Vec<f64> = shares.iter().zip(priors).map(room).collect();
    let all: f64 = rooms.iter().sum();
    for (share, room) in shares.iter_mut().zip(rooms).filter(|_| all > 0.0) {
        *share += missing * room / all;
    }
    shares
}

/// Shares of a whole as whole numbers: the largest remainders are rounded up.
fn whole(shares: &[f64], total: usize) -> Vec<usize> {
    let exact: Vec<f64> = shares.iter().map(|share| share * total as f64).collect();
    let mut counts: Vec<usize> =
        exact.iter().map(|exact| (exact + 1e-9).floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let remainder = |class: usize| exact[class] - exact[class].floor();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    let missing = total.saturating_sub(counts.iter().sum());
    let possible = order.into_iter().filter(|&class| shares[class] > 0.0);
    for class in possible.take(missing) {
        counts[class] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stay_within_the_slack_and_add_up() {
        let priors = [0.25; 4];
        let near = |found: &[f64], wanted: &[f64]| {
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
            }
        };
        let preferred = [0.26, 0.24, 0.27, 0.23];
        near(&within(&priors, 0.1, &preferred), &preferred);
        // too much is wanted of the first: it is cut, and the others share the rest
        let found = within(&priors, 0.1, &[0.4, 0.25, 0.2, 0.15]);
        assert!(
            (found[0] - 0.275).abs() < 1e-12 && (found.iter().sum::<f64>() - 1.0).abs() < 1e-12
        );
        assert!(found.iter().all(|share| (0.225..=0.275).contains(share)), "{found:?}");
        near(&within(&[0.0, 1.0], 0.5, &[0.0, 1.0]), &[0.0, 1.0]);
    }

    #[test]
    fn shares_become_whole_numbers_that_add_up() {
        assert_eq!(whole(&[0.5, 0.25, 0.25], 10), [5, 3, 2]);
        assert_eq!(whole(&[1.0 / 3.0; 3], 10), [4, 3, 3]);
        assert_eq!(whole(&[0.1; 10], 600), [60; 10]);
        assert_eq!(whole(&[0.0, 1.0], 7), [0, 7]);
        assert_eq!(whole(&[0.0, 0.0], 0), [0, 0]);
    }
}
