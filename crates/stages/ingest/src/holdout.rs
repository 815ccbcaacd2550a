//! The kind `holdout`: some given labels kept back, to see how well the rest predicts them.

use std::collections::BTreeMap;

use scarce_artifact::{LabelSource, Labels};
use scarce_numeric::random;
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which labels are kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Fold {
    /// Those of this fold, counted from 0.
    Number(u32),
    /// None: the run that predicts in earnest.
    All(All),
}

/// The word `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum All {
    /// Every label is used.
    All,
}

/// Parameters of `holdout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The fold to hold out, from 0 to `folds` - 1, or `"all"` to hold out nothing. Make it an axis:
    /// `fold = ["all", 0, 1, 2, 3, 4]`.
    pub fold: Fold,
    /// Number of folds, at least 2.
    #[schemars(range(min = 2))]
    pub folds: u32,
    /// Seed of the division; the same for all folds.
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { fold: Fold::All(All::All), folds: 5, seed: 0 }
    }
}

/// The kind `holdout`.
pub(crate) struct Holdout;

impl Stage for Holdout {
    type Params = Params;

    fn describe() -> Description {
        Description::new("holdout", "Hold out a fold of the given labels, for cross-validation")
            .needs(Needs::light())
            .learns(Learns::nothing())
            .doc(
                "Divides the labels into folds, class by class (stratified), and holds one out. \
                 Whatever is below, propagation included, learns from `labels` only and can be \
                 scored on `held_out`: an estimate of the accuracy where there is no truth. Every \
                 label is held out in exactly one fold, but for the only label of a class, which \
                 is never held out; a class with fewer labels than folds is missing from some \
                 folds' `held_out`.",
            )
            .input(Port::table::<Labels>("labels", "Given labels"))
            .output(Port::table::<Labels>("labels", "The labels to learn from"))
            .output(Port::table::<Labels>("held_out", "The labels to score; empty for `all`"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        params.check()?;
        let table = context.input::<Labels>("labels")?;
        let labels = table.read()?;
        if let Some(at) = labels.source.iter().position(|&s| s == LabelSource::Propagated) {
            let message = format!("the label of id {} is propagated", labels.id[at]);
            let help = "hold out given labels, before anything is propagated from them";
            return Err(Error::request(message, help).into());
        }
        let folds = folds(&labels, params.folds, params.seed);
        let held_out = |row: usize| match params.fold {
            Fold::All(_) => false,
            Fold::Number(fold) => folds[row] == Some(fold),
        };
        let (out, kept): (Vec<usize>, Vec<usize>) =
            (0..labels.id.len()).partition(|&row| held_out(row));
        if matches!(params.fold, Fold::Number(_)) && out.is_empty() {
            tracing::warn!(
                "this fold holds out nothing: every class has a single label, or there are fewer labels than folds"
            );
        }
        context.write("held_out", table.meta().clone(), select(&labels, &out))?;
        context.write("labels", table.meta().clone(), select(&labels, &kept))
    }
}

impl Params {
    fn check(&self) -> Result<()> {
        if self.folds < 2 {
            let message = format!("`folds` is {}", self.folds);
            return Err(Error::request(message, "divide into at least 2 folds"));
        }
        match self.fold {
            Fold::Number(fold) if fold >= self.folds => {
                let message = format!("`fold = {fold}` of {} folds", self.folds);
                Err(Error::request(message, "folds count from 0"))
            }
            _ => Ok(()),
        }
    }
}

/// The fold of each row; `None` for the only label of a class. Classes are dealt out one after the
/// other, each where the last one stopped, so that the folds are of nearly one size.
fn folds(labels: &Labels, folds: u32, seed: u64) -> Vec<Option<u32>> {
    let mut by_class: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (row, &class) in labels.label.iter().enumerate() {
        by_class.entry(class).or_default().push(row);
    }
    let mut fold_of = vec![None; labels.id.len()];
    let mut next = 0;
    for (class, mut rows) in by_class {
        if rows.len() == 1 {
            continue;
        }
        // By id: the order of the table says nothing.
        rows.sort_unstable_by_key(|&row| labels.id[row]);
        random::shuffle(&mut rows, &mut random::stream(seed, "holdout", class as u64));
        for row in rows {
            fold_of[row] = Some(next);
            next = (next + 1) % folds;
        }
    }
    fold_of
}

fn select(labels: &Labels, rows: &[usize]) -> Labels {
    Labels {
        id: rows.iter().map(|&row| labels.id[row]).collect(),
        label: rows.iter().map(|&row| labels.label[row]).collect(),
        source: rows.iter().map(|&row| labels.source[row]).collect(),
        confidence: rows.iter().map(|&row| labels.confidence[row]).collect(),
    }
}

#[cfg(test)]
mod tests;
