//! The published experiments of `pipelines/`, made smaller: one seed, some of the images, few
//! epochs. What is asserted holds by a wide margin when the method works, and not when it does not.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, data_with, workspace_root};
use serde_json::Value;

/// A pipeline of the workspace, run from a folder that knows nothing of it, and its metrics.
struct Study {
    name: &'static str,
    project: Project,
    metrics: Vec<Value>,
}

impl Study {
    /// Runs it; `None` where its data set is not there.
    fn run(name: &'static str, dataset: &str, smaller: &[&str]) -> Option<Self> {
        let mut project = Project::new();
        project.file = workspace_root().join("pipelines").join(format!("{name}.toml"));
        if dataset != "digits" {
            project.set("SCARCE_DATA", &data_with(dataset)?.to_string_lossy());
        }
        project.ask("run", smaller).ended(0);
        let again = project.run(smaller).ended(0);
        assert_eq!(again.ran(), [""; 0], "nothing is left to do");
        let metrics = project.rows(&format!("{name}/report/metrics.parquet"));
        Some(Self { name, project, metrics })
    }

    /// The values of a metric of a stage, one for each run, whatever the axes but those named.
    #[track_caller]
    fn all(&self, stage: &str, metric: &str, axes: &[(&str, i64)]) -> Vec<f64> {
        let fits = |row: &&Value| {
            row["stage"] == stage
                && row["metric"] == metric
                && row["class"].is_null()
                && axes.iter().all(|(axis, value)| row[*axis] == *value)
        };
        let values: Vec<f64> =
            self.metrics.iter().filter(fits).map(|row| row["value"].as_f64().unwrap()).collect();
        assert!(!values.is_empty(), "no `{metric}` of `{stage}`");
        values
    }

