//! What the tests share: known answers (see `fixtures/make_fixtures.py`) and made-up data.

use crate::{Matrix, random};
use rand::RngExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    let text = match name {
        "active_digits" => include_str!("../fixtures/active_digits.json"),
        "digits" => include_str!("../fixtures/digits.json"),
        "graph" => include_str!("../fixtures/graph.json"),
        "graph_regression" => include_str!("../fixtures/graph_regression.json"),
        "kmeans" => include_str!("../fixtures/kmeans.json"),
        "logistic" => include_str!("../fixtures/logistic.json"),
        "logistic_two" => include_str!("../fixtures/logistic_two.json"),
        "minibatch" => include_str!("../fixtures/minibatch.json"),
        "mixture" => include_str!("../fixtures/mixture.json"),
        "pca" => include_str!("../fixtures/pca.json"),
        "scores" => include_str!("../fixtures/scores.json"),
        "spectral" => include_str!("../fixtures/spectral.json"),
        "tsne" => include_str!("../fixtures/tsne.json"),
        "typical" => include_str!("../fixtures/typical.json"),
        "self_training" => include_str!("../fixtures/self_training.json"),
        "transduction" => include_str!("../fixtures/transduction.json"),
        "vote" => include_str!("../fixtures/vote.json"),
        _ => panic!("no fixture called `{name}`"),
    };
    serde_json::from_str(text).unwrap()
}

/// 600 digits of 8 x 8 pixels from 0 to 16.
#[derive(Deserialize)]
pub(crate) struct Digits {
    cols: usize,
    pixels: Vec<f32>,
    pub(crate) labels: Vec<u32>,
}

impl Digits {
    pub(crate) fn matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.pixels, self.labels.len(), self.cols).unwrap()
    }
}

pub(crate) fn digits() -> Digits {
    read("digits")
}

#[derive(Deserialize)]
pub(crate) struct Scores {
    pub(crate) classes: usize,
    pub(crate) truth: Vec<u32>,
    pub(crate) predicted: Vec<u32>,
    pub(crate) clusters: Vec<u32>,
    pub(crate) accuracy: f64,
    pub(crate) confusion: Vec<u64>,
    pub(crate) precision: Vec<f64>,
    pub(crate) recall: Vec<f64>,
    pub(crate) f1: Vec<f64>,
    pub(crate) support: Vec<u64>,
    pub(crate) macro_f1: f64,
    pub(crate) nmi: f64,
    pub(crate) ari: f64,
    pub(crate) matched_accuracy: f64,
    pub(crate) intervals: Vec<KnownInterval>,
}

#[derive(Deserialize)]
pub(crate) struct KnownInterval {
    pub(crate) values: Vec<f64>,
    pub(crate) confidence: f64,
    pub(crate) mean: f64,
    pub(crate) half_width: f64,
}

pub(crate) fn scores() -> Scores {
    read("scores")
}

/// `rows * cols` numbers spread evenly over −1 to 1.
pub(crate) fn noise(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut rng = random::stream(seed, "test noise", 0);
    (0..rows * cols).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "entry {i}: {f}, expected {e}");
    }
}

pub(crate) fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}

#[derive(Deserialize)]
pub(crate) struct Typical {
    pub(crate) clusters: Vec<u32>,
    pub(crate) cases: Vec<TypicalCase>,
}

#[derive(Deserialize)]
pub(crate) struct TypicalCase {
    pub(crate) labelled: Vec<usize>,
    pub(crate) count: usize,
    pub(crate) picks: Vec<usize>,
}
