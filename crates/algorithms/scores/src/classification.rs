//! Accuracy, precision, recall and F1.

use scarce_numeric::{
    Error,
    error::{check_labels, check_length},
};

/// Share of predictions that equal the truth, both `[n]`.
///
/// # Errors
/// [`Error::Length`] if the lengths differ; [`Error::TooFew`] without rows.
pub fn accuracy(truth: &[u32], predicted: &[u32]) -> Result<f64, Error> {
    check_length("predictions", truth.len(), predicted.len())?;
    check_some(truth)?;
    let right = truth.iter().zip(predicted).filter(|(t, p)| t == p).count();
    Ok(right as f64 / truth.len() as f64)
}

pub(super) fn check_some(labels: &[u32]) -> Result<(), Error> {
    if labels.is_empty() {
        return Err(Error::TooFew { what: "row to score", wanted: 1, available: 0 });
    }
    Ok(())
}

/// How often each class was predicted for each true class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// Scores of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Share of the rows predicted to be of this class that are; 0 if none was.
    pub precision: f64,
    /// Share of the rows of this class that were predicted to be; 0 if there is none.
    pub recall: f64,
    /// 2 · precision · recall / (precision + recall), 0 where both are.
    pub f1: f64,
    /// Rows that are of this class.
    pub support: u64,
}

impl Confusion {
    /// Counts `truth` against `predicted`, both `[n]` with entries below `classes`.
    ///
    /// # Errors
    /// [`Error::Length`] if the lengths differ, [`Error::Label`], [`Error::TooFew`] without rows.
    pub fn new(truth: &[u32], predicted: &[u32], classes: usize) -> Result<Self, Error> {
        check_length("predictions", truth.len(), predicted.len())?;
        check_some(truth)?;
        check_labels(truth, classes)?;
        check_labels(predicted, classes)?;
        let mut counts = vec![0; classes * classes];
        for (&t, &p) in truth.iter().zip(predicted) {
            counts[t as usize * classes + p as usize] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Counts, `[classes, classes]`: one row per true class, one column per predicted class.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Rows of class `truth` that were predicted to be of class `predicted`.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes..][..self.classes][predicted]
    }

    fn support(&self, class: usize) -> u64 {
        (0..self.classes).map(|p| self.count(class, p)).sum()
    }

    fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|t| self.count(t, class)).sum()
    }

    /// Share of all rows on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|c| self.count(c, c)).sum();
        ratio(right, self.counts.iter().sum())
    }

    /// Precision, recall and F1 of every class, `[classes]`.
    pub fn per_class(&self) -> Vec<ClassScores> {
        (0..self.classes)
            .map(|class| {
                let right = self.count(class, class);
                let (support, predicted) = (self.support(class), self.predicted(class));
                ClassScores {
                    precision: ratio(right, predicted),
                    recall: ratio(right, support),
                    f1: ratio(2 * right, support + predicted),
                    support,
                }
            })
            .collect()
    }

    /// Mean F1 of the classes that occur in truth or prediction, all counting the same.
    pub fn macro_f1(&self) -> f64 {
        let scores = self.per_class();
        let occurring: Vec<f64> = (0..self.classes)
            .filter(|&class| self.support(class) + self.predicted(class) > 0)
            .map(|class| scores[class].f1)
            .collect();
        occurring.iter().sum::<f64>() / occurring.len() as f64
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scarce_testing::{assert_near, scores};

    #[test]
    fn agree_with_scikit_learn() {
        let known = scores();
        let confusion = Confusion::new(&known.truth, &known.predicted, known.classes).unwrap();
        assert_eq!(confusion.counts(), known.confusion);
        assert_near(confusion.accuracy(), known.accuracy);
        assert_near(accuracy(&known.truth, &known.predicted).unwrap(), known.accuracy);
        assert_near(confusion.macro_f1(), known.macro_f1);
        for (class, scores) in confusion.per_class().iter().enumerate() {
            assert_near(scores.precision, known.precision[class]);
            assert_near(scores.recall, known.recall[class]);
            assert_near(scores.f1, known.f1[class]);
            assert_eq!(scores.support, known.support[class]);
        }
    }

    #[test]
    fn absent_classes_count_nothing() {
        let confusion = Confusion::new(&[0, 1], &[0, 1], 5).unwrap();
        assert_eq!(confusion.macro_f1(), 1.0);
        assert_eq!(confusion.per_class()[4].f1, 0.0);
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(accuracy(&[], &[]).is_err());
        assert!(accuracy(&[1], &[]).is_err());
        assert!(Confusion::new(&[0], &[3], 3).is_err());
    }
}
