//! Labels from the nearest labelled images.

use scarce_artifact::{Embeddings, Labelled, Labels, Reader, Split};
use scarce_neighbours::{
    neighbours,
    vote::{self, Weighting},
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Metric,
    error::within,
    found::{Found, table},
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

impl From<Weights> for Weighting {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Uniform => Self::Uniform,
            Weights::Distance => Self::Distance,
        }
    }
}

/// Parameters of `propagate-neighbours`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many labelled neighbours vote; at most as many as there are labelled images.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// How much a neighbour's vote counts.
    pub weights: Weights,
    /// How distance is measured; `own` takes the metric that the features are meant for.
    pub metric: Metric,
    /// Images whose winning class has a smaller share of the votes than this get no label.
    #[schemars(range(min = 0, max = 1))]
    pub min_confidence: f32,
}

impl Default for Params {
    fn default() -> Self {
        let (weights, metric) = (Weights::default(), Metric::default());
        Self { k: 1, weights, metric, min_confidence: 0.0 }
    }
}

/// The kind `propagate-neighbours`.
pub struct PropagateNeighbours;

impl Stage for PropagateNeighbours {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "propagate-neighbours",
            "Each image takes the label of its nearest labelled images",
        )
        .doc(
            "Pseudo-labels by the k-nearest-neighbour rule (Cover and Hart, IEEE Trans. \
             Information Theory 13, 1967) for every image that is not in the test split. The \
             search is exact; of equally near images the one with the smaller id is nearer, of \
             classes with equally many votes the first wins. Given labels are kept, with their \
             source.\n\nThe confidence of a propagated label is its share of the votes: always 1 \
             when k is 1. Memory holds the labelled rows and one batch of the others.",
        )
        .learns(
            Learns::labels("features", Splits::learnable())
                .keeping(Splits::learnable())
                .rows_of(&["features"]),
        )
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "The labels of all images that were reached"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        within("min_confidence", params.min_confidence, 0.0, 1.0)?;
        let features = context.input::<Embeddings>("features")?;
        let labels = context.input::<Labels>("labels")?;
        let labelled = Labelled::gather(&features, &labels)?;
        let (k, known) = (params.k, labelled.len());
        if k > known {
            return Err(Error::TooFewNeighbours { k, labelled: known }.into());
        }
        if labelled.unknown + labelled.test > 0 {
            tracing::warn!(
                "{} labels are of images that the features do not have, {} of test images; they \
                 were left out",
                labelled.unknown,
                labelled.test
            );
        }
        let found = spread(&params, &features, &labelled, labels.meta().len(), context)?;
        context.write("labels", labels.meta().clone(), table(found))
    }
}

/// Labels for all images that are not in the test split.
fn spread(
    params: &Params,
    features: &Reader<Embeddings>,
    labelled: &Labelled,
    classes: usize,
    context: &Context,
) -> Result<Vec<Found>, Error> {
    let given = |row: usize| Found {
        id: labelled.id[row],
        label: labelled.label[row] as i32,
        source: labelled.source[row],
        confidence: labelled.confidence[row],
    };
    let mut found: Vec<Found> = (0..labelled.len()).map(given).collect();
    let base = Matrix::new(&labelled.features, labelled.len(), labelled.width)?;
    let metric = params.metric.resolve(features.meta().metric);
    let (mut done, mut unsure) = (0, 0_usize);
    for batch in features.stream()? {
        let batch = batch?;
        done += batch.id.len() as u64;
        let (ids, values) = unlabelled(&batch, labelled);
        if !ids.is_empty() {
            let x = Matrix::new(&values, ids.len(), labelled.width)?;
            let near = neighbours::nearest_neighbours(x, base, params.k, metric)?;
            let votes = vote::vote(&near, &labelled.label, classes, params.weights.into())?;
            let winners = scarce_numeric::winners(&votes, classes);
            for ((id, label), shares) in ids.iter().zip(winners).zip(votes.chunks(classes)) {
                let share = shares[label as usize];
                if share < params.min_confidence {
                    unsure += 1;
                } else {
                    found.push(Found::propagated(*id, label as i32, share));
                }
            }
        }
        context.progress(done, features.rows() as u64, "images", "");
    }
    tracing::info!(
        "{} labelled from {}, {unsure} left out below the least confidence",
        counted(found.len() - labelled.len(), "image"),
        labelled.len()
    );
    Ok(found)
}

/// Ids and vectors of the images of a batch that want a label.
fn unlabelled(batch: &Embeddings, labelled: &Labelled) -> (Vec<u32>, Vec<f32>) {
    let wanted = |row: &usize| {
        batch.split[*row] != Split::Test && labelled.id.binary_search(&batch.id[*row]).is_err()
    };
    let rows: Vec<usize> = (0..batch.id.len()).filter(wanted).collect();
    let values = rows.iter().flat_map(|&row| batch.embedding.row(row)).copied().collect();
    (rows.iter().map(|&row| batch.id[row]).collect(), values)
}

