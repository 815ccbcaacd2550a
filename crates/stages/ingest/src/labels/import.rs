//! Label files for others than the kind `labels`: the same forms, the same names.

use std::path::Path;

use scarce_artifact::Split;

use super::{
    Params,
    keys::Lookup,
    matching::{Match, Names},
    read,
    read::Wanted,
};
use crate::{Result, image_index::ImageIndex};

/// A label of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLabel {
    /// The place of the image among the names.
    pub image: usize,
    /// Its class.
    pub class: String,
    /// Who says so, where the file tells.
    pub annotator: Option<String>,
}

/// The labels of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadLabels {
    /// Those of images that there are.
    pub labels: Vec<ReadLabel>,
    /// Labels of images that there are not.
    pub unknown: usize,
}

/// The labels of a file in any form that the kind `labels` reads, for images of these names. A name that
/// no image has is refused if `strict`, else counted.
///
/// # Errors
/// As the kind `labels`; but that two rows contradict each other is the caller's to judge.
pub fn read_labels(path: &Path, names: &[String], strict: bool) -> Result<ReadLabels> {
    let mut file = read::read(path, Wanted { key: None, class: None })?;
    let all = file.entries.len();
    if !strict {
        let known = Names::new(names);
        file.entries.retain(|entry| known.find(&entry.key) != Match::Nothing);
    }
    let unknown = all - file.entries.len();
    let params: Params = serde_json::from_value(serde_json::json!({ "path": path }))
        .map_err(std::io::Error::other)?;
    let images = ImageIndex {
        id: (0..names.len() as u32).collect(),
        split: vec![Split::Train; names.len()],
        source: Some(names.to_vec()),
        left_out: Vec::new(),
    };
    let rows = Lookup::new(&images, &file, &params).rows()?;
    let label = |(entry, row): (&read::Entry, Option<usize>)| {
        let (class, annotator) = (entry.class.clone(), entry.annotator.clone());
        row.map(|image| ReadLabel { image, class, annotator })
    };
    let labels = file.entries.iter().zip(rows).filter_map(label).collect();
    Ok(ReadLabels { labels, unknown })
}
