use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Model, ModelCard, Shape, Tensor as Saved};
use scarce_nn::{Padding, Planes};

use super::*;

const SIDE: usize = 12;
const SHAPE: Shape = Shape { height: SIDE, width: SIDE, channels: 1 };

/// A bright bar somewhere on a dark ground; the class says which way it lies.
fn bar(id: u32) -> (Vec<u8>, i32) {
    let at = |column| 1 + (unit(id, column) * 6.0) as usize;
    let (down, across, lies) = (at(0), at(1), unit(id, 2) < 0.5);
    let mut pixels: Vec<u8> =
        (0..SIDE * SIDE).map(|i| (unit(id, 3 + i as u32) * 90.0) as u8).collect();
    for step in 0..5 {
        let (y, x) = if lies { (down, across + step) } else { (down + step, across) };
        pixels[y * SIDE + x] = 200;
    }
    (pixels, if lies { 0 } else { 2 })
}

/// Bars with ids 0 to 199, of which every other is labelled, and 1000 to 1099 for testing.
fn bars() -> Bench {
    let bench = Bench::new();
    bench.images("x", SHAPE, (0..200).chain(1000..1100).map(|id| (id, bar(id).0)));
    let labels: Vec<(u32, i32)> = (0..200).step_by(2).map(|id| (id, bar(id).1)).collect();
    bench.labels("y", &CLASSES, &labels);
    bench
}

fn fit(bench: &Bench, params: Value, output: &str) -> Result<(), scarce_stage::Failure> {
    bench.run("cnn", params, &[("images", "x"), ("labels", "y")], output)
}

fn right(bench: &Bench, output: &str) -> usize {
    let found = bench.predictions(output);
    let both = found.id.iter().zip(&found.label);
    both.filter(|(id, label)| **id >= 1000 && bar(**id).1 == **label).count()
}

fn small() -> Value {
    json!({ "channels": [8], "kernel": 3, "hidden": [16], "epochs": 60, "learning_rate": 0.01 })
}

fn with(more: Value) -> Value {
    let (mut params, Value::Object(more)) = (small(), more) else { panic!("an object") };
    params.as_object_mut().unwrap().extend(more);
    params
}

