//! Confusion matrices, summed over the runs of each method.

use indexmap::IndexMap;
use scarce_scores::Confusion;

use crate::{rows::Setting, score::Scope};

/// Sum of the confusion matrices of a method's runs.
#[derive(Debug, Clone)]
pub(crate) struct MeanConfusion {
    pub method: usize,
    pub split: &'static str,
    pub setting: Setting,
    pub runs: usize,
    /// `[classes, classes]`: true class by predicted class, summed over the runs.
    pub sums: Vec<u64>,
    /// What the columns are.
    pub columns: Columns,
}

/// What the columns of a confusion matrix are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    Predicted,
    Propagated,
    /// Clusters, each named after its most frequent class.
    Named,
}

/// The matrices of all methods, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Confusions {
    all: IndexMap<(usize, Setting, &'static str), MeanConfusion>,
}

impl Confusions {
    /// Adds the matrix of a run; whether it was taken. A method that predicts and propagates has
    /// one matrix, of its predictions.
    pub(crate) fn add(&mut self, scope: &Scope, confusion: &Confusion, columns: Columns) -> bool {
        let key = (scope.method, scope.setting, scope.split);
        let mean = self.all.entry(key).or_insert_with(|| MeanConfusion {
            method: scope.method,
            split: scope.split,
            setting: scope.setting,
            runs: 0,
            sums: vec![0; confusion.counts().len()],
            columns,
        });
        if mean.columns != columns {
            return false;
        }
        mean.runs += 1;
        for (sum, count) in mean.sums.iter_mut().zip(confusion.counts()) {
            *sum += count;
        }
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &MeanConfusion> {
        self.all.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
