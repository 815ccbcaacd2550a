//! The vote of the k nearest labelled images.

use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Model, Tensor};
use scarce_neighbours::{
    neighbours,
    vote::{self, Weighting},
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, SplitName,
    answers::{Inputs, fitting_kind},
    rule::{Answers, Rule, SavedMetric, architecture, damaged, indices},
};

/// How much a neighbour's vote counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// All the same.
    #[default]
    Uniform,
    /// 1 / distance; neighbours at distance 0, if there are any, decide alone.
    Distance,
}

/// How distance is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// As the features say that they are meant to be compared.
    #[default]
    Own,
    /// Straight-line distance.
    Euclidean,
    /// One minus the cosine of the angle, in 32-bit numbers: images that differ by less than 10⁻⁶
    /// are equally near.
    Cosine,
}

impl Metric {
    fn resolve(self, own: scarce_artifact::Metric) -> SavedMetric {
        match self {
            Self::Own => own.into(),
            Self::Euclidean => SavedMetric::Euclidean,
            Self::Cosine => SavedMetric::Cosine,
        }
    }
}

/// Parameters of `knn`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many neighbours vote; at most as many as there are labelled images.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// How much a neighbour's vote counts.
    pub weights: Weights,
    /// How distance is measured; `own` takes the metric that the features are meant for.
    pub metric: Metric,
    /// The splits to predict.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        let (weights, metric) = (Weights::default(), Metric::default());
        Self { k: 1, weights, metric, splits: SplitName::all() }
    }
}

/// The kind `knn`.
pub struct Knn;

impl Stage for Knn {
    type Params = Params;

    fn describe() -> Description {
        fitting_kind(
            "knn",
            "The class that most of the k nearest labelled images have",
            "The k-nearest-neighbour rule (Cover and Hart, *Nearest neighbor pattern \
             classification*, IEEE Trans. Information Theory 13, 1967). The search is exact; of \
             equally near images the one with the smaller id is nearer, of classes with equally \
             many votes the first wins. A labelled image is its own neighbour. Probabilities are \
             shares of the votes, as in scikit-learn's `KNeighborsClassifier`.\n\nThe model keeps \
             the labelled images: `vectors: [n, d]` and `labels: [n]`, by ascending id.",
        )
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let inputs = Inputs::open(context)?;
        let labelled = inputs.labelled.len();
        if params.k > labelled {
            return Err(Error::TooFewNeighbours { k: params.k, labelled }.into());
        }
        let fitted = Fitted {
            rule: Architecture {
                k: params.k,
                weights: params.weights,
                metric: params.metric.resolve(inputs.features.meta().metric),
                images: labelled,
                width: inputs.labelled.width,
            },
            classes: inputs.classes.len(),
            vectors: inputs.labelled.features.clone(),
            labels: inputs.labelled.label.clone(),
        };
        inputs.finish(context, &fitted, &params.splits)
    }
}

#[derive(Serialize, Deserialize)]
struct Architecture {
    k: usize,
    weights: Weights,
    metric: SavedMetric,
    /// Labelled images, n.
    images: usize,
    /// Numbers per image, d.
    width: usize,
}

/// The labelled images.
pub(crate) struct Fitted {
    rule: Architecture,
    classes: usize,
    /// `[n, d]`.
    vectors: Vec<f32>,
    /// `[n]`.
    labels: Vec<u32>,
}

impl Fitted {
    pub(crate) fn load(model: &Model, path: &Path) -> Result<Self, Error> {
        let rule: Architecture = architecture(model, path)?;
        if rule.k == 0 || rule.k > rule.images || rule.width == 0 {
            return Err(damaged(path, format!("{} of {} neighbours", rule.k, rule.images)));
        }
        let classes = model.card.classes.len();
        let vectors = model.tensor(path, "vectors", &[rule.images, rule.width])?.values.clone();
        let labels = &model.tensor(path, "labels", &[rule.images])?.values;
        Ok(Self { labels: indices(labels, classes, path)?, rule, classes, vectors })
    }
}

