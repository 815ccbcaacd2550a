//! Self-training: a classifier that learns from its own confident predictions.
//!
//! D. Yarowsky, "Unsupervised word sense disambiguation rivaling supervised methods", ACL 1995. The
//! rounds, the criteria and the endings are those of scikit-learn's `SelfTrainingClassifier`.

use scarce_linear::Logistic;
use scarce_neighbours::{
    Metric,
    neighbours::nearest_neighbours,
    vote::{Weighting, vote},
};
use scarce_numeric::{Error, Matrix, error::check_labels, winners};

/// The classifier that is fitted in every round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Base {
    /// Logistic regression.
    Logistic(Logistic),
    /// The votes of the `k` nearest labelled rows.
    Nearest {
        /// How many vote.
        k: usize,
        /// What near means.
        metric: Metric,
        /// How much a vote counts.
        weighting: Weighting,
    },
}

/// Which predictions become labels in a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    /// Those whose probability is above this.
    Threshold(f32),
    /// So many of the highest probability; of equals the first rows.
    KBest(usize),
}

/// What self-training shall do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfTraining {
    /// The classifier.
    pub base: Base,
    /// Which predictions become labels.
    pub criterion: Criterion,
    /// Most rounds; `None` goes on until nothing changes.
    pub max_rounds: Option<usize>,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every row has a label.
    AllLabelled,
    /// No prediction met the criterion.
    NothingNew,
    /// The rounds were used up.
    RoundLimit,
}

/// One round, as told to an observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Which round, from 1.
    pub round: usize,
    /// Rows that got a label in it.
    pub added: usize,
    /// Rows still without one.
    pub left: usize,
}

/// What a row learnt in which round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learnt {
    /// The class.
    pub label: u32,
    /// The round, from 1.
    pub round: usize,
    /// The probability that the class had then.
    pub confidence: f32,
}

/// What [`SelfTraining::run`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfTrained {
    /// What each row learnt; `None` for rows given a label, and those that never got one: `[n]`.
    pub learnt: Vec<Option<Learnt>>,
    /// Probabilities by the classifier fitted last, to all labels: `[n, classes]`.
    pub probabilities: Vec<f32>,
    /// Rounds done.
    pub rounds: usize,
    /// Why it ended.
    pub ending: Ending,
}

impl SelfTraining {
    /// Learns the labels of the rows of `x: [n, d]` from those `given`, pairs of a row and its class
    /// by ascending row. A row may be given several times; each is learnt from. Calls `observe` after
    /// every round.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a row that there is not, rows not in order, a threshold outside 0 to
    /// 1 or a number of best of 0; [`Error::Label`]; whatever fitting meets.
    pub fn run(
        &self,
        x: Matrix<'_>,
        given: &[(usize, u32)],
        classes: usize,
        observe: &mut dyn FnMut(Round),
    ) -> Result<SelfTrained, Error> {
        self.check(x, given, classes)?;
        let mut state = State { x, given, classes, learnt: vec![None; x.rows()] };
        let mut rounds = 0;
        let ending = loop {
            let open = state.open();
            if open.is_empty() {
                break Ending::AllLabelled;
            }
            if self.max_rounds.is_some_and(|most| rounds >= most) {
                break Ending::RoundLimit;
            }
            rounds += 1;
            let probabilities = state.fit_and_predict(self.base, &open)?;
            let added = state.learn(&open, &probabilities, self.criterion, rounds);
            observe(Round { round: rounds, added, left: open.len() - added });
            if added == 0 {
                break Ending::NothingNew;
            }
        };
        let all: Vec<usize> = (0..x.rows()).collect();
        let probabilities = state.fit_and_predict(self.base, &all)?;
        Ok(SelfTrained { learnt: state.learnt, probabilities, rounds, ending })
    }

    fn check(&self, x: Matrix<'_>, given: &[(usize, u32)], classes: usize) -> Result<(), Error> {
        let wrong = |name, must, value: String| Err(Error::Parameter { name, must, value });
        let labels: Vec<u32> = given.iter().map(|(_, label)| *label).collect();
        check_labels(&labels, classes)?;
        match given.last() {
            Some((row, _)) if *row >= x.rows() => {
                return wrong("given", "of rows that there are", row.to_string());
            }
            _ if !given.is_sorted_by_key(|(row, _)| *row) => {
                return wrong("given", "by ascending row", "out of order".to_owned());
            }
            _ => {}
        }
        match self.criterion {
            Criterion::Threshold(least) if !(0.0..=1.0).contains(&least) => {
                wrong("threshold", "from 0 to 1", least.to_string())
            }
            Criterion::KBest(0) => wrong("k_best", "at least 1", "0".to_owned()),
            _ => Ok(()),
        }
    }
}

/// Where self-training stands.
struct State<'a> {
    x: Matrix<'a>,
    given: &'a [(usize, u32)],
    classes: usize,
    learnt: Vec<Option<Learnt>>,
}

