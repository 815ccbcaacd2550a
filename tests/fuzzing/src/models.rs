//! Models: ours (safetensors and a card), and networks of others (ONNX and a description).

use std::path::PathBuf;

use miette::Diagnostic;
use scarce_artifact::Model;
use serde_json::json;

use crate::bench::Bench;

const CARD: &[u8] =
    br#"{"kind": "logistic-regression", "classes": ["a", "b"], "architecture": {}}"#;
/// No tensor.
const WEIGHTS: &[u8] = b"\x02\0\0\0\0\0\0\0{}";
/// A graph of one node.
const NETWORK: &[u8] = b"\x3a\x06\x0a\x04\x22\x02Op";
const DESCRIPTION: &[u8] = br#"{"do_resize": true, "size": {"height": 8, "width": 8},
    "resample": 3, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#;

/// Bytes as weights beside a sound card.
pub fn weights(bytes: &[u8]) {
    model(bytes, CARD, "input.safetensors");
}

/// Bytes as the card beside sound weights.
pub fn card(bytes: &[u8]) {
    model(WEIGHTS, bytes, "input.json");
}

fn model(weights: &[u8], card: &[u8], name: &str) {
    let bench = Bench::new();
    bench.file("input.safetensors", weights);
    bench.file("input.json", card);
    let stem = bench.path().join("input");
    let found = match Model::read(&stem) {
        Ok(found) => found,
        Err(error) => {
            assert!(error.to_string().contains(name), "`{name}` is not named: {error}");
            return;
        }
    };
    for tensor in found.tensors.values() {
        assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
    }
    let copy = bench.path().join("copy");
    found.write(&copy).expect("what was read is written");
    assert_eq!(Model::read(&copy).expect("what was written is read"), found);
}

/// Bytes as a `preprocessor_config.json` beside a sound network.
pub fn preprocessor(bytes: &[u8]) {
    checked(NETWORK, bytes);
}

/// Bytes as a network beside a sound description of its preprocessing.
pub fn network(bytes: &[u8]) {
    checked(bytes, DESCRIPTION);
}

fn checked(network: &[u8], description: &[u8]) {
    let bench = Bench::new();
    bench.file("model.onnx", network);
    bench.file("preprocessor_config.json", description);
    let model: PathBuf = bench.path().to_owned();
    let params = serde_json::from_value(json!({ "model": model })).unwrap();
    match scarce_pretrained::check_model(&params) {
        Ok(size) => assert!((1..=4096).contains(&size.height) && (1..=4096).contains(&size.width)),
        Err(error) => {
            assert!(error.help().is_some(), "there is no way out: {error}");
            assert!(!error.to_string().trim().is_empty());
        }
    }
}
