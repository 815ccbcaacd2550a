//! Labels on their way from a table and to one.

use std::path::Path;

use scarce_artifact::{LabelSource, Labels, Reader};

use crate::Error;

/// One label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: u32,
    pub(crate) label: i32,
    pub(crate) source: LabelSource,
    pub(crate) confidence: f32,
}

impl Found {
    /// Whether somebody gave it.
    pub(crate) fn is_given(&self) -> bool {
        self.source != LabelSource::Propagated
    }

    /// An inferred label.
    pub(crate) fn propagated(id: u32, label: i32, confidence: f32) -> Self {
        Self { id, label, source: LabelSource::Propagated, confidence }
    }
}

/// The labels that a propagation starts from, by ascending id; an image may have several, of which
/// at most one is not propagated.
pub(crate) struct Given(Vec<Found>);

impl Given {
    pub(crate) fn read(reader: &Reader<Labels>) -> Result<Self, Error> {
        let Labels { id, label, source, confidence } = reader.sorted()?;
        let found = |row: usize| Found {
            id: id[row],
            label: label[row],
            source: source[row],
            confidence: confidence[row],
        };
        Ok(Self((0..id.len()).map(found).collect()))
    }

    /// The labels of some images.
    pub(crate) fn keep(&self, wanted: impl Fn(u32) -> bool) -> Self {
        Self(self.0.iter().filter(|found| wanted(found.id)).copied().collect())
    }

    /// Every label.
    pub(crate) fn all(&self) -> &[Found] {
        &self.0
    }

    /// The labels of one image.
    pub(crate) fn of(&self, id: u32) -> &[Found] {
        let first = self.0.partition_point(|found| found.id < id);
        let count = self.0[first..].partition_point(|found| found.id == id);
        &self.0[first..first + count]
    }

    /// How many images have a label.
    pub(crate) fn images(&self) -> usize {
        self.0.chunk_by(|a, b| a.id == b.id).count()
    }

    /// What is wrong when none of them is of an image of the table at `images`.
    pub(crate) fn none_in(&self, reader: &Reader<Labels>, images: &Path) -> Error {
        let (labels, images) = (reader.path().to_owned(), images.to_owned());
        Error::NoLabelled { labels, images, labelled: self.0.len() }
    }
}

/// The table, by ascending id. Labels of one image stay in the order in which they were found.
pub(crate) fn table(mut found: Vec<Found>) -> Labels {
    found.sort_by_key(|label| label.id);
    Labels {
        id: found.iter().map(|label| label.id).collect(),
        label: found.iter().map(|label| label.label).collect(),
        source: found.iter().map(|label| label.source).collect(),
        confidence: found.iter().map(|label| label.confidence).collect(),
    }
}
