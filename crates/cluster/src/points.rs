//! The rows to cluster, in memory, in the order of their ids.

use scarce_artifact::{Embeddings, Reader, Split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SplitName {
    /// Images that may be learnt from.
    Train,
    /// Images held out for scoring.
    Test,
    /// Images of data without an official split.
    Pool,
}

impl SplitName {
    fn is(self, split: Split) -> bool {
        matches!(
            (self, split),
            (Self::Train, Split::Train) | (Self::Test, Split::Test) | (Self::Pool, Split::Pool)
        )
    }
}

/// Points to cluster.
pub(crate) struct Points {
    /// Ascending: `[n]`.
    pub(crate) id: Vec<u32>,
    pub(crate) width: usize,
    /// `[n, width]`.
    pub(crate) values: Vec<f32>,
}

impl Points {
    /// The images of some splits.
    pub(crate) fn read(features: &Reader<Embeddings>, splits: &[SplitName]) -> Result<Self, Error> {
        let mut points = Self { id: Vec::new(), width: features.width()?, values: Vec::new() };
        for batch in features.stream()? {
            let batch = batch?;
            for (row, (id, split)) in batch.id.iter().zip(&batch.split).enumerate() {
                if splits.iter().any(|name| name.is(*split)) {
                    points.id.push(*id);
                    points.values.extend_from_slice(batch.embedding.row(row));
                }
            }
        }
        if points.id.is_empty() {
            let splits = serde_json::to_string(splits).unwrap_or_default();
            return Err(Error::NoImages { splits });
        }
        points.sort();
        match points.id.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::RepeatedImage { id: pair[0] }),
            None => Ok(points),
        }
    }

    fn sort(&mut self) {
        if self.id.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.id.len()).collect();
        order.sort_by_key(|&row| self.id[row]);
        let row = |&row: &usize| &self.values[row * self.width..][..self.width];
        self.values = order.iter().flat_map(row).copied().collect();
        self.id = order.iter().map(|&row| self.id[row]).collect();
    }
}
