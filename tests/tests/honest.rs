//! What a learner may not see, it does not see.

#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};

use scarce_tests::{Project, SMALL};
use serde_json::Value;

fn ran() -> Project {
    let project = Project::with(&format!(
        "{SMALL}[stages.spread]\nkind = \"propagate-neighbours\"\n\
         inputs = {{ features = \"pixels\", labels = \"labels\" }}\n"
    ));
    project.run(&[]).ended(0);
    project
}

fn ids(rows: &[Value]) -> HashSet<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn splits(project: &Project) -> HashMap<u64, String> {
    let rows = project.rows("small/images/images.parquet");
    let split = |row: &Value| (row["id"].as_u64().unwrap(), row["split"].as_str().unwrap().into());
    rows.iter().map(split).collect()
}

#[test]
fn no_label_is_of_a_test_image() {
    let project = ran();
    let splits = splits(&project);
    assert_eq!(splits.values().collect::<HashSet<_>>().len(), 2, "there are test images");
    for table in ["labels", "spread"] {
        let labels = project.rows(&format!("small/{table}/labels.parquet"));
        assert!(labels.len() >= 20, "{table}");
        for id in ids(&labels) {
            assert_eq!(splits[&id], "train", "{table} has a label for the image {id}");
        }
    }
}

#[test]
fn labels_are_true_and_as_many_of_each_class_as_asked_for() {
    let project = ran();
    let truth: HashMap<u64, i64> = project
        .rows("small/images/truth.parquet")
        .iter()
        .map(|row| (row["id"].as_u64().unwrap(), row["label"].as_i64().unwrap()))
        .collect();
    let mut counts = [0; 10];
    for row in project.rows("small/labels/labels.parquet") {
        let label = row["label"].as_i64().unwrap();
        assert_eq!(truth[&row["id"].as_u64().unwrap()], label);
        counts[label as usize] += 1;
    }
    assert_eq!(counts, [2; 10]);
}

#[test]
fn only_three_kinds_have_a_port_for_the_truth() {
    let kinds = Project::new().scarce(&["stages", "--json"]).ended(0).json();
    let takes_truth = |kind: &&Value| {
        kind["inputs"].as_array().unwrap().iter().any(|port| port["type"] == "truth")
    };
    let names: HashSet<&str> = kinds
        .as_array()
        .unwrap()
        .iter()
        .filter(takes_truth)
        .map(|kind| kind["kind"].as_str().unwrap())
        .collect();
    assert_eq!(names, HashSet::from(["annotate", "budget", "report"]));
}

#[test]
fn the_truth_does_not_fit_where_labels_go() {
    let project = Project::with(&SMALL.replace("labels = \"labels\"", "labels = \"images.truth\""));
    let answer = project.ask("check", &[]).ended(2);
    answer.complains_of(&["input `labels` of `knn` takes labels", "gives truth"]);
}

#[test]
fn every_image_is_predicted_once() {
    let project = ran();
    let splits = splits(&project);
    let predictions = project.rows("small/knn/predictions.parquet");
    assert_eq!(predictions.len(), splits.len());
    assert_eq!(ids(&predictions).len(), splits.len());
    for row in &predictions {
        let shares = row["probabilities"].as_array().unwrap();
        let sum: f64 = shares.iter().map(|share| share.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{row}");
    }
}

#[test]
fn the_report_tells_test_images_from_those_learnt_from() {
    let project = ran();
    let answer = project.ask("run", &[]).ended(0);
    answer.says(&["test (held out)", "training images"]);
    let rows = project.rows("small/report/metrics.parquet");
    let accuracy = |split: &str| {
        let of = |row: &&Value| row["metric"] == "accuracy" && row["split"] == split;
        rows.iter().find(of).and_then(|row| row["value"].as_f64()).unwrap()
    };
    let splits = splits(&project);
    let truth: HashMap<u64, i64> = project
        .rows("small/images/truth.parquet")
        .iter()
        .map(|row| (row["id"].as_u64().unwrap(), row["label"].as_i64().unwrap()))
        .collect();
    let predictions = project.rows("small/knn/predictions.parquet");
    let test: Vec<bool> = predictions
        .iter()
        .map(|row| (row["id"].as_u64().unwrap(), row["label"].as_i64().unwrap()))
        .filter(|(id, _)| splits[id] == "test")
        .map(|(id, label)| truth[&id] == label)
        .collect();
    let right = test.iter().filter(|right| **right).count() as f64 / test.len() as f64;
    assert!((accuracy("test") - right).abs() < 1e-9, "counted by hand: {right}");
}