#[test]
fn of_known_weights_are_as_numpy_computes_them() {
    let known: Value = serde_json::from_str(include_str!("../../fixtures/cnn.json")).unwrap();
    let numbers = |value: &Value| serde_json::from_value::<Vec<f32>>(value.clone()).unwrap();
    let shape = Shape { height: 12, width: 11, channels: 2 };
    assert_eq!(known["shape"], json!([12, 11, 2]));
    let pixels: Vec<f32> = numbers(&known["pixels"]).iter().map(|byte| byte / 255.0).collect();
    let x = Tensor::from_slice(&pixels).view([5, 12 * 11 * 2]);
    for case in known["cases"].as_array().unwrap() {
        let tensors: BTreeMap<String, Value> =
            serde_json::from_value(case["tensors"].clone()).unwrap();
        let saved = tensors.into_iter().map(|(name, tensor)| {
            let shape = serde_json::from_value(tensor["shape"].clone()).unwrap();
            (name, Saved { shape, values: numbers(&tensor["values"]) })
        });
        let card = ModelCard {
            kind: "cnn".to_owned(),
            classes: Vec::new(),
            architecture: Value::Null,
            preprocessing: Value::Null,
        };
        let padding: Padding = serde_json::from_value(case["padding"].clone()).unwrap();
        let kernel = case["kernel"].as_u64().unwrap() as usize;
        let blueprint = Blueprint {
            input: Input::Images(shape),
            planes: Some(Planes { channels: vec![3, 4], kernel, padding, stride: 1, pool: 2 }),
            hidden: vec![6],
            activation: Activation::Relu,
            batch_norm: false,
            dropout: 0.5,
            learnt: vec![0, 1, 2],
        };
        let model = Model { card, tensors: saved.collect() };
        let variables = Variables::of_model(tch::Device::Cpu, model, Path::new("known"));
        let network = Network::new(&variables, &blueprint).unwrap();
        let outputs = network.forward(&x, &mut Mode::Applied).unwrap();
        let features = network.features(&x).unwrap();
        assert_eq!(features.size(), [5, blueprint.features().unwrap() as i64]);
        for (name, found) in [("outputs", outputs), ("features", features)] {
            let found: Vec<f32> = scarce_nn::numbers(&found).unwrap();
            let expected = numbers(&case[name]);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let near = 1e-4 * expected.abs().max(1.0);
                assert!((found - expected).abs() < near, "{name}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn are_told_apart_wherever_the_pattern_lies() {
    let bench = bars();
    for more in [
        json!({}),
        json!({ "augmentation": {}, "epochs": 200 }),
        json!({ "padding": "same", "batch_norm": true }),
        json!({ "channels": [8, 8], "schedule": "cosine", "hidden": [] }),
        json!({ "augmentation": { "elastic": 0.05, "mirror": true }, "loss": "generalised-cross-entropy" }),
    ] {
        fit(&bench, with(more.clone()), "net").unwrap();
        assert!(right(&bench, "net") >= 90, "{more}: {}", right(&bench, "net"));
    }
    // what is turned by up to a half circle cannot be told any more
    let turned = json!({ "augmentation": { "rotation": 180.0, "shift": 0.0 } });
    fit(&bench, with(turned), "net").unwrap();
    assert!(right(&bench, "net") < 80, "{}", right(&bench, "net"));
}

#[test]
fn give_the_same_bytes_again_and_when_they_are_predicted_later() {
    let bench = bars();
    let params = with(json!({ "epochs": 2, "augmentation": { "elastic": 0.1 }, "dropout": 0.5 }));
    fit(&bench, params.clone(), "net").unwrap();
    fit(&bench, params, "replica").unwrap();
    let inputs = [("images", "x"), ("model", "net-model")];
    bench.run("neural-predict", json!({}), &inputs, "again").unwrap();
    let bytes = |output: &str| bench.bytes(output, "predictions.parquet");
    assert!(bytes("net") == bytes("replica") && bytes("net") == bytes("again"));
    bench.run("neural-features", json!({}), &inputs, "seen").unwrap();
    let seen = bench.embeddings("seen");
    assert_eq!((seen.id, seen.embedding.width), (bench.predictions("net").id, 16));
    assert!(seen.embedding.values.iter().all(|&x| x >= 0.0));
}

#[test]
fn must_be_large_enough_and_those_of_the_model() {
    let bench = bars();
    let failure =
        fit(&bench, with(json!({ "channels": [4, 4, 4], "kernel": 5 })), "net").unwrap_err();
    assert_eq!(failure.code, "nn::parameter");
    assert!(failure.message.contains("convolution 2 sees 4 × 4"), "{}", failure.message);
    fit(&bench, with(json!({ "epochs": 1 })), "net").unwrap();
    let wide = Shape { width: 13, ..SHAPE };
    bench.images("wide", wide, [(0, vec![0; wide.pixels()])]);
    for kind in ["neural-predict", "neural-features"] {
        let inputs = [("images", "wide"), ("model", "net-model")];
        let failure = bench.run(kind, json!({}), &inputs, "again").unwrap_err();
        assert_eq!(failure.code, "neural::input");
        assert!(failure.message.contains("images of 12 × 12 grey"), "{}", failure.message);
    }
}

#[test]
fn begin_with_the_convolutions_of_an_encoder() {
    let bench = bars();
    let shape = json!({ "stride": 2, "pool": 1, "batch_norm": true });
    fit(&bench, with(shape), "encoder").unwrap();
    // convolutions of a classifier are built as those of an encoder
    bench.change_model("encoder", |model| {
        let planes = model.card.architecture["planes"].clone();
        model.card.kind = "contrastive".to_owned();
        model.card.architecture = json!({ "shape": SHAPE, "planes": planes, "latent": 3 });
    });
    let inputs = [("images", "x"), ("labels", "y"), ("start", "encoder-model")];
    let still = with(json!({ "channels": [3, 4], "epochs": 1, "learning_rate": 1e-12 }));
    bench.run("cnn", still, &inputs, "net").unwrap();
    let (encoder, net) = (bench.model("encoder").tensors, bench.model("net").tensors);
    let weight = "planes.0.weight";
    let moved = encoder[weight].values.iter().zip(&net[weight].values).map(|(a, b)| (a - b).abs());
    assert!(moved.fold(0.0, f32::max) < 1e-6);
    assert!(net.contains_key("planes.0.norm.mean") && !net.contains_key("planes.1.weight"));
    bench.run("cnn", with(json!({ "epochs": 20 })), &inputs, "net").unwrap();
    assert!(right(&bench, "net") >= 90, "{}", right(&bench, "net"));

    let refused = || bench.run("cnn", small(), &inputs, "net").unwrap_err();
    bench.change_model("encoder", |model| model.card.architecture["shape"]["width"] = json!(13));
    assert_eq!(refused().code, "neural::input");
    bench.change_model("encoder", |model| model.card.kind = "autoencoder".to_owned());
    let failure = refused();
    assert_eq!(failure.code, "neural::start");
    assert!(failure.message.contains("it is a `autoencoder`"), "{}", failure.message);
}
