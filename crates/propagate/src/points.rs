//! The images that take part, in memory, in the order of their ids.

use scarce_artifact::{Embeddings, Labels, Reader, Split};
use scarce_kernels::Matrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, found::Given};

/// A part of the data that may be learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SplitName {
    /// Images that may be learnt from.
    Train,
    /// Images of data without an official split.
    Pool,
}

impl SplitName {
    /// All of them. The test split is not to choose: it is never learnt from.
    pub fn all() -> Vec<Self> {
        vec![Self::Train, Self::Pool]
    }

    fn is(self, split: Split) -> bool {
        matches!((self, split), (Self::Train, Split::Train) | (Self::Pool, Split::Pool))
    }
}

/// Images with their vectors.
pub(crate) struct Points {
    /// Ascending: `[n]`.
    pub(crate) id: Vec<u32>,
    width: usize,
    /// `[n, width]`.
    values: Vec<f32>,
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
            Some(pair) => {
                Err(Error::RepeatedImage { path: features.path().to_owned(), id: pair[0] })
            }
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

    /// The labels of images that take part; a warning counts the others.
    pub(crate) fn take(
        &self,
        given: Given,
        labels: &Reader<Labels>,
        features: &Reader<Embeddings>,
    ) -> Result<Given, Error> {
        let kept = given.keep(|id| self.row_of(id).is_some());
        if kept.all().is_empty() {
            return Err(given.none_in(labels, features.path()));
        }
        let out = given.all().len() - kept.all().len();
        if out > 0 {
            tracing::warn!("{out} labels are of images that take no part; they were left out");
        }
        Ok(kept)
    }

    /// The vectors: `[n, width]`.
    pub(crate) fn matrix(&self) -> Result<Matrix<'_>, Error> {
        Ok(Matrix::new(&self.values, self.id.len(), self.width)?)
    }

    /// The row of an image.
    pub(crate) fn row_of(&self, id: u32) -> Option<usize> {
        self.id.binary_search(&id).ok()
    }
}
