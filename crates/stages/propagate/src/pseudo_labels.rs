//! What a classifier predicts, taken for labels.

use scarce_artifact::{Labels, Predictions, Split};
use scarce_stage::{Context, Description, Failure, Knowledge, Learns, Needs, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    error::within,
    found::{Found, Given, table},
};

/// Parameters of `pseudo-labels`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The share of the images predicted to be of each class that becomes labels, the most probable
    /// first: classes keep the sizes that the classifier gives them.
    #[schemars(range(min = 0, max = 1))]
    pub keep: f64,
    /// Predictions less probable than this are left out.
    #[schemars(range(min = 0, max = 1))]
    pub min_probability: f32,
}

impl Default for Params {
    fn default() -> Self {
        Self { keep: 1.0, min_probability: 0.0 }
    }
}

/// The kind `pseudo-labels`.
pub struct PseudoLabels;

impl Stage for PseudoLabels {
    type Params = Params;

    fn describe() -> Description {
        Description::new("pseudo-labels", "A classifier's most confident predictions, as labels")
            .needs(Needs::light())
            .doc(
                "D.-H. Lee, *Pseudo-label: the simple and efficient semi-supervised learning method \
                 for deep neural networks*, ICML workshop 2013: the class that a classifier holds \
                 for most probable is taken for the truth, so that another one, or a graph, learns \
                 from it.\n\nLabels that were given stay as they are; propagated ones among `labels` \
                 give way. Confidence is the probability. Of equally probable images the one with \
                 the smaller id comes first. Test images get no label.",
            )
            .with_same_classes()
            .learns(
                Learns::images("predictions", Splits::learnable())
                    .and("labels", Splits::learnable(), Knowledge::Labels)
                    .keeping(Splits::learnable()),
            )
            .input(Port::table::<Predictions>("predictions", "Class and probabilities of each image"))
            .input(Port::table::<Labels>("labels", "The labels that were given"))
            .output(Port::table::<Labels>("labels", "Given and predicted labels"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        within("keep", params.keep as f32, 0.0, 1.0)?;
        within("min_probability", params.min_probability, 0.0, 1.0)?;
        let predictions = context.input::<Predictions>("predictions")?;
        let labels = context.input::<Labels>("labels")?;
        let classes = labels.meta().clone();
        if predictions.meta() != &classes {
            let (labels, predictions) = (labels.path().to_owned(), predictions.path().to_owned());
            return Err(Error::OtherClasses { labels, predictions }.into());
        }
        let given = Given::read(&labels)?;
        let mut all: Vec<Found> =
            given.all().iter().filter(|found| found.is_given()).copied().collect();
        let stays: Vec<u32> = all.iter().map(|found| found.id).collect();
        let mut of_class: Vec<Vec<Found>> = vec![Vec::new(); classes.len()];
        let mut predicted = 0;
        for batch in predictions.batches(scarce_artifact::batch_rows(4 * classes.len())) {
            let batch = batch?;
            for row in 0..batch.id.len() {
                let (id, label) = (batch.id[row], batch.label[row]);
                if batch.split[row] == Split::Test || stays.binary_search(&id).is_ok() {
                    continue;
                }
                predicted += 1;
                let Some(members) = usize::try_from(label).ok().and_then(|at| of_class.get_mut(at))
                else {
                    continue;
                };
                let probability = batch.probabilities.row(row)[label as usize];
                members.push(Found::propagated(id, label, probability));
            }
        }
        for mut members in of_class {
            members.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.id.cmp(&b.id)));
            members.truncate((params.keep * members.len() as f64).ceil() as usize);
            members.retain(|found| found.confidence >= params.min_probability);
            all.extend(members);
        }
        tracing::info!("{} of {predicted} predictions became labels", all.len() - stays.len());
        context.write("labels", classes, table(all))
    }
}

#[cfg(test)]
mod tests {
    use scarce_artifact::{Classes, LabelSource, Vectors};
    use serde_json::{Value, json};

    use crate::testing::{Bench, labels, mixed};

    use super::*;

    const SPLITS: [Split; 7] = [
        Split::Train,
        Split::Train,
        Split::Train,
        Split::Train,
        Split::Test,
        Split::Pool,
        Split::Train,
    ];

    /// Seven images of two classes, of which the fifth is for testing.
    fn bench() -> Bench {
        let bench = Bench::new();
        let first = [0.9_f32, 0.8, 0.7, 0.6, 1.0, 0.2, 0.9];
        let table = Predictions {
            id: (0..7).collect(),
            split: SPLITS.to_vec(),
            label: first.iter().map(|p| i32::from(*p < 0.5)).collect(),
            probabilities: Vectors::new(2, first.iter().flat_map(|p| [*p, 1.0 - p]).collect()),
        };
        bench.write("p", Classes::new(["a", "b"]), table);
        bench.labels(2, labels(&[(1, 1)]));
        bench
    }

    fn run(bench: &Bench, params: Value) -> Result<Vec<(u32, i32)>, Failure> {
        bench.run("pseudo-labels", params, [("predictions", "p"), ("labels", "y")])?;
        let found = bench.read();
        Ok(found.id.into_iter().zip(found.label).collect())
    }

    #[test]
    fn are_what_is_predicted_but_of_test_images_and_of_those_with_a_label() {
        let bench = bench();
        let all = run(&bench, json!({})).unwrap();
        assert_eq!(all, [(0, 0), (1, 1), (2, 0), (3, 0), (5, 1), (6, 0)]);
        let found = bench.read();
        assert_eq!(found.source[1], LabelSource::Given);
        assert_eq!((found.source[0], found.confidence[0]), (LabelSource::Propagated, 0.9));
        bench.labels(2, mixed(&[(1, 1, LabelSource::Given), (3, 1, LabelSource::Propagated)]));
        assert_eq!(run(&bench, json!({})).unwrap(), all);
    }

    #[test]
    fn are_the_most_probable_of_every_class() {
        let bench = bench();
        let half = run(&bench, json!({ "keep": 0.5 })).unwrap();
        assert_eq!(half, [(0, 0), (1, 1), (5, 1), (6, 0)]);
        let least = run(&bench, json!({ "keep": 0.1 })).unwrap();
        assert_eq!(least, [(0, 0), (1, 1), (5, 1)], "of equals the first");
        let sure = run(&bench, json!({ "min_probability": 0.65 })).unwrap();
        assert_eq!(sure, [(0, 0), (1, 1), (2, 0), (5, 1), (6, 0)]);
    }

    #[test]
    fn refuse_other_classes_and_more_than_all() {
        let bench = bench();
        assert_eq!(run(&bench, json!({ "keep": 1.5 })).unwrap_err().code, "propagate::parameter");
        bench.labels(3, labels(&[(1, 1)]));
        assert_eq!(run(&bench, json!({})).unwrap_err().code, "propagate::other_classes");
    }
}
