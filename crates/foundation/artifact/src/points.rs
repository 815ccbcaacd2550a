//! Embeddings in memory, in the order of their ids.

use crate::{Embeddings, Reader, Result, Split};

/// Images with their vectors, by ascending id, whatever the order of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Ascending: `[n]`.
    pub id: Vec<u32>,
    /// `[n]`.
    pub split: Vec<Split>,
    /// Numbers in each vector.
    pub width: usize,
    /// `[n, width]`, row-major.
    pub values: Vec<f32>,
}

impl Points {
    /// The images of which `wanted` holds, by id and split; maybe none.
    ///
    /// # Errors
    /// Whatever reading meets.
    pub fn read(
        features: &Reader<Embeddings>,
        wanted: impl Fn(u32, Split) -> bool,
    ) -> Result<Self> {
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
        Ok(points)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// The row of an image.
    pub fn row_of(&self, id: u32) -> Option<usize> {
        self.id.binary_search(&id).ok()
    }

    /// Sorts by id.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmbeddingsMeta, Error, Vectors, Writer};

    fn read(ids: &[u32], wanted: impl Fn(u32, Split) -> bool) -> Result<Points> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("embeddings.parquet");
        let table = Embeddings {
            id: ids.to_vec(),
            split: ids
                .iter()
                .map(|id| if id % 2 == 0 { Split::Train } else { Split::Test })
                .collect(),
            embedding: Vectors::new(2, ids.iter().flat_map(|&id| [id as f32, 0.5]).collect()),
        };
        Writer::write_all(&path, EmbeddingsMeta::default(), table).unwrap();
        Points::read(&Reader::open(&path).unwrap(), wanted)
    }

    #[test]
    fn come_by_ascending_id_whatever_the_order_of_the_table() {
        let points = read(&[4, 1, 8, 2], |id, _| id != 8).unwrap();
        assert_eq!(points.id, [1, 2, 4]);
        assert_eq!(points.split, [Split::Test, Split::Train, Split::Train]);
        assert_eq!(points.values, [1.0, 0.5, 2.0, 0.5, 4.0, 0.5]);
        assert_eq!((points.row_of(4), points.row_of(8)), (Some(2), None));
        assert_eq!(read(&[2, 4], |_, split| split == Split::Train).unwrap().len(), 2);
        assert!(read(&[2, 4], |_, split| split == Split::Test).unwrap().is_empty());
    }

    #[test]
    fn are_refused_where_an_image_occurs_twice() {
        let error = read(&[4, 2, 6, 2], |_, _| true).unwrap_err();
        assert!(matches!(error, Error::Value { row: 3, .. }), "{error}");
        assert!(error.to_string().contains("2 occurs twice"), "{error}");
    }
}
