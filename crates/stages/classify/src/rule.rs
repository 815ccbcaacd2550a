//! Fitted classifiers, and their way to a model file and back.

use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Classes, EmbeddingsMeta, Model, ModelCard, Tensor};
use scarce_neighbours::Metric;
use scarce_numeric::Matrix;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Error, dummy, knn, logistic};

/// What a rule says of some images.
pub(crate) struct Answers {
    /// Predicted class: `[n]`.
    pub(crate) label: Vec<u32>,
    /// Probability of each class: `[n, classes]`.
    pub(crate) probabilities: Vec<f32>,
}

impl Answers {
    /// The most probable classes; of equals the first.
    pub(crate) fn most_probable(probabilities: Vec<f32>, classes: usize) -> Self {
        Self { label: scarce_numeric::winners(&probabilities, classes), probabilities }
    }
}

/// A fitted classifier. What it answers depends on each image alone.
pub(crate) trait Rule {
    /// The kind that fits it.
    fn kind(&self) -> &'static str;

    /// Numbers per image that it needs; `None` when it does not look at them.
    fn width(&self) -> Option<usize>;

    /// Classes and probabilities for images with these ids and features: `x: [n, width]`.
    fn answer(&self, ids: &[u32], x: Matrix<'_>) -> Result<Answers, Error>;

    /// What rebuilds it: architecture and tensors.
    fn save(&self) -> (Value, BTreeMap<String, Tensor>);
}

/// How distances were meant when the model was fitted, in words that stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SavedMetric {
    Euclidean,
    Cosine,
}

impl From<SavedMetric> for Metric {
    fn from(metric: SavedMetric) -> Self {
        match metric {
            SavedMetric::Euclidean => Self::Euclidean,
            SavedMetric::Cosine => Self::Cosine,
        }
    }
}

impl From<scarce_artifact::Metric> for SavedMetric {
    fn from(metric: scarce_artifact::Metric) -> Self {
        match metric {
            scarce_artifact::Metric::Euclidean => Self::Euclidean,
            scarce_artifact::Metric::Cosine => Self::Cosine,
        }
    }
}

/// A rule as a model; `features` says what it was fitted on.
pub(crate) fn save(rule: &dyn Rule, classes: &Classes, features: &EmbeddingsMeta) -> Model {
    let (architecture, tensors) = rule.save();
    let card = ModelCard {
        kind: rule.kind().to_owned(),
        classes: classes.classes.clone(),
        architecture,
        preprocessing: json!({ "features": features.origin }),
    };
    Model { card, tensors }
}

/// The rule that [`save`] made a model of. `path` names it in messages.
pub(crate) fn load(model: &Model, path: &Path) -> Result<Box<dyn Rule>, Error> {
    if model.card.classes.is_empty() {
        return Err(damaged(path, "its card has no class names".to_owned()));
    }
    match model.card.kind.as_str() {
        "dummy" => Ok(Box::new(dummy::Fitted::load(model, path)?)),
        "knn" => Ok(Box::new(knn::Fitted::load(model, path)?)),
        "logistic-regression" => Ok(Box::new(logistic::Fitted::load(model, path)?)),
        kind => Err(Error::UnknownModel { path: path.to_owned(), kind: kind.to_owned() }),
    }
}

/// The card's architecture, typed.
pub(crate) fn architecture<A: DeserializeOwned>(model: &Model, path: &Path) -> Result<A, Error> {
    serde_json::from_value(model.card.architecture.clone())
        .map_err(|error| damaged(path, format!("its architecture is wrong: {error}")))
}

/// Whole numbers below `limit` that were saved as floats.
pub(crate) fn indices(values: &[f32], limit: usize, path: &Path) -> Result<Vec<u32>, Error> {
    let index = |&value: &f32| {
        let whole = value >= 0.0 && value.fract() == 0.0 && (value as usize) < limit;
        whole.then_some(value as u32)
    };
    values
        .iter()
        .map(index)
        .collect::<Option<_>>()
        .ok_or_else(|| damaged(path, format!("it holds a label that is none of {limit} classes")))
}

/// A model that says something impossible.
pub(crate) fn damaged(path: &Path, message: String) -> Error {
    Error::Table(scarce_artifact::Error::Model { path: path.to_owned(), message })
}
