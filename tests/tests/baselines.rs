//! `[pipeline] baselines = true`, through the binary.

#![allow(clippy::unwrap_used)]

use scarce_tests::Project;

/// Ten labels of digits that flow over a graph, and nothing else; no test image in the graph.
const FLOW: &str = r#"
[pipeline]
name = "beside"
baselines = true

[axes]
seed = { from = 0, to = 3 }

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 400
test_fraction = 0.25

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 1
seed = "$seed"

[stages.graph]
kind = "neighbour-graph"
inputs = { features = "pixels" }

[stages.flow]
kind = "propagate-logistic"
inputs = { features = "pixels", nodes = "graph", edges = "graph", labels = "labels" }

[stages.report]
kind = "report"
inputs = { propagated = ["flow"], predictions = ["flow"], truth = "images", labels = ["labels"] }
collect = ["seed"]
"#;

#[test]
fn logistic_regression_and_the_nearest_neighbour_stand_beside_with_paired_differences() {
    let project = Project::with(FLOW);
    project.run(&[]).ended(0);
    let rows = project.rows("beside/report/summary.parquet");
    let mean = |stage: &str, metric: &str, split: &str, baseline: Option<&str>| {
        let of = rows.iter().filter(|row| {
            row["stage"] == stage
                && row["metric"] == metric
                && row["split"] == split
                && row["baseline"].as_str() == baseline
        });
        let found: Vec<f64> = of.map(|row| row["mean"].as_f64().unwrap()).collect();
        assert_eq!(found.len(), 1, "{stage} {metric} {split} {baseline:?}");
        found[0]
    };
    for baseline in ["logistic-regression", "nearest-neighbour"] {
        for split in ["test", "train"] {
            let ours = mean("flow", "accuracy", split, None);
            let theirs = mean(baseline, "accuracy", split, None);
            let difference = mean("flow", "accuracy_minus_baseline", split, Some(baseline));
            assert!((difference - (ours - theirs)).abs() < 1e-9, "{baseline}: {ours} {theirs}");
            assert!(difference > 0.02, "a default that loses to {baseline}: {difference}");
        }
    }
    // The added stages are cached like any other.
    let again = project.run(&[]).ended(0);
    assert!(again.ran().is_empty(), "{:?}", again.ran());
}
