//! The rows to cluster, in memory, in the order of their ids.

use scarce_artifact::{Embeddings, Reader};

use crate::{Error, SplitName};

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
            return Err(Error::no_images(splits));
        }
        points.sort();
        match points.id.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::RepeatedImage { id: pair[0] }),
            None => Ok(points),
        }
    }

    /// `clusters`, if there are as many images.
    pub(crate) fn at_least(&self, clusters: usize) -> Result<usize, Error> {
        match self.id.len() {
            images if images < clusters => Err(Error::TooManyClusters { clusters, images }),
            _ => Ok(clusters),
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