impl Rule for Fitted {
    fn kind(&self) -> &'static str {
        "knn"
    }

    fn width(&self) -> Option<usize> {
        Some(self.rule.width)
    }

    fn answer(&self, _: &[u32], x: Matrix<'_>) -> Result<Answers, Error> {
        let Architecture { k, weights, metric, images, width } = self.rule;
        let base = Matrix::new(&self.vectors, images, width)?;
        let found = neighbours::nearest_neighbours(x, base, k, metric.into())?;
        let weighting = match weights {
            Weights::Uniform => Weighting::Uniform,
            Weights::Distance => Weighting::Distance,
        };
        let probabilities = vote::vote(&found, &self.labels, self.classes, weighting)?;
        Ok(Answers::most_probable(probabilities, self.classes))
    }

    fn save(&self) -> (Value, BTreeMap<String, Tensor>) {
        let Architecture { images, width, .. } = self.rule;
        let vectors = Tensor { shape: vec![images, width], values: self.vectors.clone() };
        let labels = Tensor {
            shape: vec![images],
            values: self.labels.iter().map(|&label| label as f32).collect(),
        };
        (
            serde_json::to_value(&self.rule).unwrap_or_default(),
            BTreeMap::from([("vectors".to_owned(), vectors), ("labels".to_owned(), labels)]),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Bench, on_threads};

    /// Points on a line; 10 and 40 are labelled.
    fn bench() -> Bench {
        let bench = Bench::new();
        bench.features("x", 2, (0..50).map(|id| (id, vec![id as f32, 1.0])));
        bench.labels("y", &["low", "high", "never"], &[(40, 1), (10, 0)]);
        bench
    }

    #[test]
    fn the_nearest_labelled_image_decides() {
        let bench = bench();
        bench.fit("knn", json!({}), "x", "y", "p").unwrap();
        let found = bench.predictions("p");
        assert_eq!(found.id, (0..50).collect::<Vec<u32>>());
        // 25 is as far from 10 as from 40: the smaller id is the nearer.
        let expected: Vec<i32> = (0..50).map(|id| i32::from(id > 25)).collect();
        assert_eq!(found.label, expected);
        assert_eq!(found.probabilities.row(0), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn votes_may_be_weighted_by_distance() {
        let bench = bench();
        let params = json!({ "k": 2, "weights": "distance", "metric": "euclidean" });
        bench.fit("knn", params, "x", "y", "p").unwrap();
        let found = bench.predictions("p");
        assert_eq!(found.probabilities.row(10), [1.0, 0.0, 0.0]);
        let row = found.probabilities.row(20);
        assert!((row[0] - 2.0 / 3.0).abs() < 1e-6 && row[2] == 0.0, "{row:?}");
    }

    #[test]
    fn the_metric_comes_from_the_features_unless_it_is_given() {
        let bench = Bench::new();
        // By angle image 2 belongs to 0, by distance to 1.
        let points = [(0, vec![10.0, 0.0]), (1, vec![0.0, 1.0]), (2, vec![1.0, 0.1])];
        bench.labels("y", &["a", "b"], &[(0, 0), (1, 1)]);
        for (metric, param, expected) in [
            (scarce_artifact::Metric::Cosine, "own", 0),
            (scarce_artifact::Metric::Cosine, "euclidean", 1),
            (scarce_artifact::Metric::Euclidean, "own", 1),
            (scarce_artifact::Metric::Euclidean, "cosine", 0),
        ] {
            bench.features_with("x", metric, 2, points.clone());
            bench.fit("knn", json!({ "metric": param }), "x", "y", "p").unwrap();
            assert_eq!(bench.predictions("p").label[2], expected);
        }
    }

    #[test]
    fn neither_threads_nor_the_order_of_rows_matter() {
        let bench = Bench::new();
        bench.scattered("x", 3000, 5);
        let labels: Vec<(u32, i32)> = (0..60).map(|i| (i * 7, (i % 3) as i32)).collect();
        bench.labels("y", &["a", "b", "c"], &labels);
        let params = json!({ "k": 5, "weights": "distance" });
        let run = |threads| {
            on_threads(threads, || bench.fit("knn", params.clone(), "x", "y", "p").unwrap());
            bench.predictions("p")
        };
        let one = run(1);
        assert_eq!(one, run(3));
        bench.reverse_features("x");
        bench.labels("y", &["a", "b", "c"], &labels.into_iter().rev().collect::<Vec<_>>());
        let mut reversed = run(2);
        reversed.label.reverse();
        assert_eq!(one.label, reversed.label);
    }

    #[test]
    fn too_many_neighbours_are_refused() {
        let bench = bench();
        let failure = bench.fit("knn", json!({ "k": 3 }), "x", "y", "p").unwrap_err();
        assert_eq!(failure.code, "classify::too_few_neighbours");
        assert!(failure.message.contains("`k` is 3, but only 2"), "{}", failure.message);
        assert!(bench.fit("knn", json!({ "k": 0 }), "x", "y", "p").is_err());
        assert!(bench.fit("knn", json!({ "neighbours": 1 }), "x", "y", "p").is_err());
    }

    #[test]
    fn only_the_splits_asked_for_are_predicted() {
        let bench = bench();
        // Ids from 45 are test images: see `Bench::features`.
        bench.split_from("x", 45);
        bench.fit("knn", json!({ "splits": ["test"] }), "x", "y", "p").unwrap();
        assert_eq!(bench.predictions("p").id, [45, 46, 47, 48, 49]);
        let failure = bench.fit("knn", json!({ "splits": ["pool"] }), "x", "y", "p").unwrap_err();
        assert_eq!(failure.code, "classify::no_images");
        bench.labels("y", &["a", "b"], &[(46, 0)]);
        let failure = bench.fit("knn", json!({}), "x", "y", "p").unwrap_err();
        assert_eq!(failure.code, "artifact::no_labelled");
    }
}
