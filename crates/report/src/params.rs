//! The parameters of a report, as the TOML has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// Parameters of the kind `report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Heading of the page.
    pub title: String,
    /// Text below the heading: what is compared, and what a reader should know before believing
    /// it. An empty line starts a new paragraph.
    pub notes: String,
    /// The stage that the others are compared with, run by run. By default the first one wired to
    /// `predictions`.
    pub baseline: Option<String>,
    /// Axes that repeat a run rather than change the method: means and intervals are taken over
    /// them. Every combination of the other axes is a method of its own.
    pub seed_axes: Vec<String>,
    /// Figures that others published, printed beside ours.
    pub published: Vec<Published>,
    /// How many pictures to show of each sort (errors, least certain, reconstructions, and so on);
    /// at most 100.
    pub sample_images: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            title: "Report".to_owned(),
            notes: String::new(),
            baseline: None,
            seed_axes: vec!["seed".to_owned(), "fold".to_owned()],
            published: Vec::new(),
            sample_images: 12,
        }
    }
}

/// A published figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The stage whose result it is set beside.
    pub stage: String,
    /// `accuracy`, `macro_f1`, or any other metric of the summary.
    #[serde(default = "accuracy")]
    pub metric: String,
    /// `test`, `train`, `pool`, `cross-validation`; `transductive` means `train` or `pool`.
    #[serde(default = "test")]
    pub split: String,
    /// The figure as a share: 0.56, not 56.
    pub value: f64,
    /// Where it was published.
    #[serde(default)]
    pub source: String,
    /// Values of axes, where the stage has several variants: `{ architecture = "conv" }`.
    #[serde(default)]
    pub axes: BTreeMap<String, Value>,
}

fn accuracy() -> String {
    "accuracy".to_owned()
}

fn test() -> String {
    "test".to_owned()
}

impl Params {
    /// Refuses figures in per cent: 49 beside 0.49 would be a silent nonsense.
    pub(crate) fn check(&self) -> Result<()> {
        match self.published.iter().find(|p| !p.value.is_finite() || p.value.abs() > 1.0) {
            None => Ok(()),
            Some(wrong) => Err(Error::Published {
                stage: wrong.stage.clone(),
                metric: wrong.metric.clone(),
                value: wrong.value,
            }),
        }
    }

    /// Pictures of each sort.
    pub(crate) fn pictures(&self) -> usize {
        self.sample_images.min(100)
    }
}
