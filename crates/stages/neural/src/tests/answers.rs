use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Model, ModelCard, Tensor as Saved};

use super::*;
use crate::objective::Objective;

/// Answers that `NumPy` gives: see `fixtures/make_fixtures.py`.
struct Known(Value);

impl Known {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../fixtures/mlp.json")).unwrap())
    }

    fn numbers(&self, name: &str) -> Vec<f32> {
        serde_json::from_value(self.0[name].clone()).unwrap()
    }

    fn network(&self) -> Network {
        let tensors: BTreeMap<String, Value> =
            serde_json::from_value(self.0["tensors"].clone()).unwrap();
        let saved = tensors.into_iter().map(|(name, tensor)| {
            let shape = serde_json::from_value(tensor["shape"].clone()).unwrap();
            let values = serde_json::from_value(tensor["values"].clone()).unwrap();
            (name, Saved { shape, values })
        });
        let card = ModelCard {
            kind: "mlp".to_owned(),
            classes: Vec::new(),
            architecture: Value::Null,
            preprocessing: Value::Null,
        };
        let model = Model { card, tensors: saved.collect() };
        let blueprint = Blueprint {
            input: Input::Features { width: 5 },
            planes: None,
            hidden: serde_json::from_value(self.0["hidden"].clone()).unwrap(),
            activation: Activation::Tanh,
            batch_norm: true,
            dropout: 0.5,
            learnt: vec![0, 1, 2],
        };
        let variables = Variables::of_model(tch::Device::Cpu, model, Path::new("known"));
        Network::new(&variables, &blueprint).unwrap()
    }
}

#[test]
fn of_known_weights_are_as_numpy_computes_them() {
    let known = Known::read();
    let x = Tensor::from_slice(&known.numbers("x")).view([8, 5]);
    let outputs = known.network().forward(&x, &mut Mode::Applied).unwrap();
    let found: Vec<f32> = scarce_nn::numbers(&outputs).unwrap();
    for (found, expected) in found.iter().zip(known.numbers("outputs")) {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }
}

#[test]
fn have_the_losses_that_numpy_computes() {
    let known = Known::read();
    let outputs = Tensor::from_slice(&known.numbers("outputs")).view([8, 3]);
    let labels: Vec<i64> = serde_json::from_value(known.0["labels"].clone()).unwrap();
    let (labels, weights) =
        (Tensor::from_slice(&labels), Tensor::from_slice(&known.numbers("weights")));
    let plain = Objective::CrossEntropy { smoothing: 0.0 };
    for (name, objective, weights) in [
        ("cross_entropy", plain, None),
        ("smoothed", Objective::CrossEntropy { smoothing: 0.1 }, None),
        ("generalised_0.7", Objective::Generalised { q: 0.7 }, None),
        ("generalised_1", Objective::Generalised { q: 1.0 }, None),
        ("weighted", plain, Some(&weights)),
    ] {
        let found = objective.mean(&outputs, &labels, weights).unwrap().double_value(&[]);
        let expected = known.0["losses"][name].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-5, "{name}: {found} is not {expected}");
    }
}

#[test]
fn are_probabilities_and_nothing_for_classes_without_labels() {
    let bench = bench();
    fit(&bench, json!({ "epochs": 20 }), "net").unwrap();
    let found = bench.predictions("net");
    assert_eq!(found.id.len(), 400);
    for (row, &label) in found.probabilities.iter_rows().zip(&found.label) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
        assert!(row[1] == 0.0 && row[3] == 0.0, "{row:?}");
        assert!(row.iter().all(|&p| p <= row[label as usize]), "{label}: {row:?}");
    }
}

#[test]
fn are_of_the_splits_asked_for_in_the_order_of_the_features() {
    let bench = bench();
    bench.features("x", (0..300).chain(1000..1100).rev().map(|id| (id, circle(id).0)));
    fit(&bench, json!({ "epochs": 1, "splits": ["test"] }), "net").unwrap();
    assert_eq!(bench.predictions("net").id, (1000..1100).rev().collect::<Vec<u32>>());
}
