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
    /// Stages that are compared with another one than `baseline`, or with several:
    /// `{ nn-spread = "nn-random", flow = ["regression", "nearest"] }`.
    pub baselines: BTreeMap<String, OneOrMore>,
    /// What to call stages in tables and figures: `{ knn-codes = "kNN, convolutional code" }`.
    pub names: BTreeMap<String, String>,
    /// Axes that repeat a run rather than change the method: means and intervals are taken over
    /// them. Every combination of the other axes is a method of its own.
    pub seed_axes: Vec<String>,
    /// Figures that others published, printed beside ours.
    pub published: Vec<Published>,
    /// Figures of a score along an axis. By default one for every score of stages that vary over a
    /// numeric axis with at least three values; `[]` for none.
    pub curves: Option<Vec<Curve>>,
    /// Accuracies, as shares, of which a learning curve says how many labels they take.
    #[schemars(inner(range(min = 0, max = 1)))]
    pub goals: Vec<f64>,
    /// How many pictures to show of each sort (errors, least certain, reconstructions, and so on);
    /// at most 100.
    #[schemars(range(max = 100))]
    pub sample_images: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            title: "Report".to_owned(),
            notes: String::new(),
            baseline: None,
            baselines: BTreeMap::new(),
            names: BTreeMap::new(),
            seed_axes: vec!["seed".to_owned(), "fold".to_owned()],
            published: Vec::new(),
            curves: None,
            goals: vec![0.9, 0.95, 0.97],
            sample_images: 12,
        }
    }
}

/// The name of a stage, or a list of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One stage.
    One(String),
    /// Several stages, in the order in which they are shown.
    More(Vec<String>),
}

impl OneOrMore {
    /// The names.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::More(names) => names,
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
    #[schemars(range(min = -1, max = 1))]
    pub value: f64,
    /// How many runs it is the mean of. A single run is compared with single runs of ours, a mean
    /// with our mean.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub runs: u32,
    /// The standard deviation over their runs, as a share, where it was published; else it is taken
    /// to be that of ours.
    #[serde(default)]
    pub std: Option<f64>,
    /// Where it was published.
    #[serde(default)]
    pub source: String,
    /// What to call the row: `60 labels, not queried`. By default the method's name.
    #[serde(default)]
    pub label: String,
    /// What a reader should know of this figure: how its protocol differs, say.
    #[serde(default)]
    pub note: String,
    /// Values of axes, where the stage has several variants: `{ architecture = "conv" }`.
    #[serde(default)]
    pub axes: BTreeMap<String, Value>,
}

/// A figure of a score along an axis, a line for every method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// The stages to draw. By default all that vary over `axis`.
    #[serde(default)]
    pub stages: Vec<String>,
    /// The axis to draw along. A stage without it is drawn along the numeric axis that it has; one
    /// that has none is a point.
    #[serde(default)]
    pub axis: Option<String>,
    /// `accuracy`, `propagated_accuracy`, or any other metric of the summary.
    #[serde(default = "accuracy")]
    pub metric: String,
    /// `test`, `train`, `pool`, or `transductive` for `train` and `pool`. By default a figure for each.
    #[serde(default)]
    pub split: Option<String>,
    /// What the horizontal axis counts.
    #[serde(default)]
    pub along: Along,
    /// Its heading.
    #[serde(default)]
    pub title: String,
}

/// What the horizontal axis of a figure counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Along {
    /// The number of labels that a run was given, where it is known of all and varies; else the
    /// axis.
    #[default]
    Auto,
    /// The number of labels; runs of which it is not known are left out.
    Labels,
    /// The values of the axis.
    Axis,
}

fn accuracy() -> String {
    "accuracy".to_owned()
}

fn one() -> u32 {
    1
}

fn test() -> String {
    "test".to_owned()
}

impl Params {
    /// Refuses figures in per cent: 49 beside 0.49 would be a silent nonsense.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(&wrong) = self.goals.iter().find(|goal| !(0.0..=1.0).contains(*goal)) {
            return Err(Error::Goal { value: wrong });
        }
        let of_means = |p: &&Published| {
            let spread = p.std.is_none_or(|std| p.runs > 1 && (0.0..=1.0).contains(&std));
            p.runs == 0 || !spread
        };
        if let Some(wrong) = self.published.iter().find(of_means) {
            return Err(Error::PublishedRuns { stage: wrong.stage.clone() });
        }
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
