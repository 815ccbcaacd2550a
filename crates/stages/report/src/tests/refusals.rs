//! What a report refuses, and how it says so.

use scarce_artifact::{Classes, Predictions, Split, Vectors};
use serde_json::json;

use super::testing::Bench;

const TWO: [&str; 2] = ["a", "b"];

#[test]
fn nothing_wired() {
    let failure = Bench::new().report(json!({})).err().unwrap();
    assert_eq!(failure.code, "report::nothing");
}

#[test]
fn tables_with_other_classes() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1]);
    bench.predictions("knn", &[], &["a", "c"], &[Split::Test], &[0, 1]);
    let failure = bench.report(json!({})).err().unwrap();
    assert_eq!(failure.code, "report::classes");
    assert_eq!(failure.message, "`truth` has the classes `a`, `b`, `knn.predictions` has `a`, `c`");
}

/// Whoever writes a table, each image counts once.
#[test]
fn an_image_that_is_predicted_fifty_times() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1]);
    let mut table = predictions(&[0, 1]);
    for _ in 0..50 {
        scarce_artifact::Table::append(&mut table, predictions(&[0]));
    }
    bench.table("predictions", "knn", &[], Classes::new(TWO), table);
    let failure = bench.report(json!({})).err().unwrap();
    assert_eq!(failure.code, "artifact::value");
    assert!(failure.message.contains("`id`"), "{}", failure.message);
}

#[test]
fn probabilities_that_are_none() {
    for wrong in [[7.0, -6.0], [0.5, 0.1]] {
        let mut bench = Bench::new();
        bench.truth(&TWO, &[0, 1]);
        let mut table = predictions(&[0, 1]);
        table.probabilities.values[..2].copy_from_slice(&wrong);
        bench.table("predictions", "knn", &[], Classes::new(TWO), table);
        let failure = bench.report(json!({})).err().unwrap();
        assert_eq!(failure.code, "artifact::value", "{wrong:?}");
        assert!(failure.message.contains("`probabilities`"), "{}", failure.message);
    }
}

/// Certain predictions of the images 0, 1, …
fn predictions(labels: &[i32]) -> Predictions {
    let one_hot = labels.iter().flat_map(|&label| [label == 0, label == 1]);
    Predictions {
        id: (0..labels.len() as u32).collect(),
        split: vec![Split::Test; labels.len()],
        label: labels.to_vec(),
        probabilities: Vectors::new(2, one_hot.map(|sure| f32::from(u8::from(sure))).collect()),
    }
}

#[test]
fn a_label_that_is_no_class() {
    for label in [-1, 2] {
        let mut bench = Bench::new();
        bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, label]);
        let failure = bench.report(json!({})).err().unwrap();
        assert_eq!(failure.code, "artifact::value");
        assert!(failure.message.contains("row 1, column `label`"), "{}", failure.message);
    }
}

#[test]
fn published_figures_in_per_cent() {
    let mut bench = Bench::new();
    bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, 1]);
    let params = json!({ "published": [{ "stage": "knn", "value": 49.0 }] });
    let failure = bench.report(params).err().unwrap();
    assert_eq!(failure.code, "report::published");
    assert_eq!(failure.message, "the published accuracy of `knn` is 49");
}

#[test]
fn an_unknown_baseline() {
    let mut bench = Bench::new();
    bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, 1]);
    let failure = bench.report(json!({ "baseline": "knm" })).err().unwrap();
    assert_eq!(failure.code, "report::baseline");
    assert!(failure.message.ends_with("`knn`"), "{}", failure.message);
}

#[test]
fn an_unknown_parameter() {
    let mut bench = Bench::new();
    bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, 1]);
    let failure = bench.report(json!({ "titel": "x" })).err().unwrap();
    assert!(failure.message.contains("titel"), "{}", failure.message);
}

#[test]
fn a_summary_that_is_none() {
    let mut bench = Bench::new();
    bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, 1]);
    bench.plain();
    let metrics = bench.folder.path().join("metrics.parquet");
    let error = crate::summary_table(&metrics).unwrap_err().to_string();
    assert!(error.contains("no column `label`"), "{error}");
    assert!(crate::summary_table(&bench.folder.path().join("page.html")).is_err());
}
