//! How sure a method should be: measured on labels that are held back.

use scarce_graph_learning::Seeds;
use scarce_numeric::random;

use crate::{
    Error,
    belief::{Logits, softmax},
    method::Fit,
};

/// Labels are held back in so many turns.
const FOLDS: usize = 5;
/// Each class that has labels must have so many.
const LEAST_PER_CLASS: usize = 5;
/// There must be so many labels in all.
const LEAST_LABELS: usize = 50;
/// Logarithms of the lowest and the highest temperature.
const RANGE: (f64, f64) = (-4.0, 4.0);
/// Halvings of the range, roughly: by golden section each step leaves 0.618 of it.
const SECTIONS: usize = 40;
/// Probabilities below this count as this.
const LEAST_PROBABILITY: f64 = 1e-6;

/// What held-back labels say of a method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// Logits are divided by this (Guo and others, *On calibration of modern neural networks*, ICML
    /// 2017).
    pub(crate) temperature: f64,
    /// Held-back labels of each class, and how many of them came out wrong.
    pub(crate) wrong: Vec<(usize, usize)>,
}

/// Whether there are enough labels, given those of each class.
pub(crate) fn possible(counts: &[usize]) -> bool {
    let enough = |count: &usize| *count == 0 || *count >= LEAST_PER_CLASS;
    counts.iter().all(enough) && counts.iter().sum::<usize>() >= LEAST_LABELS
}

/// Holds each label back once, and finds the temperature under which those held back are likeliest;
/// `fit` learns from the labels that it is given.
pub(crate) fn calibrate(
    seeds: &Seeds,
    fit: impl Fn(&Seeds) -> Result<Fit, Error>,
) -> Result<Calibration, Error> {
    let classes = seeds.classes();
    let fold = folds(seeds);
    let (mut held, mut wrong) = (Vec::with_capacity(seeds.len()), vec![(0, 0); classes]);
    for turn in 0..FOLDS {
        let (mut back, mut kept) = (Vec::new(), Vec::new());
        for ((node, class), fold) in seeds.iter().zip(&fold) {
            let to = if *fold == turn { &mut back } else { &mut kept };
            to.push((node, class as u32));
        }
        let fit = fit(&Seeds::new(&kept, classes)?)?;
        let logits = Logits::of(&fit);
        for (node, class) in back {
            let (node, class) = (node as usize, class as usize);
            wrong[class].0 += 1;
            wrong[class].1 += usize::from(fit.labels[node] != Some(class as u32));
            held.push((logits.of_node(node).to_vec(), class));
        }
    }
    Ok(Calibration { temperature: likeliest(&held), wrong })
}

/// The fold of each seed: every class is spread over all of them.
fn folds(seeds: &Seeds) -> Vec<usize> {
    let mut of_class = vec![Vec::new(); seeds.classes()];
    for (seed, (_, class)) in seeds.iter().enumerate() {
        of_class[class].push(seed);
    }
    let mut fold = vec![0; seeds.len()];
    for (class, members) in of_class.iter_mut().enumerate() {
        random::shuffle(members, &mut random::stream(0, "graph calibration", class as u64));
        for (turn, &seed) in members.iter().enumerate() {
            fold[seed] = turn % FOLDS;
        }
    }
    fold
}

/// The temperature with the smallest mean −ln p of the true classes, by golden section (Kiefer,
/// *Sequential minimax search for a maximum*, 1953).
fn likeliest(held: &[(Vec<f64>, usize)]) -> f64 {
    let loss = |log: f64| -> f64 {
        let chance = |(logits, class): &(Vec<f64>, usize)| softmax(logits, log.exp())[*class];
        held.iter().map(|held| -chance(held).max(LEAST_PROBABILITY).ln()).sum()
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = RANGE;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..SECTIONS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = loss(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = loss(right);
        }
    }
    f64::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_is_that_of_the_odds() {
        // Three in four are right where the logits differ by 2: odds of 3 need ln 3 = 2/T.
        let held: Vec<(Vec<f64>, usize)> =
            (0..400).map(|i| (vec![2.0, 0.0], usize::from(i % 4 == 0))).collect();
        assert!((likeliest(&held) - 2.0 / 3f64.ln()).abs() < 1e-4);
    }

    #[test]
    fn every_class_is_in_every_fold() {
        let pairs: Vec<(u32, u32)> = (0..60).map(|node| (node, u32::from(node >= 40))).collect();
        let seeds = Seeds::new(&pairs, 2).unwrap();
        let fold = folds(&seeds);
        for class in [0, 1] {
            for turn in 0..FOLDS {
                let members = seeds.iter().zip(&fold);
                let count = members.filter(|((_, c), f)| *c == class && **f == turn).count();
                assert_eq!(count, [8, 4][class]);
            }
        }
    }

    #[test]
    fn few_labels_are_not_enough() {
        assert!(possible(&[25, 0, 25]));
        assert!(!possible(&[25, 24]));
        assert!(!possible(&[60, 4]));
    }
}
