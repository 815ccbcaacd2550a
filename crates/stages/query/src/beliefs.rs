//! What is believed of the images, and how unsure that is.

use std::path::{Path, PathBuf};

use scarce_artifact::{Distributions, Predictions, Split, Vectors};
use scarce_scores as scores;
use scarce_stage::{Context, Failure};

use crate::{Error, Strategy};

/// Probabilities of every image, from a propagation or a classifier.
pub(crate) struct Beliefs {
    pub(crate) path: PathBuf,
    pub(crate) id: Vec<u32>,
    /// Known to a classifier, not to a propagation.
    pub(crate) split: Option<Vec<Split>>,
    /// `[n, classes]`.
    probabilities: Vectors<f32>,
    /// Whether anything is believed at all.
    informed: Vec<bool>,
}

impl Beliefs {
    /// From whichever of the inputs `distributions` and `predictions` is wired; none is an error
    /// where they are needed, both always are.
    pub(crate) fn read(context: &Context, strategy: Strategy) -> Result<Option<Self>, Failure> {
        let distributions = context.optional::<Distributions>("distributions")?;
        let predictions = context.optional::<Predictions>("predictions")?;
        let beliefs = match (distributions, predictions) {
            (Some(_), Some(_)) => {
                let message = "`distributions` and `predictions` are both wired";
                return Err(Error::request(message, "ask by one of the two").into());
            }
            (None, None) if strategy.needs_beliefs() => {
                let name = strategy.name();
                let message =
                    format!("`strategy = \"{name}\"`, but nothing says how sure anybody is");
                let help = "wire `distributions` or `predictions`; in a first round they must come \
                            from a stage before this one. `random` and `in-order` need neither";
                return Err(Error::request(message, help).into());
            }
            (None, None) => return Ok(None),
            (Some(table), None) => {
                let rows = table.read()?;
                let (path, split) = (table.path().to_owned(), None);
                let (id, probabilities, informed) = (rows.id, rows.probabilities, rows.reached);
                Self { path, id, split, probabilities, informed }
            }
            (None, Some(table)) => {
                let rows = table.read()?;
                let (path, split) = (table.path().to_owned(), Some(rows.split));
                let informed = vec![true; rows.id.len()];
                Self { path, id: rows.id, split, probabilities: rows.probabilities, informed }
            }
        };
        Ok(Some(beliefs))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How much a label of each row is wanted; of those of whom nothing is believed, as much as can
    /// be.
    pub(crate) fn doubts(&self, strategy: Strategy) -> Vec<f32> {
        let classes = self.probabilities.width;
        let (values, n) = (&self.probabilities.values, classes as f32);
        let (doubts, most): (Vec<f32>, f32) = match strategy {
            Strategy::Entropy => (scores::entropy(values, classes), n.ln()),
            Strategy::Margin => {
                let margins = scores::margin(values, classes).into_iter();
                (margins.map(|margin| 1.0 - margin).collect(), 1.0)
            }
            Strategy::LeastConfidence => {
                let largest = |row: &[f32]| row.iter().copied().fold(0.0, f32::max);
                let rows = values.chunks_exact(classes.max(1));
                (rows.map(|row| 1.0 - largest(row)).collect(), 1.0 - 1.0 / n)
            }
            Strategy::Random | Strategy::InOrder => (vec![0.0; self.id.len()], 0.0),
        };
        let rows = doubts.into_iter().zip(&self.informed);
        // Rounding must not put anybody above those of whom nothing is known.
        rows.map(|(doubt, informed)| if *informed { doubt.min(most) } else { most }).collect()
    }

    /// Whether anything is believed of a row.
    pub(crate) fn is_informed(&self, row: usize) -> bool {
        self.informed[row]
    }
}
