//! Which rows are learnt from, and which only measure how well.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Stream};

/// When to stop early: after `patience` epochs in a row without a better validation loss. The
/// weights of the best epoch are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct EarlyStopping {
    /// Epochs in a row without improvement after which training stops.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Share of the training images that is set aside to measure the validation loss.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub validation: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, validation: 0.05 }
    }
}

/// Row numbers to train on and to validate on, each ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows to learn from.
    pub train: Vec<i64>,
    /// The rows whose loss is measured after each epoch; may be none.
    pub validation: Vec<i64>,
}

impl Rows {
    /// Learns from all of `0..rows`.
    pub fn all(rows: usize) -> Self {
        Self::held_out(rows, 0)
    }

    /// Learns from `0..train`, validates on the `validation` rows that follow.
    pub fn held_out(train: usize, validation: usize) -> Self {
        let (train, all) = (train as i64, (train + validation) as i64);
        Self { train: (0..train).collect(), validation: (train..all).collect() }
    }

    /// Sets a share of `0..rows` aside for validation: at least one row, at random.
    ///
    /// # Errors
    /// When none would be left.
    pub fn set_aside(rows: usize, share: f64, seed: u64) -> Result<Self, Error> {
        let mut order: Vec<i64> = (0..rows as i64).collect();
        Stream::new(seed, "validation split").shuffle(&mut order);
        let aside = how_many(rows, share);
        if aside >= rows {
            let why = format!(": {aside} would be set aside for validation");
            return Err(Error::TooFew { rows, why });
        }
        let train = order.split_off(aside);
        Ok(Self::sorted(train, order))
    }

    /// Sets a share of the rows with these labels aside for validation: at least one row, from
    /// every label in proportion, at random, and never the last row of a label.
    ///
    /// # Errors
    /// When the labels have too few rows each.
    pub fn set_aside_stratified(labels: &[u32], share: f64, seed: u64) -> Result<Self, Error> {
        let rows = labels.len();
        let mut order: Vec<i64> = (0..rows as i64).collect();
        Stream::new(seed, "validation split").shuffle(&mut order);
        let mut totals: BTreeMap<u32, usize> = BTreeMap::new();
        for &label in labels {
            *totals.entry(label).or_default() += 1;
        }
        // Every row has a place in its label's own order, as a share of that label's rows; the
        // lowest places of all labels together take from each in proportion.
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        let mut places: Vec<(f64, i64)> = Vec::new();
        for &row in &order {
            let label = labels[row as usize];
            let (seen, total) = (seen.entry(label).or_default(), totals[&label]);
            *seen += 1;
            if *seen < total {
                places.push(((*seen as f64 - 0.5) / total as f64, row));
            }
        }
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        let aside = how_many(rows, share);
        if aside > places.len() {
            let why = format!(
                ": {aside} would be set aside for validation, and each class must keep one image"
            );
            return Err(Error::TooFew { rows, why });
        }
        let validation: Vec<i64> = places[..aside].iter().map(|&(_, row)| row).collect();
        let mut is_aside = vec![false; rows];
        for &row in &validation {
            is_aside[row as usize] = true;
        }
        order.retain(|&row| !is_aside[row as usize]);
        Ok(Self::sorted(order, validation))
    }

    /// The order of an epoch is a permutation of this one.
    fn sorted(mut train: Vec<i64>, mut validation: Vec<i64>) -> Self {
        train.sort_unstable();
        validation.sort_unstable();
        Self { train, validation }
    }
}

fn how_many(rows: usize, share: f64) -> usize {
    ((rows as f64 * share).round() as usize).max(1)
}