#[cfg(test)]
mod tests {
    use scarce_artifact::{Classes, EmbeddingsMeta, LabelSource, Vectors};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Bench, labels, on_threads};

    /// Points on a line, the ids from 40 on test images.
    fn line(ids: impl Iterator<Item = u32>) -> Embeddings {
        let id: Vec<u32> = ids.collect();
        Embeddings {
            split: id.iter().map(|id| if *id < 40 { Split::Train } else { Split::Test }).collect(),
            embedding: Vectors::new(2, id.iter().flat_map(|&id| [id as f32, 1.0]).collect()),
            id,
        }
    }

    fn bench(features: Embeddings, given: &[(u32, i32)]) -> Bench {
        let bench = Bench::new();
        bench.write("x", EmbeddingsMeta::default(), features);
        bench.write("y", Classes::new(["a", "b", "c"]), labels(given));
        bench
    }

    fn run(bench: &Bench, params: Value) -> Result<Labels, Failure> {
        bench.run("propagate-neighbours", params, [("features", "x"), ("labels", "y")])?;
        Ok(bench.read())
    }

    #[test]
    fn every_image_but_the_test_images_gets_the_nearest_label() {
        let bench = bench(line(0..50), &[(30, 2), (10, 0)]);
        let found = run(&bench, json!({})).unwrap();
        assert_eq!(found.id, (0..40).collect::<Vec<u32>>());
        // 20 is as far from 10 as from 30.
        let expected: Vec<i32> = (0..40).map(|id| if id > 20 { 2 } else { 0 }).collect();
        assert_eq!(found.label, expected);
        assert_eq!(
            (found.source[10], found.source[11]),
            (LabelSource::Given, LabelSource::Propagated)
        );
        assert_eq!(bench.meta().classes, ["a", "b", "c"]);
    }

    #[test]
    fn confidence_is_the_share_of_votes_and_may_be_asked_for() {
        let bench = bench(line(0..50), &[(30, 2), (10, 0)]);
        let params = json!({ "k": 2, "weights": "distance", "min_confidence": 0.75 });
        let found = run(&bench, params).unwrap();
        // At 15 the votes are 1/5 and 1/15: three quarters.
        let row = found.id.iter().position(|id| *id == 15).unwrap();
        assert!((found.confidence[row] - 0.75).abs() < 1e-6);
        assert!(!found.id.contains(&16) && !found.id.contains(&24) && found.id.contains(&25));
        assert!(found.id.contains(&10));
    }

    #[test]
    fn neither_threads_nor_the_order_of_rows_change_a_byte() {
        let given: Vec<(u32, i32)> = (0..13).map(|i| (i * 3, (i % 3) as i32)).collect();
        let params = json!({ "k": 4, "weights": "distance" });
        let bytes = |features: Embeddings, given: &[(u32, i32)], threads| {
            let bench = bench(features, given);
            on_threads(threads, || run(&bench, params.clone()).unwrap());
            bench.bytes()
        };
        let one = bytes(line(0..50), &given, 1);
        assert!(one == bytes(line(0..50), &given, 3));
        let backwards: Vec<(u32, i32)> = given.iter().rev().copied().collect();
        assert!(one == bytes(line((0..50).rev()), &backwards, 2));
    }

    #[test]
    fn the_metric_may_be_chosen() {
        let points = Embeddings {
            id: vec![0, 1, 2],
            split: vec![Split::Pool; 3],
            embedding: Vectors::new(2, vec![10.0, 0.0, 0.0, 1.0, 1.0, 0.1]),
        };
        let bench = bench(points, &[(0, 0), (1, 1)]);
        assert_eq!(run(&bench, json!({})).unwrap().label[2], 1);
        assert_eq!(run(&bench, json!({ "metric": "cosine" })).unwrap().label[2], 0);
    }

    #[test]
    fn wrong_input_is_refused() {
        let bench = bench(line(0..50), &[(30, 2), (10, 0), (45, 1)]);
        let failure = run(&bench, json!({ "k": 3 })).unwrap_err();
        assert_eq!(failure.code, "propagate::too_few_neighbours");
        assert!(failure.message.contains("`k` is 3, but only 2"));
        let failure = run(&bench, json!({ "min_confidence": 1.5 })).unwrap_err();
        assert_eq!(failure.code, "propagate::parameter");
        assert!(run(&bench, json!({ "k": 0 })).is_err());
        bench.write("y", Classes::new(["a"]), labels(&[(45, 0)]));
        assert_eq!(run(&bench, json!({})).unwrap_err().code, "artifact::no_labelled");
        let mut features = line(0..3);
        features.embedding.values[3] = f32::NAN;
        bench.write("x", EmbeddingsMeta::default(), features);
        assert_eq!(run(&bench, json!({})).unwrap_err().code, "artifact::value");
    }
}