impl State<'_> {
    /// The rows without a label.
    fn open(&self) -> Vec<usize> {
        let mut open: Vec<bool> = self.learnt.iter().map(Option::is_none).collect();
        for &(row, _) in self.given {
            open[row] = false;
        }
        (0..open.len()).filter(|&row| open[row]).collect()
    }

    /// Fits to all labels there are and predicts some rows: `[rows, classes]`.
    fn fit_and_predict(&self, base: Base, rows: &[usize]) -> Result<Vec<f32>, Error> {
        let learnt = self.learnt.iter().enumerate();
        let learnt = learnt.filter_map(|(row, learnt)| learnt.map(|learnt| (row, learnt.label)));
        let mut labelled: Vec<(usize, u32)> = self.given.iter().copied().chain(learnt).collect();
        // Stable: labels given to one row stay in their order.
        labelled.sort_by_key(|(row, _)| *row);
        let (from, labels): (Vec<usize>, Vec<u32>) = labelled.into_iter().unzip();
        let (known, wanted) = (self.take(&from), self.take(rows));
        let known = Matrix::new(&known, from.len(), self.x.cols())?;
        let wanted = Matrix::new(&wanted, rows.len(), self.x.cols())?;
        match base {
            Base::Logistic(problem) => {
                problem.fit(known, &labels, self.classes, None)?.predict_proba(wanted)
            }
            Base::Nearest { k, metric, weighting } => {
                let near = nearest_neighbours(wanted, known, k, metric)?;
                vote(&near, &labels, self.classes, weighting)
            }
        }
    }

    fn take(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|&row| self.x.row(row)).copied().collect()
    }

    /// Takes over the predictions for the rows of `open` that meet the criterion; returns how many.
    fn learn(
        &mut self,
        open: &[usize],
        probabilities: &[f32],
        criterion: Criterion,
        round: usize,
    ) -> usize {
        let labels = winners(probabilities, self.classes);
        let rows = probabilities.chunks_exact(self.classes).zip(labels);
        let found: Vec<Learnt> = rows
            .map(|(row, label)| Learnt { label, round, confidence: row[label as usize] })
            .collect();
        let mut chosen: Vec<usize> = (0..open.len()).collect();
        match criterion {
            Criterion::Threshold(least) => chosen.retain(|&at| found[at].confidence > least),
            Criterion::KBest(count) => {
                chosen.sort_by(|&a, &b| found[b].confidence.total_cmp(&found[a].confidence));
                chosen.truncate(count);
            }
        }
        for &at in &chosen {
            self.learnt[open[at]] = Some(found[at]);
        }
        chosen.len()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use scarce_testing::{self as fixtures, same_on_any_threads};

    #[derive(Deserialize)]
    struct Known {
        rows: usize,
        given: Vec<usize>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        base: String,
        criterion: String,
        threshold: f32,
        k_best: usize,
        max_rounds: Option<usize>,
        rounds: usize,
        ending: String,
        /// −1 where there is none.
        labels: Vec<i32>,
        /// 0 for given labels, −1 for none.
        labelled_in: Vec<i32>,
        first_probabilities: Vec<f32>,
    }

    impl Case {
        fn wanted(&self) -> SelfTraining {
            let base = match self.base.as_str() {
                "logistic" => Base::Logistic(Logistic { tolerance: 1e-7, ..Logistic::default() }),
                _ => {
                    Base::Nearest { k: 5, metric: Metric::Euclidean, weighting: Weighting::Uniform }
                }
            };
            let criterion = match self.criterion.as_str() {
                "threshold" => Criterion::Threshold(self.threshold),
                _ => Criterion::KBest(self.k_best),
            };
            SelfTraining { base, criterion, max_rounds: self.max_rounds }
        }

        fn ending(&self) -> Ending {
            match self.ending.as_str() {
                "all_labeled" => Ending::AllLabelled,
                "no_change" => Ending::NothingNew,
                _ => Ending::RoundLimit,
            }
        }
    }

    #[test]
    fn agrees_with_scikit_learn_on_digits() {
        let known: Known = fixtures::read("self_training");
        let digits = fixtures::digits();
        let pixels = digits.matrix().block(0..known.rows);
        let scaled: Vec<f32> = pixels.data().iter().map(|pixel| pixel / 16.0).collect();
        let x = Matrix::new(&scaled, known.rows, pixels.cols()).unwrap();
        let given: Vec<_> = known.given.iter().map(|&row| (row, digits.labels[row])).collect();
        for case in known.cases {
            let name = format!("{}, {}", case.base, case.criterion);
            let run = || case.wanted().run(x, &given, 10, &mut |_| {}).unwrap();
            let found = same_on_any_threads(run);
            assert_eq!((found.rounds, found.ending), (case.rounds, case.ending()), "{name}");
            for (row, learnt) in found.learnt.iter().enumerate() {
                let round = learnt.map_or(-1, |learnt| learnt.round as i32);
                let label = learnt.map_or(-1, |learnt| learnt.label as i32);
                if case.labelled_in[row] == 0 {
                    assert_eq!(round, -1, "{name}: row {row} was given a label");
                } else {
                    let expected = (case.labelled_in[row], case.labels[row]);
                    assert_eq!((round, label), expected, "{name}, row {row}");
                }
            }
            let first = &found.probabilities[..case.first_probabilities.len()];
            fixtures::assert_close(first, &case.first_probabilities, 1e-4);
        }
    }

    const NEAREST: Base =
        Base::Nearest { k: 1, metric: Metric::Euclidean, weighting: Weighting::Uniform };

    #[test]
    fn a_row_may_be_given_several_labels() {
        let x = Matrix::new(&[0.0, 0.1, 5.0], 3, 1).unwrap();
        let base = Base::Nearest { k: 3, metric: Metric::Euclidean, weighting: Weighting::Uniform };
        let wanted =
            SelfTraining { base, criterion: Criterion::Threshold(0.6), max_rounds: Some(1) };
        let mut told = Vec::new();
        let given = [(0, 1), (0, 1), (2, 0)];
        let found = wanted.run(x, &given, 2, &mut |round| told.push(round)).unwrap();
        let learnt = found.learnt[1].unwrap();
        assert_eq!((learnt.label, learnt.round), (1, 1));
        assert!((learnt.confidence - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(told, [Round { round: 1, added: 1, left: 0 }]);
    }

    #[test]
    fn of_equally_good_predictions_the_first_rows_are_taken() {
        let x = Matrix::new(&[0.0, 1.0, 2.0, 3.0], 4, 1).unwrap();
        let wanted =
            SelfTraining { base: NEAREST, criterion: Criterion::KBest(2), max_rounds: None };
        let found = wanted.run(x, &[(3, 0)], 1, &mut |_| {}).unwrap();
        let rounds: Vec<_> = found.learnt.iter().map(|l| l.map(|l| l.round)).collect();
        assert_eq!(rounds, [Some(1), Some(1), Some(2), None]);
        assert_eq!(found.ending, Ending::AllLabelled);
    }

    #[test]
    fn impossible_requests_are_errors() {
        let x = Matrix::new(&[0.0, 1.0], 2, 1).unwrap();
        let run = |criterion, given: &[(usize, u32)]| {
            let wanted = SelfTraining { base: NEAREST, criterion, max_rounds: None };
            wanted.run(x, given, 2, &mut |_| {}).unwrap_err()
        };
        let half = Criterion::Threshold(0.5);
        assert!(matches!(run(half, &[(2, 0)]), Error::Parameter { name: "given", .. }));
        assert!(matches!(run(half, &[(1, 0), (0, 1)]), Error::Parameter { name: "given", .. }));
        assert!(matches!(run(half, &[(0, 2)]), Error::Label { label: 2, .. }));
        assert!(matches!(run(half, &[]), Error::TooFew { .. }));
        let failure = run(Criterion::Threshold(1.5), &[(0, 0)]);
        assert!(matches!(failure, Error::Parameter { name: "threshold", .. }));
        let failure = run(Criterion::KBest(0), &[(0, 0)]);
        assert!(matches!(failure, Error::Parameter { name: "k_best", .. }));
    }

    /// Threes and eights among the digits, and what scikit-learn taught itself of them.
    #[derive(Deserialize)]
    struct TwoClasses {
        rows: Vec<usize>,
        given: Vec<usize>,
        /// The round in which a row got its label, 0 if it was given, −1 for none.
        taught_in: Vec<i32>,
        taught: Vec<f32>,
    }

    #[test]
    fn self_training_on_two_classes_is_scikit_learns() {
        let known: TwoClasses = fixtures::read("logistic_two");
        let digits = fixtures::digits();
        let pixels: Vec<f32> = digits.matrix().data().iter().map(|p| p / 16.0).collect();
        let rows = known.rows.iter();
        let labels: Vec<u32> = rows.clone().map(|&row| digits.labels[row]).collect();
        let pixels: Vec<f32> = rows.flat_map(|row| &pixels[row * 64..][..64]).copied().collect();
        let x = Matrix::new(&pixels, labels.len(), 64).unwrap();
        let two: Vec<u32> = labels.iter().map(|&label| u32::from(label == 8)).collect();
        let given: Vec<(usize, u32)> = known.given.iter().map(|&row| (row, two[row])).collect();
        let wanted = SelfTraining {
            base: Base::Logistic(Logistic { tolerance: 1e-7, ..Logistic::default() }),
            criterion: Criterion::Threshold(0.8),
            max_rounds: Some(3),
        };
        let found = wanted.run(x, &given, 2, &mut |_| {}).unwrap();
        let rounds: Vec<i32> = found
            .learnt
            .iter()
            .enumerate()
            .map(|(row, learnt)| match learnt {
                _ if known.given.contains(&row) => 0,
                Some(learnt) => learnt.round as i32,
                None => -1,
            })
            .collect();
        assert_eq!(rounds, known.taught_in);
        let eight: Vec<f32> = found.probabilities.chunks_exact(2).map(|row| row[1]).collect();
        fixtures::assert_close(&eight, &known.taught, 2e-4);
    }
}
