#![allow(clippy::unwrap_used, missing_docs, clippy::missing_panics_doc)]
//! What the tests of the algorithms share: known answers (see `fixtures/make_fixtures.py`) and made-up data.

use rand::RngExt;
use scarce_numeric::{Matrix, random};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub fn read<T: DeserializeOwned>(name: &str) -> T {
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
pub struct Digits {
    pub cols: usize,
    pub pixels: Vec<f32>,
    pub labels: Vec<u32>,
}

impl Digits {
    pub fn matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.pixels, self.labels.len(), self.cols).unwrap()
    }
}

pub fn digits() -> Digits {
    read("digits")
}

#[derive(Deserialize)]
pub struct Scores {
    pub classes: usize,
    pub truth: Vec<u32>,
    pub predicted: Vec<u32>,
    pub clusters: Vec<u32>,
    pub accuracy: f64,
    pub confusion: Vec<u64>,
    pub precision: Vec<f64>,
    pub recall: Vec<f64>,
    pub f1: Vec<f64>,
    pub support: Vec<u64>,
    pub macro_f1: f64,
    pub nmi: f64,
    pub ari: f64,
    pub matched_accuracy: f64,
    pub intervals: Vec<KnownInterval>,
}

#[derive(Deserialize)]
pub struct KnownInterval {
    pub values: Vec<f64>,
    pub confidence: f64,
    pub mean: f64,
    pub half_width: f64,
}

pub fn scores() -> Scores {
    read("scores")
}

/// `rows * cols` numbers spread evenly over −1 to 1.
pub fn noise(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut rng = random::stream(seed, "test noise", 0);
    (0..rows * cols).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "entry {i}: {f}, expected {e}");
    }
}

pub fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}

#[derive(Deserialize)]
pub struct Typical {
    pub clusters: Vec<u32>,
    pub cases: Vec<TypicalCase>,
}

#[derive(Deserialize)]
pub struct TypicalCase {
    pub labelled: Vec<usize>,
    pub count: usize,
    pub picks: Vec<usize>,
}

/// Runs `compute` on 1 and on 3 threads and asserts that the results are equal.
pub fn same_on_any_threads<T, F>(compute: F) -> T
where
    T: PartialEq + std::fmt::Debug + Send,
    F: Fn() -> T + Sync + Send,
{
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&compute)
    };
    let alone = on(1);
    assert!(alone == on(3), "1 and 3 threads disagree");
    alone
}