    /// The mean over runs.
    #[track_caller]
    fn mean(&self, stage: &str, metric: &str, axes: &[(&str, i64)]) -> f64 {
        let values = self.all(stage, metric, axes);
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[track_caller]
    fn accuracy(&self, stage: &str) -> f64 {
        self.mean(stage, "accuracy", &[])
    }

    fn rows(&self, table: &str) -> Vec<Value> {
        self.project.rows(&format!("{}/{table}", self.name))
    }
}

#[test]
fn ten_labels_on_mnist() {
    let smaller = ["--axis", "seed=0..2", "--axis", "architecture=linear"];
    let smaller = [&smaller[..], &["--set", "stages.images.limit=2000"]].concat();
    let smaller = [&smaller[..], &["--set", "stages.encoder.epochs=8"]].concat();
    let Some(study) = Study::run("mnist-ten-labels", "mnist", &smaller) else { return };
    let dummy = study.accuracy("dummy");
    assert!((0.05..0.15).contains(&dummy), "{dummy}");
    for stage in ["knn-pixels", "knn-codes", "knn-pseudo", "knn-representatives"] {
        let accuracy = study.accuracy(stage);
        assert!((0.25..0.75).contains(&accuracy), "{stage}: {accuracy}");
    }
    let labels = study.rows("pseudo-labels/seed=0/architecture=linear/labels.parquet");
    let given = labels.iter().filter(|row| row["source"] == "given").count();
    assert_eq!((labels.len(), given), (2000, 10), "all training images, no test image");
}

#[test]
fn one_hundred_labels_on_fashion_mnist() {
    let smaller = ["--axis", "seed=0..2", "--set", "stages.images.limit=4000"];
    let Some(study) = Study::run("fashion-hundred-labels", "fashion-mnist", &smaller) else {
        return;
    };
    let all = study.accuracy("regression-all");
    assert!((0.75..0.87).contains(&all), "{all}");
    for stage in [
        "regression-random",
        "regression-representatives",
        "regression-clusters",
        "regression-nearest",
    ] {
        let accuracy = study.accuracy(stage);
        assert!((0.55..all).contains(&accuracy), "{stage}: {accuracy}, of all labels {all}");
    }
    let nearest = study.rows("spread-nearest/seed=0/labels.parquet");
    assert_eq!(nearest.len(), 100 * 120, "each of 100 labels is given to 120 images");
    let clusters = study.rows("spread-clusters/seed=0/labels.parquet");
    assert_eq!(clusters.len(), 4000, "every image is in a cluster with a label");
}

#[test]
fn clusters_before_logistic_regression_on_fashion_mnist() {
    let smaller = ["--axis", "seed=0..1", "--axis", "labelled=200", "--axis", "centroids=20,60"];
    let smaller = [&smaller[..], &["--set", "stages.images.limit=3000"]].concat();
    let smaller = [&smaller[..], &["--set", "stages.clusters.clusters=200"]].concat();
    let Some(study) = Study::run("fashion-clusters-regression", "fashion-mnist", &smaller) else {
        return;
    };
    let full = study.accuracy("full");
    assert!((0.75..0.87).contains(&full), "{full}");
    for stage in ["on-random", "on-representatives", "on-whole", "on-quarter"] {
        let accuracy = study.accuracy(stage);
        assert!((0.6..full).contains(&accuracy), "{stage}: {accuracy}, of all labels {full}");
    }
    let few = study.mean("on-distances", "accuracy", &[("centroids", 20)]);
    let more = study.mean("on-distances", "accuracy", &[("centroids", 60)]);
    assert!(0.65 < few && few < more, "distances to 20 centroids {few}, to 60 {more}");
}

#[test]
fn clusters_before_a_network_on_fashion_mnist() {
    let smaller = ["--axis", "seed=0..1", "--axis", "labelled=200", "--axis", "percentile=50"];
    let smaller = [&smaller[..], &["--set", "stages.images.limit=3000"]].concat();
    let mut smaller = [&smaller[..], &["--set", "stages.most-clusters.clusters=100"]].concat();
    for epochs in [
        "stages.full.epochs=50",
        "stages.on-random.epochs=100",
        "stages.on-representatives.epochs=100",
        "stages.on-whole.epochs=20",
        "stages.on-quarter.epochs=40",
        "stages.on-part.epochs=40",
    ] {
        smaller.extend(["--set", epochs]);
    }
    let Some(study) = Study::run("fashion-clusters-network", "fashion-mnist", &smaller) else {
        return;
    };
    let full = study.accuracy("full");
    assert!((0.75..0.9).contains(&full), "{full}");
    for stage in ["on-random", "on-representatives", "on-whole", "on-quarter", "on-part"] {
        let accuracy = study.accuracy(stage);
        assert!((0.4..full).contains(&accuracy), "{stage}: {accuracy}, of all labels {full}");
    }
}

/// Nothing here is left to chance but the random arm, so the counts are exact.
#[test]
fn active_learning_on_digits() {
    let smaller = ["--axis", "seed=0..2"];
    let study = Study::run("digits-active", "digits", &smaller).unwrap();
    let counts = [(252, 290), (257, 285), (258, 280), (261, 275), (258, 270)];
    for (round, (right, of)) in counts.into_iter().enumerate() {
        let axes = [("round", round as i64)];
        let measured = study.mean("spread", "propagated_accuracy", &axes);
        let published = f64::from(right) / f64::from(of);
        assert!((measured - published).abs() < 1e-9, "round {round}: {measured}, {right}/{of}");
    }
    let in_order = study.mean("spread-in-order", "propagated_accuracy", &[("labelled", 60)]);
    assert!((in_order - 243.0 / 270.0).abs() < 1e-9, "{in_order}");
    let random = study.mean("spread-random", "propagated_accuracy", &[("round", 4)]);
    assert!((0.85..258.0 / 270.0).contains(&random), "{random}");
}

#[test]
fn a_code_of_36_numbers_clustered() {
    let smaller = ["--axis", "seed=0..1", "--set", "stages.images.limit=2000"];
    let smaller = [&smaller[..], &["--set", "stages.encoder.batch=128"]].concat();
    let smaller = [&smaller[..], &["--set", "stages.encoder.epochs=15"]].concat();
    let smaller = [&smaller[..], &["--set", "stages.map.limit=500"]].concat();
    let smaller = [&smaller[..], &["--set", "stages.map.iterations=300"]].concat();
    let Some(study) = Study::run("mnist-code-36", "mnist", &smaller) else { return };
    for stage in ["code-clusters", "component-clusters", "map-clusters"] {
        let named = study.mean(stage, "naming_accuracy", &[]);
        let matched = study.mean(stage, "hungarian_accuracy", &[]);
        assert!((0.4..0.95).contains(&named) && matched <= named, "{stage}: {named} {matched}");
    }
    let history = study.rows("encoder/seed=0/history.parquet");
    let loss = |row: &Value| row["validation_loss"].as_f64().unwrap();
    assert!(loss(&history[history.len() - 1]) < 0.6 * loss(&history[0]), "it learns to rebuild");
    let rebuilt = study.rows("encoder/seed=0/reconstructions.parquet");
    assert_eq!(rebuilt[0]["code"].as_array().map(Vec::len), Some(36));
}
