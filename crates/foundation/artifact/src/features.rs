//! Reading embeddings, images and labels: batches of a bounded size, and the few rows that carry
//! labels.

use std::collections::HashMap;

use arrow::datatypes::DataType;

use crate::{
    BATCH_ROWS, Batches, Embeddings, Error, Images, LabelSource, Labels, Reader, Result, Split,
    Table, Vectors,
};

/// A batch of vectors takes at most this many bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Batches are cut at multiples of this where they can be: what kernels work on at a time.
const BLOCK_ROWS: usize = 256;

/// How many rows of `bytes` bytes a streaming stage reads at a time: [`BATCH_ROWS`], or fewer when
/// rows are wide, so that a batch stays under 16 MiB.
pub fn batch_rows(bytes: usize) -> usize {
    let rows = (BATCH_BYTES / bytes.max(1)).clamp(1, BATCH_ROWS);
    if rows > BLOCK_ROWS { rows - rows % BLOCK_ROWS } else { rows }
}

impl Reader<Embeddings> {
    /// Numbers in each embedding.
    ///
    /// # Errors
    /// [`Error::Schema`] when the column is not there or not of vectors.
    pub fn width(&self) -> Result<usize> {
        let field = self.schema().column_with_name("embedding").map(|(_, field)| field);
        match field.map(arrow::datatypes::Field::data_type) {
            Some(&DataType::FixedSizeList(_, width)) if width > 0 => Ok(width as usize),
            _ => Err(Error::Schema {
                path: self.path().to_owned(),
                table: Embeddings::NAME,
                message: "it has no column `embedding` of vectors".to_owned(),
            }),
        }
    }

    /// Streams the table in batches of [`batch_rows`] rows.
    ///
    /// # Errors
    /// As [`Reader::width`].
    pub fn stream(&self) -> Result<Batches<Embeddings>> {
        Ok(self.batches(batch_rows(4 * self.width()?)))
    }
}

impl Reader<Labels> {
    /// All labels by ascending id.
    ///
    /// An image has at most one label that somebody gave, and any number of propagated ones, which
    /// come after it; what a propagation says twice counts twice.
    ///
    /// # Errors
    /// Whatever reading meets.
    pub fn sorted(&self) -> Result<Labels> {
        let labels = self.read()?;
        let mut order: Vec<usize> = (0..labels.id.len()).collect();
        // By everything there is, so that the order of the table says nothing.
        order.sort_by(|&a, &b| {
            let key = |row: usize| (labels.id[row], labels.source[row], labels.label[row]);
            let confidence = || labels.confidence[a].total_cmp(&labels.confidence[b]);
            key(a).cmp(&key(b)).then_with(confidence)
        });
        Ok(Labels {
            id: order.iter().map(|&row| labels.id[row]).collect(),
            label: order.iter().map(|&row| labels.label[row]).collect(),
            source: order.iter().map(|&row| labels.source[row]).collect(),
            confidence: order.iter().map(|&row| labels.confidence[row]).collect(),
        })
    }
}

/// The rows that may be learnt from with their labels, in the order of their ids; the only rows
/// that supervised learning holds in memory. Vectors are embeddings (`f32`) or images (`u8`). An
/// image that a propagation gave several labels is a row for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labelled<V = f32> {
    /// The image, ascending; the same one again where it has several labels: `[n]`.
    pub id: Vec<u32>,
    /// Numbers in each vector, `d`.
    pub width: usize,
    /// The vectors: `[n, d]`, row-major.
    pub features: Vec<V>,
    /// Index into the class names: `[n]`.
    pub label: Vec<u32>,
    /// Where the label comes from: `[n]`.
    pub source: Vec<LabelSource>,
    /// 1 for given labels; a propagation's own estimate otherwise: `[n]`.
    pub confidence: Vec<f32>,
    /// How many labels name an image that the table does not have.
    pub unknown: usize,
    /// How many labels name an image of the test split; they are left out.
    pub test: usize,
}

impl Labelled<f32> {
    /// Joins labels to embeddings by id, in one pass over the embeddings.
    ///
    /// # Errors
    /// [`Error::NoLabelled`] when nothing is left to learn from; whatever reading meets.
    pub fn gather(features: &Reader<Embeddings>, labels: &Reader<Labels>) -> Result<Self> {
        let batches = features.stream()?.map(|batch| {
            let Embeddings { id, split, embedding } = batch?;
            Ok((id, split, embedding))
        });
        join(features, features.width()?, batches, labels)
    }
}

impl Labelled<u8> {
    /// Joins labels to images by id, in one pass over the images.
    ///
    /// # Errors
    /// As [`Labelled::gather`].
    pub fn gather_images(images: &Reader<Images>, labels: &Reader<Labels>) -> Result<Self> {
        let width = images.meta().shape.pixels();
        let batches = images.batches(batch_rows(width)).map(|batch| {
            let Images { id, split, pixels, .. } = batch?;
            Ok((id, split, pixels))
        });
        join(images, width, batches, labels)
    }
}

impl<V> Labelled<V> {
    /// The number of labelled rows.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there is none; never after [`Labelled::gather`].
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// Labelled rows of each class: `[classes]`.
    pub fn counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.label {
            counts[label as usize] += 1;
        }
        counts
    }
}

/// Ids, splits and vectors of a batch.
type Rows<V> = (Vec<u32>, Vec<Split>, Vectors<V>);

