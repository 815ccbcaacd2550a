//! The images that take part.

use scarce_artifact::{Embeddings, Labels, Points, Reader, Split};
use scarce_numeric::Matrix;
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

/// The images of some splits, by ascending id: at least one.
pub(crate) fn read(features: &Reader<Embeddings>, splits: &[SplitName]) -> Result<Points, Error> {
    let wanted = |split| splits.iter().any(|name| name.is(split));
    let points = Points::read(features, |_, split| wanted(split))?;
    if points.is_empty() {
        let splits = serde_json::to_string(splits).unwrap_or_default();
        return Err(Error::NoImages { splits });
    }
    Ok(points)
}

/// The labels of images that take part; a warning counts the others.
pub(crate) fn take(
    points: &Points,
    given: Given,
    labels: &Reader<Labels>,
    features: &Reader<Embeddings>,
) -> Result<Given, Error> {
    let kept = given.keep(|id| points.row_of(id).is_some());
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
pub(crate) fn matrix(points: &Points) -> Result<Matrix<'_>, Error> {
    Ok(Matrix::new(&points.values, points.len(), points.width)?)
}
