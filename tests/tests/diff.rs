//! What differs between two runs, and nothing else.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, SMALL};
use serde_json::Value;

/// Five draws of the labels; the last run has another `k` than the one before.
fn two_runs() -> Project {
    let text =
        SMALL.replace("[stages.images]", "[axes]\nseed = { from = 0, to = 5 }\n\n[stages.images]");
    let text = text.replace("per_class = 2", "per_class = 2\nseed = \"$seed\"");
    let project = Project::with(&(text + "collect = [\"seed\"]\n"));
    project.run(&[]).ended(0);
    project.run(&["--set", "stages.knn.k=5"]).ended(0);
    project
}

fn figure<'a>(answer: &'a Value, metric: &str) -> &'a Value {
    let figures = answer["figures"].as_array().unwrap();
    let is = |figure: &&Value| figure["metric"] == metric && figure["setting"] == "test (held out)";
    figures.iter().find(is).unwrap()
}

/// The accuracies on test images by seed, as the last run's report has them.
fn accuracies(project: &Project) -> Vec<f64> {
    let rows = project.rows("small/report/metrics.parquet");
    let is = |row: &&Value| {
        row["metric"] == "accuracy" && row["split"] == "test" && row["class"].is_null()
    };
    let mut found: Vec<(i64, f64)> = rows
        .iter()
        .filter(is)
        .map(|row| (row["seed"].as_i64().unwrap(), row["value"].as_f64().unwrap()))
        .collect();
    found.sort_by_key(|pair| pair.0);
    found.into_iter().map(|pair| pair.1).collect()
}

#[test]
fn names_the_parameter_the_figures_and_the_images() {
    let project = two_runs();
    let answer = project.scarce(&["diff", "small", "--json"]).ended(0).json();
    let stages = answer["stages"].as_array().unwrap();
    let changed: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(changed, ["knn", "report"], "nothing above the change differs");
    assert_eq!(stages[0]["what"], "param k 1 → 5");

    // Against the tables of both runs, by hand.
    let now = accuracies(&project);
    project.run(&[]).ended(0);
    let before = accuracies(&project);
    let differences: Vec<f64> = now.iter().zip(&before).map(|(now, before)| now - before).collect();
    let mean = differences.iter().sum::<f64>() / 5.0;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    // Student's t for four degrees of freedom, 97.5 %
    let half = 2.776_445_105 * (squares / 4.0 / 5.0).sqrt();
    let accuracy = figure(&answer, "accuracy");
    let close = |key: &str, value: f64| {
        let found = accuracy[key].as_f64().unwrap();
        assert!((found - value).abs() < 1e-6, "{key}: {found}, expected {value}");
    };
    close("difference", mean);
    close("half_width", half);
    close("b", now.iter().sum::<f64>() / 5.0);
    assert_eq!(accuracy["runs"], 5);

    let labels = answer["labels"].as_array().unwrap();
    assert_eq!(labels.len(), 5, "one table of predictions for every seed");
    let images = labels[0]["images"].as_array().unwrap();
    assert!(!images.is_empty() && images.len() <= labels[0]["compared"].as_u64().unwrap() as usize);
    assert_ne!(images[0]["a"][0], images[0]["b"][0]);
    assert!(images[0]["source"].is_string());
}

#[test]
fn is_text_for_people_and_a_page_with_the_pictures() {
    let project = two_runs();
    let answer = project.scarce(&["diff", "small~1", "small", "--page", "changed.html"]).ended(0);
    answer.says(&["param k 1 → 5", "accuracy", "images changed their label", "→"]);
    let page = project.read("changed.html");
    assert!(page.contains("data:image/png;base64,") && page.contains("<del>"));
}

#[test]
fn of_a_run_and_itself_is_nothing() {
    let project = two_runs();
    project.scarce(&["diff", "small", "small"]).ended(0).says(&["no difference"]);
}

#[test]
fn knows_what_is_not_there() {
    let project = two_runs();
    project.scarce(&["diff", "smal"]).ended(2).complains_of(&["`small`"]);
    project.scarce(&["diff", "small~7"]).ended(2).complains_of(&["small~7", "first of 2 runs"]);
}

#[test]
fn stages_that_only_one_run_has_are_named() {
    let project = two_runs();
    let more = "\n[stages.chance]\nkind = \"dummy\"\ninputs = { features = \"pixels\", labels = \"labels\" }\n";
    let text = project.read("pipeline.toml");
    project.write("pipeline.toml", text + more);
    project.run(&[]).ended(0);
    let answer = project.scarce(&["diff", "small"]).ended(0);
    answer.says(&["chance", "in b alone (dummy)"]);
}