fn join<T: Table, V: Copy>(
    table: &Reader<T>,
    width: usize,
    batches: impl Iterator<Item = Result<Rows<V>>>,
    labels: &Reader<Labels>,
) -> Result<Labelled<V>> {
    let wanted = labels.sorted()?;
    let mut seen: HashMap<u32, Seen> = wanted.id.iter().map(|&id| (id, Seen::No)).collect();
    let mut vectors: Vec<V> = Vec::new();
    let mut held = 0;
    for batch in batches {
        let (ids, splits, batch) = batch?;
        for (row, (id, split)) in ids.iter().zip(&splits).enumerate() {
            let Some(seen) = seen.get_mut(id) else { continue };
            if *split == Split::Test {
                *seen = Seen::Test;
            } else {
                *seen = Seen::At(held);
                held += 1;
                vectors.extend_from_slice(batch.row(row));
            }
        }
    }
    let (mut rows, mut places) = (Vec::with_capacity(held), Vec::with_capacity(held));
    let (mut test, mut unknown) = (0, 0);
    for (row, id) in wanted.id.iter().enumerate() {
        match seen.get(id) {
            Some(Seen::At(place)) => {
                rows.push(row);
                places.push(*place);
            }
            Some(Seen::Test) => test += 1,
            Some(Seen::No) | None => unknown += 1,
        }
    }
    if rows.is_empty() {
        return Err(Error::NoLabelled {
            features: table.path().to_owned(),
            labels: labels.path().to_owned(),
            labelled: wanted.id.len(),
            test,
        });
    }
    // Usually the vectors came in the order of the labels already, each once.
    if !places.iter().copied().eq(0..held) {
        let row = |&place: &usize| vectors[place * width..(place + 1) * width].iter().copied();
        vectors = places.iter().flat_map(row).collect();
    }
    Ok(Labelled {
        id: rows.iter().map(|&row| wanted.id[row]).collect(),
        label: rows.iter().map(|&row| wanted.label[row] as u32).collect(),
        source: rows.iter().map(|&row| wanted.source[row]).collect(),
        confidence: rows.iter().map(|&row| wanted.confidence[row]).collect(),
        width,
        features: vectors,
        unknown,
        test,
    })
}

/// What has been seen of an image that has a label.
enum Seen {
    No,
    /// It is of the test split.
    Test,
    /// Where its vector is held.
    At(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Classes, EmbeddingsMeta, Vectors, Writer};

    fn readers(
        folder: &tempfile::TempDir,
        ids: &[u32],
        labels: &[(u32, i32)],
    ) -> (Reader<Embeddings>, Reader<Labels>) {
        let (x, y) = (folder.path().join("x.parquet"), folder.path().join("y.parquet"));
        let embeddings = Embeddings {
            id: ids.to_vec(),
            split: ids.iter().map(|id| if *id < 100 { Split::Pool } else { Split::Test }).collect(),
            embedding: Vectors::new(2, ids.iter().flat_map(|&id| [id as f32, 0.5]).collect()),
        };
        Writer::write_all(&x, EmbeddingsMeta::default(), embeddings).unwrap();
        let labels = Labels {
            id: labels.iter().map(|l| l.0).collect(),
            label: labels.iter().map(|l| l.1).collect(),
            source: vec![LabelSource::Given; labels.len()],
            confidence: vec![1.0; labels.len()],
        };
        Writer::write_all(&y, Classes::new(["a", "b"]), labels).unwrap();
        (Reader::open(&x).unwrap(), Reader::open(&y).unwrap())
    }

    #[test]
    fn rows_are_joined_by_id_and_test_images_stay_out() {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = readers(&folder, &[9, 4, 100, 7], &[(4, 1), (100, 0), (9, 0), (55, 0)]);
        let found = Labelled::gather(&x, &y).unwrap();
        assert_eq!((found.id.as_slice(), found.label.as_slice()), (&[4, 9][..], &[1, 0][..]));
        assert_eq!(found.features, [4.0, 0.5, 9.0, 0.5]);
        assert_eq!((found.unknown, found.test, found.width), (1, 1, 2));
        assert_eq!(found.counts(3), [1, 1, 0]);
    }

    #[test]
    fn strangers_doubles_and_wrong_labels_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let gather = |ids: &[u32], labels: &[(u32, i32)]| {
            let (x, y) = readers(&folder, ids, labels);
            Labelled::gather(&x, &y).unwrap_err().to_string()
        };
        assert!(gather(&[1, 100], &[(2, 0), (100, 0)]).contains("none of the 2 labels"));
        assert!(gather(&[1, 1], &[(1, 0)]).contains("row 1, column `id`: 1 occurs twice"));
        assert!(gather(&[1], &[(1, 0), (1, 0)]).contains("1 occurs twice"));
        assert!(gather(&[1], &[(1, 2)]).contains("2 is no class"));
        assert!(gather(&[1], &[(1, -1)]).contains("-1 is no class"));
    }

    #[test]
    fn batches_of_wide_rows_are_shorter() {
        assert_eq!(batch_rows(4), 4096);
        assert_eq!(batch_rows(4 * 784), 4096);
        assert_eq!(batch_rows(4 * 3000), 1280);
        assert_eq!(batch_rows(1 << 30), 1);
    }
}
