//! Reading embeddings and labels: batches of a bounded size, and the few rows that carry labels.

use std::collections::{BTreeMap, HashSet};

use arrow::datatypes::DataType;

use crate::{
    BATCH_ROWS, Batches, Embeddings, Error, LabelSource, Labels, Reader, Result, Split, Table,
    open_parquet,
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
        let builder = open_parquet(self.path())?;
        let field = builder.schema().column_with_name("embedding").map(|(_, field)| field);
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
    /// As [`Reader::batches`] and [`Reader::width`].
    pub fn stream(&self) -> Result<Batches<Embeddings>> {
        self.batches(batch_rows(4 * self.width()?))
    }
}

impl Reader<Labels> {
    /// All labels, checked, by ascending id.
    ///
    /// An image has at most one label that somebody gave, and any number of propagated ones, which
    /// come after it; what a propagation says twice counts twice.
    ///
    /// # Errors
    /// [`Error::Value`] for a label outside the class names or an image with two labels that are not
    /// propagated; whatever reading meets.
    pub fn sorted(&self) -> Result<Labels> {
        let labels = self.read()?;
        let classes = self.meta().len();
        let refuse = |row: usize, column: &str, message: String| {
            let (path, column) = (self.path().to_owned(), column.to_owned());
            Err(Error::Value { path, row, column, message })
        };
        let mut given = HashSet::new();
        for (row, (&id, &label)) in labels.id.iter().zip(&labels.label).enumerate() {
            if usize::try_from(label).map_or(true, |label| label >= classes) {
                let message = format!("{label} is no class: there are {classes} class names");
                return refuse(row, "label", message);
            }
            if labels.source[row] != LabelSource::Propagated && !given.insert(id) {
                return refuse(row, "id", format!("{id} occurs twice"));
            }
        }
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

/// The embeddings that may be learnt from with their labels, in the order of their ids; the only
/// rows that supervised learning holds in memory. An image that a propagation gave several labels
/// is a row for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labelled {
    /// The image, ascending; the same one again where it has several labels: `[n]`.
    pub id: Vec<u32>,
    /// Numbers in each embedding, `d`.
    pub width: usize,
    /// The embeddings: `[n, d]`, row-major.
    pub features: Vec<f32>,
    /// Index into the class names: `[n]`.
    pub label: Vec<u32>,
    /// Where the label comes from: `[n]`.
    pub source: Vec<LabelSource>,
    /// 1 for given labels; a propagation's own estimate otherwise: `[n]`.
    pub confidence: Vec<f32>,
    /// How many labels name an image that the embeddings do not have.
    pub unknown: usize,
    /// How many labels name an image of the test split; they are left out.
    pub test: usize,
}

impl Labelled {
    /// Joins labels to embeddings by id, in one pass over the embeddings.
    ///
    /// # Errors
    /// [`Error::NoLabelled`] when nothing is left to learn from; [`Error::Value`] as
    /// [`Reader::sorted`], or for an image that the embeddings have twice; whatever reading meets.
    pub fn gather(features: &Reader<Embeddings>, labels: &Reader<Labels>) -> Result<Self> {
        let wanted = labels.sorted()?;
        let mut seen: BTreeMap<u32, Seen> = wanted.id.iter().map(|&id| (id, Seen::No)).collect();
        let mut first_row = 0;
        for batch in features.stream()? {
            let batch = batch?;
            for (row, (id, split)) in batch.id.iter().zip(&batch.split).enumerate() {
                let Some(seen) = seen.get_mut(id) else { continue };
                if !matches!(seen, Seen::No) {
                    return Err(repeated(features.path(), first_row + row, *id));
                }
                *seen = match split {
                    Split::Test => Seen::Test,
                    Split::Train | Split::Pool => Seen::Vector(batch.embedding.row(row).to_vec()),
                };
            }
            first_row += batch.id.len();
        }
        let mut found = Self { width: features.width()?, ..Self::default() };
        for row in 0..wanted.id.len() {
            match seen.get(&wanted.id[row]) {
                Some(Seen::Vector(vector)) => found.push(&wanted, row, vector),
                Some(Seen::Test) => found.test += 1,
                Some(Seen::No) | None => found.unknown += 1,
            }
        }
        if found.is_empty() {
            return Err(Error::NoLabelled {
                features: features.path().to_owned(),
                labels: labels.path().to_owned(),
                labelled: wanted.id.len(),
                test: found.test,
            });
        }
        Ok(found)
    }

    fn push(&mut self, labels: &Labels, row: usize, vector: &[f32]) {
        self.id.push(labels.id[row]);
        self.features.extend_from_slice(vector);
        self.label.push(labels.label[row] as u32);
        self.source.push(labels.source[row]);
        self.confidence.push(labels.confidence[row]);
    }

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

/// What has been seen of an image that has a label.
enum Seen {
    No,
    /// It is of the test split.
    Test,
    Vector(Vec<f32>),
}

fn repeated(path: &std::path::Path, row: usize, id: u32) -> Error {
    Error::Value {
        path: path.to_owned(),
        row,
        column: "id".to_owned(),
        message: format!("{id} occurs twice"),
    }
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
    fn propagated_labels_may_repeat_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let (x, _) = readers(&folder, &[9, 4], &[]);
        let path = folder.path().join("y.parquet");
        let gather = |source: Vec<LabelSource>| {
            let confidence = vec![0.5, 1.0, 0.25, 0.5];
            let labels =
                Labels { id: vec![9, 4, 4, 4], label: vec![1, 1, 1, 0], source, confidence };
            Writer::write_all(&path, Classes::new(["a", "b"]), labels).unwrap();
            Labelled::gather(&x, &Reader::open(&path).unwrap())
        };
        use LabelSource::{Given, Human, Propagated};
        let found = gather(vec![Propagated, Given, Propagated, Propagated]).unwrap();
        assert_eq!(found.id, [4, 4, 4, 9]);
        assert_eq!((found.label, found.confidence), (vec![1, 0, 1, 1], vec![1.0, 0.5, 0.25, 0.5]));
        assert_eq!(found.features, [4.0, 0.5, 4.0, 0.5, 4.0, 0.5, 9.0, 0.5]);
        let error = gather(vec![Propagated, Given, Propagated, Human]).unwrap_err().to_string();
        assert!(error.contains("row 3, column `id`: 4 occurs twice"), "{error}");
    }

    #[test]
    fn batches_of_wide_rows_are_shorter() {
        assert_eq!(batch_rows(4), 4096);
        assert_eq!(batch_rows(4 * 784), 4096);
        assert_eq!(batch_rows(4 * 3000), 1280);
        assert_eq!(batch_rows(1 << 30), 1);
    }
}
