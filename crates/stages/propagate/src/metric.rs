//! How distance is measured.

use scarce_neighbours::Metric as Measure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How distance is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// As the features say that they are meant to be compared.
    #[default]
    Own,
    /// Straight-line distance.
    Euclidean,
    /// One minus the cosine of the angle.
    Cosine,
}

impl Metric {
    pub(crate) fn resolve(self, own: scarce_artifact::Metric) -> Measure {
        match (self, own) {
            (Self::Euclidean, _) | (Self::Own, scarce_artifact::Metric::Euclidean) => {
                Measure::Euclidean
            }
            (Self::Cosine, _) | (Self::Own, scarce_artifact::Metric::Cosine) => Measure::Cosine,
        }
    }
}
