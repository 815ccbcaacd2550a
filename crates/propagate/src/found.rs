//! Labels as they are found, on their way to a table.

use scarce_artifact::{LabelSource, Labels};

/// One label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: u32,
    pub(crate) label: i32,
    pub(crate) source: LabelSource,
    pub(crate) confidence: f32,
}

impl Found {
    /// An inferred label.
    pub(crate) fn propagated(id: u32, label: i32, confidence: f32) -> Self {
        Self { id, label, source: LabelSource::Propagated, confidence }
    }
}

/// The table, by ascending id.
pub(crate) fn table(mut found: Vec<Found>) -> Labels {
    found.sort_unstable_by_key(|label| label.id);
    Labels {
        id: found.iter().map(|label| label.id).collect(),
        label: found.iter().map(|label| label.label).collect(),
        source: found.iter().map(|label| label.source).collect(),
        confidence: found.iter().map(|label| label.confidence).collect(),
    }
}
