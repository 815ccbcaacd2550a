//! `pipelines/quickstart.toml`, made smaller: the first thing that anybody runs.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use scarce_tests::{Project, workspace_root};
use serde_json::Value;

const SMALLER: [&str; 4] = ["--axis", "seed=0..2", "--set", "stages.encoder.epochs=3"];

/// The pipeline itself, run from a folder that knows nothing of the workspace.
fn quickstart() -> Project {
    let mut project = Project::new();
    project.file = workspace_root().join("pipelines/quickstart.toml");
    project
}

/// Mean of `accuracy` on the test split by method.
fn accuracies(project: &Project) -> BTreeMap<String, f64> {
    let rows = project.rows("quickstart/report/metrics.parquet");
    let is_accuracy = |row: &&Value| row["metric"] == "accuracy" && row["split"] == "test";
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(is_accuracy) {
        let stage = row["stage"].as_str().unwrap().to_owned();
        values.entry(stage).or_default().push(row["value"].as_f64().unwrap());
    }
    for (stage, values) in &values {
        assert_eq!(values.len(), 2, "`{stage}` has a row for each seed");
    }
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    values.into_iter().map(|(stage, values)| (stage, mean(values))).collect()
}

/// Every address that a browser would load something from.
fn loads(page: &str) -> Vec<&str> {
    ["src=", "href=", "url(", "@import", "srcset=", "data="]
        .iter()
        .flat_map(|word| page.split(word).skip(1))
        .map(|rest| rest.trim_start_matches(['"', '\'', ' ']))
        .map(|rest| &rest[..rest.floor_char_boundary(60)])
        .filter(|target| !target.starts_with("data:") && !target.starts_with('#'))
        .collect()
}

#[test]
fn runs_reports_and_runs_nothing_the_second_time() {
    let project = quickstart();
    let first = project.ask("run", &SMALLER).ended(0);
    let first = first.says(&["knn-pixels", "regression-spread", "page.html"]);
    assert!(first.stderr.contains("0 cached"), "{first}");

    a_table_lies_where_people_look(&project);
    accuracies_are_sane(&project);
    the_page_needs_no_network(&project);

    let second = project.run(&SMALLER).ended(0);
    assert_eq!(second.ran(), [""; 0]);
    assert_eq!(second.all("started").count(), 0);

    let text = project.ask("run", &SMALLER).ended(0);
    assert_eq!(text.stdout, first.stdout, "the figures are printed again");

    other_seeds_run_alone(&project);
}

fn a_table_lies_where_people_look(project: &Project) {
    let runs = project.path("artifacts/runs/quickstart");
    for table in [
        "images/images.parquet",
        "images/truth.parquet",
        "pixels/embeddings.parquet",
        "random-fifty/seed=0/labels.parquet",
        "codes/seed=1/embeddings.parquet",
        "encoder/seed=1/history.parquet",
        "encoder/seed=1/reconstructions.parquet",
        "clusters/seed=0/clusters.parquet",
        "clusters/seed=0/centroids.parquet",
        "knn-codes/seed=0/predictions.parquet",
        "report/metrics.parquet",
        "report/summary.parquet",
        "report/page.html",
        "run.json",
    ] {
        assert!(runs.join(table).is_file(), "`{table}` is not there");
    }
}

fn accuracies_are_sane(project: &Project) {
    let accuracy = accuracies(project);
    let of = |stage: &str| *accuracy.get(stage).unwrap_or_else(|| panic!("{stage}: {accuracy:?}"));
    assert!((0.02..0.25).contains(&of("chance")), "{accuracy:?}");
    assert!(of("knn-pixels") > 0.6, "{accuracy:?}");
    assert!(of("knn-codes") > 0.3, "three epochs are few, but not nothing: {accuracy:?}");
    assert!(of("regression-representatives") > 0.6, "{accuracy:?}");
    assert!(of("regression-spread") > 0.6, "{accuracy:?}");
}

fn the_page_needs_no_network(project: &Project) {
    let page = project.read("artifacts/runs/quickstart/report/page.html");
    assert_eq!(loads(&page), [""; 0]);
    assert!(!page.contains("<link") && !page.contains("<script src"), "everything is in the page");
    assert!(
        page.contains("<svg") && page.contains("data:image/png;base64,"),
        "figures and pictures"
    );
    assert!(page.contains("Fifty labels on the digits"), "its title");
}

fn other_seeds_run_alone(project: &Project) {
    let more = ["--axis", "seed=0..3", "--set", "stages.encoder.epochs=3", "knn-pixels"];
    let run = project.run(&more).ended(0);
    assert_eq!(run.ran(), ["knn-pixels [seed=2]", "random-fifty [seed=2]"]);
}
