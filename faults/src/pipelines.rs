//! The pipelines that are attacked: small, quick, without libtorch.

use scarce_tests::SMALL;

/// Two seeds, clusters, labels that spread, two classifiers: twelve tasks.
const SEEDS: &str = r#"
[pipeline]
name = "seeds"

[axes]
seed = [0, 1]

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 300
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 2
seed = "$seed"

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.pca]
kind = "pca"
inputs = { images = "images" }
components = 8

[stages.clusters]
kind = "kmeans"
inputs = { features = "pca" }
clusters = 12
seed = "$seed"

[stages.spread]
kind = "propagate-clusters"
inputs = { clusters = "clusters", labels = "labels" }

[stages.knn]
kind = "knn"
inputs = { features = "pixels", labels = "labels" }
k = 1

[stages.regression]
kind = "logistic-regression"
inputs = { features = "pixels", labels = "spread" }

[stages.report]
kind = "report"
inputs = { predictions = ["knn", "regression"], truth = "images", propagated = ["spread"] }
collect = ["seed"]
"#;

/// Labels asked for in three rounds.
const ROUNDS: &str = r#"
[pipeline]
name = "rounds"

[rounds.asking]
count = 3
stages = ["labels", "knn", "query"]

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 300
test_fraction = 0.25

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.first]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 2

[stages.labels]
kind = "annotate"
inputs = { truth = "images", images = "images", labels = ["first", "labels"], queries = "query" }

[stages.knn]
kind = "logistic-regression"
inputs = { features = "pixels", labels = "labels" }

[stages.query]
kind = "query"
inputs = { predictions = "knn", labels = "labels" }
batch = 5

[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images" }
collect = ["round"]
"#;

/// A pipeline, and a change of it (`--set`) that reads most of what the unchanged one left.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Its name.
    pub name: &'static str,
    /// Its file.
    pub toml: &'static str,
    /// The change.
    pub edit: &'static str,
}

/// All of them.
pub const ALL: [&Text; 3] = [
    &Text { name: "small", toml: SMALL, edit: "stages.knn.k=3" },
    &Text { name: "seeds", toml: SEEDS, edit: "stages.labels.per_class=1" },
    &Text { name: "rounds", toml: ROUNDS, edit: "stages.query.batch=4" },
];
