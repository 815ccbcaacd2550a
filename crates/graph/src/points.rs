//! Features in memory, in the order of their ids.

use scarce_artifact::{Embeddings, Reader, Split};

use crate::Error;

/// Images with their features.
pub(crate) struct Points {
    /// Ascending: `[n]`.
    pub(crate) id: Vec<u32>,
    /// `[n]`.
    pub(crate) split: Vec<Split>,
    pub(crate) width: usize,
    /// `[n, width]`.
    pub(crate) values: Vec<f32>,
}

impl Points {
    /// The images that `wanted` says of id and split.
    pub(crate) fn read(
        features: &Reader<Embeddings>,
        wanted: impl Fn(u32, Split) -> bool,
    ) -> Result<Self, Error> {
        let width = features.width()?;
        let mut points = Self { id: Vec::new(), split: Vec::new(), width, values: Vec::new() };
        for batch in features.stream()? {
            let batch = batch?;
            for (row, (&id, &split)) in batch.id.iter().zip(&batch.split).enumerate() {
                if wanted(id, split) {
                    points.id.push(id);
                    points.split.push(split);
                    points.values.extend_from_slice(batch.embedding.row(row));
                }
            }
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
        self.split = order.iter().map(|&row| self.split[row]).collect();
    }
}
