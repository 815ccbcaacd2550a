//! A classifier fitted earlier, applied without refitting.

use scarce_artifact::{Classes, Embeddings};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    SplitName,
    answers::{predict, predicted, predictions},
    rule::load,
};

/// Parameters of `predict`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The splits to predict.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self { splits: SplitName::all() }
    }
}

/// The kind `predict`.
pub struct Predict;

impl Stage for Predict {
    type Params = Params;

    fn describe() -> Description {
        Description::new("predict", "A fitted classifier applied to features, without refitting")
            .doc(
                "Takes the `model` output of `dummy`, `knn` or `logistic-regression` and gives, on \
                 the features that it was fitted on, the predictions that came with it, bit for \
                 bit; on other features of the same width, those it would have given. Class names \
                 come from the model.",
            )
            .learns(Learns::nothing().keeping(predicted()))
            .input(Port::table::<Embeddings>("features", "One vector per image"))
            .input(Port::model("model", "classifier", "The fitted classifier"))
            .output(predictions())
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let (model, path) = context.model("model")?;
        let rule = load(&model, path)?;
        let fitted_on = &model.card.preprocessing["features"];
        let origin = &features.meta().origin;
        if fitted_on.as_str().is_some_and(|fitted_on| fitted_on != origin) {
            tracing::warn!("the model was fitted on features of {fitted_on}, these are `{origin}`");
        }
        let classes = Classes { classes: model.card.classes.clone() };
        predict(context, rule.as_ref(), &features, &classes, &params.splits)
    }
}

#[cfg(test)]
mod tests {
    use scarce_artifact::Tensor;
    use serde_json::json;

    use crate::testing::Bench;

    fn bench() -> Bench {
        let bench = Bench::new();
        bench.scattered("x", 1000, 7);
        let labels: Vec<(u32, i32)> = (0..40).map(|i| (i * 9, [0, 1, 3][i as usize % 3])).collect();
        bench.labels("y", &["a", "b", "none", "d"], &labels);
        bench
    }

    #[test]
    fn saved_classifiers_predict_the_same_bits() {
        let bench = bench();
        for (kind, params) in [
            ("dummy", json!({ "strategy": "stratified", "seed": 5 })),
            ("knn", json!({ "k": 3, "weights": "distance", "metric": "cosine" })),
            ("logistic-regression", json!({ "max_iter": 20 })),
            ("logistic-regression", json!({ "max_iter": 20, "standardise": true })),
        ] {
            bench.fit(kind, params, "x", "y", "fitted").unwrap();
            bench.predict("x", "fitted", "again").unwrap();
            assert_eq!(bench.bytes("fitted"), bench.bytes("again"), "{kind}");
        }
    }

    #[test]
    fn the_number_of_features_must_be_that_of_the_model() {
        let bench = bench();
        bench.fit("knn", json!({}), "x", "y", "fitted").unwrap();
        bench.scattered("wide", 10, 8);
        let failure = bench.predict("wide", "fitted", "again").unwrap_err();
        assert_eq!(failure.code, "classify::width");
        assert!(failure.message.contains("expects 7 numbers per image, the features have 8"));
    }

    #[test]
    fn models_that_make_no_sense_are_refused() {
        let bench = bench();
        for (kind, tensor) in
            [("dummy", "counts"), ("knn", "labels"), ("logistic-regression", "weights")]
        {
            bench.fit(kind, json!({}), "x", "y", "fitted").unwrap();
            bench.change_model("fitted", |model| {
                model
                    .tensors
                    .insert(tensor.to_owned(), Tensor { shape: vec![1], values: vec![9.5] });
            });
            let failure = bench.predict("x", "fitted", "again").unwrap_err();
            assert_eq!(failure.code, "artifact::model");
            bench.change_model("fitted", |model| model.card.classes.clear());
            assert_eq!(bench.predict("x", "fitted", "again").unwrap_err().code, "artifact::model");
            bench.change_model("fitted", |model| {
                model.card.classes.push("a".to_owned());
                model.card.kind = "autoencoder".to_owned();
            });
            let failure = bench.predict("x", "fitted", "again").unwrap_err();
            assert_eq!(failure.code, "classify::unknown_model");
        }
        bench.fit("knn", json!({}), "x", "y", "fitted").unwrap();
        bench.change_model("fitted", |model| {
            if let Some(labels) = model.tensors.get_mut("labels") {
                labels.values[3] = 4.0;
            }
        });
        let failure = bench.predict("x", "fitted", "again").unwrap_err();
        assert!(failure.message.contains("none of 4 classes"), "{}", failure.message);
    }

    #[test]
    fn a_number_that_is_not_one_is_named() {
        let bench = bench();
        bench.write_nan("bad");
        let failure = bench.fit("knn", json!({}), "bad", "y", "p").unwrap_err();
        assert_eq!(failure.code, "artifact::value");
        assert!(failure.message.contains("embedding"), "{}", failure.message);
    }
}
