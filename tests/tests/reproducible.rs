//! The same pipeline gives the same bytes: anywhere, at any time, with any number of threads.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use scarce_tests::{Project, workspace_root};
use serde_json::Value;

/// One stage of every light kind that computes something.
const LIGHT: &str = r#"
[pipeline]
name = "light"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 400
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
random = 40

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.components]
kind = "pca"
inputs = { images = "images" }
components = 12

[stages.clusters]
kind = "kmeans"
inputs = { features = "components" }
clusters = 20

[stages.spread]
kind = "propagate-clusters"
inputs = { clusters = "clusters", labels = "labels" }

[stages.pseudo]
kind = "propagate-neighbours"
inputs = { features = "components", labels = "labels" }
k = 3

[stages.chance]
kind = "dummy"
inputs = { features = "pixels", labels = "labels" }
strategy = "uniform"

[stages.regression]
kind = "logistic-regression"
inputs = { features = "pixels", labels = "labels" }

[stages.neighbours]
kind = "knn"
inputs = { features = "components", labels = "pseudo" }
k = 5

[stages.report]
kind = "report"
inputs = { predictions = ["chance", "regression", "neighbours"], truth = "images", propagated = ["spread", "pseudo"], clusters = ["clusters"], images = "images" }
"#;

/// The digest of every file that the last run left, by view and name.
fn digests(project: &Project, pipeline: &str) -> BTreeMap<String, String> {
    let path = project.path("artifacts/runs").join(pipeline).join("run.json");
    let record: Value = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for task in record["tasks"].as_array().unwrap() {
        let mut view = format!("{pipeline}/{}", task["stage"].as_str().unwrap());
        for axis in task["axes"].as_array().unwrap() {
            view += "/";
            view += axis[0].as_str().unwrap();
            view += "=";
            view += &axis[1].to_string();
        }
        for (name, digest) in project.digests(&view) {
            all.insert(format!("{view}/{name}"), digest);
        }
    }
    all
}

#[test]
fn with_one_thread_or_four() {
    let [one, four] = ["1", "4"].map(|threads| {
        let project = Project::with(LIGHT);
        project.run(&["--threads", threads]).ended(0);
        digests(&project, "light")
    });
    assert!(one.len() > 15, "{one:?}");
    assert_eq!(one, four);
}

#[test]
fn in_another_folder_with_libtorch_too() {
    let small = ["--axis", "seed=0..1", "--set", "stages.encoder.epochs=2", "--threads", "1"];
    let [here, there] = [(); 2].map(|()| {
        let mut project = Project::new();
        project.file = workspace_root().join("pipelines/quickstart.toml");
        project.run(&small).ended(0);
        digests(&project, "quickstart")
    });
    assert!(here.keys().any(|name| name.ends_with(".safetensors")), "{here:?}");
    assert_eq!(here, there);
}

#[test]
fn but_not_with_another_seed() {
    let project = Project::with(LIGHT);
    project.run(&["labels", "clusters", "chance"]).ended(0);
    let of = |view: &str| project.digests(view);
    let before = ["light/labels", "light/clusters", "light/chance"].map(of);
    let seeds = ["stages.labels.seed=1", "stages.clusters.seed=1", "stages.chance.seed=1"];
    let words: Vec<&str> = seeds.iter().flat_map(|seed| ["--set", seed]).collect();
    project.run(&[&["labels", "clusters", "chance"], &words[..]].concat()).ended(0);
    let after = ["light/labels", "light/clusters", "light/chance"].map(of);
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before, after);
    }
}
