//! Words that parameters of several kinds use.

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
    /// The metric for features that are meant for `own`.
    pub(crate) fn resolve(self, own: scarce_artifact::Metric) -> scarce_artifact::Metric {
        match self {
            Self::Own => own,
            Self::Euclidean => scarce_artifact::Metric::Euclidean,
            Self::Cosine => scarce_artifact::Metric::Cosine,
        }
    }
}

/// The kernels' word for a metric.
pub(crate) fn measure(metric: scarce_artifact::Metric) -> Measure {
    match metric {
        scarce_artifact::Metric::Euclidean => Measure::Euclidean,
        scarce_artifact::Metric::Cosine => Measure::Cosine,
    }
}
