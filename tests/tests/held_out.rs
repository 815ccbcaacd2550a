//! A score is on held-out images only if nothing above it learnt from them: whatever the kind, and
//! whatever the split is called.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use scarce_tests::{Project, fixture};
use serde_json::Value;

fn kinds() -> Vec<Value> {
    let kinds = Project::new().scarce(&["stages", "--json"]).ended(0).json();
    kinds.as_array().unwrap().clone()
}

/// Whether a parameter names splits, here or deeper.
fn names_splits(schema: &Value, root: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                return names_splits(&root[target.rsplit('/').next().unwrap()], root);
            }
            let choices = fields.get("enum").and_then(Value::as_array);
            let consts = fields.get("oneOf").and_then(Value::as_array);
            let words = choices.into_iter().flatten();
            let words = words.chain(consts.into_iter().flatten().map(|choice| &choice["const"]));
            let words: BTreeSet<&str> = words.filter_map(Value::as_str).collect();
            words.contains("train") && words.contains("pool")
                || fields.values().any(|value| names_splits(value, root))
        }
        Value::Array(items) => items.iter().any(|item| names_splits(item, root)),
        _ => false,
    }
}

/// The parameters of the tables that a parameter may be, wherever its schema has them.
fn tables<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a serde_json::Map<String, Value>> {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                return tables(&root[target.rsplit('/').next().unwrap()], root);
            }
            let own = fields.get("properties").and_then(Value::as_object);
            let below = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| fields.get(key));
            own.into_iter().chain(below.flat_map(|schema| tables(schema, root))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| tables(item, root)).collect(),
        _ => Vec::new(),
    }
}

/// JSON pointers of the parameters that name splits.
fn split_parameters(kind: &Value) -> BTreeSet<String> {
    let (params, root) = (&kind["params"], &kind["params"]["$defs"]);
    let mut found = BTreeSet::new();
    for (name, schema) in params["properties"].as_object().into_iter().flatten() {
        if !names_splits(schema, root) {
            continue;
        }
        // One level deeper, where the parameter is a table of its own.
        let deeper = tables(schema, root).into_iter().flatten();
        let deeper: Vec<String> = deeper
            .filter(|(_, schema)| names_splits(schema, root))
            .map(|(field, _)| format!("/{name}/{field}"))
            .collect();
        if deeper.is_empty() {
            found.insert(format!("/{name}"));
        }
        found.extend(deeper);
    }
    found
}

#[test]
fn every_kind_declares_what_it_learns_from() {
    let kinds = kinds();
    assert!(kinds.len() > 30, "all hosts are there");
    for kind in &kinds {
        let (name, learns) = (&kind["kind"], &kind["learns"]);
        assert!(learns.is_object(), "{name} does not declare what it learns from");
        let lessons = learns["from"].as_array().unwrap();
        let inputs: BTreeSet<&str> = kind["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|port| port["name"].as_str().unwrap())
            .collect();
        let ports = lessons.iter().map(|lesson| &lesson["port"]);
        let rows = learns["keeps_from"].as_array().into_iter().flatten();
        for port in ports.chain(rows) {
            assert!(inputs.contains(port.as_str().unwrap()), "{name} has no input {port}");
        }
        let said = lessons.iter().map(|lesson| &lesson["splits"]).chain([&learns["keeps"]]);
        let said: BTreeSet<String> =
            said.filter_map(|splits| Some(splits["parameter"].as_str()?.to_owned())).collect();
        assert_eq!(said, split_parameters(kind), "{name}: parameters that name splits");
    }
}

#[test]
fn kinds_that_learn_from_the_splits_they_are_told_are_these() {
    let learns_by_parameter = |kind: &&Value| {
        let lessons = kind["learns"]["from"].as_array().unwrap();
        lessons.iter().any(|lesson| lesson["splits"]["parameter"].is_string())
    };
    let kinds = kinds();
    let names: BTreeSet<&str> = kinds
        .iter()
        .filter(learns_by_parameter)
        .map(|kind| kind["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "autoencoder",
        "contrastive",
        "gaussian-mixture",
        "kmeans",
        "label-propagation",
        "label-spreading",
        "minibatch-kmeans",
        "neighbour-graph",
        "propagate-nearest",
        "self-training",
        "tsne",
    ];
    assert_eq!(names, BTreeSet::from(expected), "a new one belongs into the pipeline below, too");
}

#[test]
fn kinds_that_draw_at_random_say_so() {
    // The seeds of these do not decide what is learnt: they bring data, divide labels, look for the
    // same neighbours or eigenvectors in another order, break a tie, or guess.
    let harmless = [
        "dummy",
        "holdout",
        "ingest",
        "ingest-embeddings",
        "neighbour-graph",
        "query",
        "spectral-embedding",
    ];
    for kind in kinds() {
        let name = kind["kind"].as_str().unwrap();
        let seeded = !kind["params"]["properties"]["seed"].is_null();
        let said = !kind["learns"]["chance"].is_null();
        assert_eq!(seeded && !harmless.contains(&name), said, "{name}");
    }
}

/// Every kind that learns from the splits that it is told, each with a classifier below.
const STUDY: &str = r#"
[pipeline]
name = "seen"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 240
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 3

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.knn-pixels]
kind = "knn"
inputs = { features = "pixels", labels = "labels" }

[stages.pca]
kind = "pca"
inputs = { features = "pixels" }
components = 8

[stages.knn-pca]
kind = "knn"
inputs = { features = "pca", labels = "labels" }

[stages.kmeans]
kind = "kmeans"
inputs = { features = "pixels" }
clusters = 20
splits = ["train", "test"]

[stages.far-kmeans]
kind = "centroid-distances"
inputs = { features = "pixels", centroids = "kmeans" }

[stages.knn-kmeans]
kind = "knn"
inputs = { features = "far-kmeans", labels = "labels" }

[stages.minibatch]
kind = "minibatch-kmeans"
inputs = { features = "pixels" }
clusters = 20
splits = ["train", "test"]

[stages.far-minibatch]
kind = "centroid-distances"
inputs = { features = "pixels", centroids = "minibatch" }

[stages.knn-minibatch]
kind = "knn"
inputs = { features = "far-minibatch", labels = "labels" }

[stages.mixture]
kind = "gaussian-mixture"
inputs = { features = "pca" }
clusters = 5
splits = ["train", "test"]

[stages.far-mixture]
kind = "centroid-distances"
inputs = { features = "pca", centroids = "mixture" }

[stages.knn-mixture]
kind = "knn"
inputs = { features = "far-mixture", labels = "labels" }

[stages.map]
kind = "tsne"
inputs = { features = "pixels" }
perplexity = 10
iterations = 260
splits = ["train", "test"]

[stages.knn-map]
kind = "knn"
inputs = { features = "map", labels = "labels" }

[stages.graph]
kind = "neighbour-graph"
inputs = { features = "pixels" }
splits = ["train", "test"]

[stages.flow]
kind = "propagate-graph"
inputs = { nodes = "graph", edges = "graph", labels = "labels" }

[stages.vote]
kind = "graph-predict"
inputs = { features = "pixels", distributions = "flow" }

[stages.spectral]
kind = "spectral-embedding"
inputs = { nodes = "graph", edges = "graph" }
dimensions = 5

[stages.knn-spectral]
kind = "knn"
inputs = { features = "spectral", labels = "labels" }

[stages.train-graph]
kind = "neighbour-graph"
inputs = { features = "pixels" }

[stages.train-flow]
kind = "propagate-graph"
inputs = { nodes = "train-graph", edges = "train-graph", labels = "labels" }

[stages.train-vote]
kind = "graph-predict"
inputs = { features = "pixels", distributions = "train-flow" }

[stages.spread]
kind = "label-spreading"
inputs = { features = "pixels", labels = "labels" }

[stages.regression]
kind = "logistic-regression"
inputs = { features = "pixels", labels = "spread" }

[stages.report]
kind = "report"
inputs = { predictions = ["knn-pixels", "knn-pca", "knn-kmeans", "knn-minibatch", "knn-mixture", "knn-map", "vote", "knn-spectral", "train-vote", "regression"], truth = "images", clusters = ["kmeans"], propagated = ["flow"] }
"#;

/// Setting, and who saw the test images, by stage.
fn standings(project: &Project, report: &str) -> BTreeMap<String, (String, Option<String>)> {
    let rows = project.rows(report);
    let of = |row: &&Value| {
        let metric = row["metric"].as_str().unwrap();
        row["split"] == "test" && metric.ends_with("accuracy")
    };
    let standing = |row: &Value| {
        let word = |name: &str| row[name].as_str().map(str::to_owned);
        (word("stage").unwrap(), (word("setting").unwrap(), word("seen_by")))
    };
    rows.iter().filter(of).map(standing).collect()
}

const HELD_OUT: &str = "test (held out)";
const SEEN: &str = "test (transductive: seen without labels)";

#[track_caller]
fn expect(found: &BTreeMap<String, (String, Option<String>)>, stage: &str, by: Option<&str>) {
    let setting = if by.is_some() { SEEN } else { HELD_OUT };
    let seen_by = found[stage].1.as_deref();
    assert_eq!((found[stage].0.as_str(), seen_by), (setting, by), "{stage}");
}

#[test]
fn whatever_saw_the_test_images_is_named() {
    let project = Project::with(STUDY);
    let answer = project.ask("run", &[]).ended(0);
    let found = standings(&project, "seen/report/metrics.parquet");
    for stage in ["knn-pixels", "knn-pca", "train-vote", "regression"] {
        expect(&found, stage, None);
    }
    let both = |stage: &str| format!("`{stage}` (splits = [\"train\",\"test\"])");
    for (stage, above) in [
        ("knn-kmeans", "kmeans"),
        ("knn-minibatch", "minibatch"),
        ("knn-mixture", "mixture"),
        ("knn-map", "map"),
    ] {
        expect(&found, stage, Some(&both(above)));
    }
    let graph = both("graph");
    let flow = format!("{graph}, `flow` (every image that it is given)");
    expect(&found, "vote", Some(&flow));
    let spectral = format!("{graph}, `spectral` (every image that it is given)");
    expect(&found, "knn-spectral", Some(&spectral));
    // The terminal, the document and the page say so as well.
    let sentence = format!("{} learnt from the test images", both("kmeans"));
    answer.says(&[&sentence, SEEN]);
    let document = project.scarce(&["report", "seen", "--format", "markdown"]).ended(0);
    document.says(&[&sentence, SEEN]);
    let page = project.read("artifacts/runs/seen/report/page.html");
    assert!(page.contains("<code>kmeans</code> (splits = "), "the page names the stage");
}

/// Encoders on libtorch: by `splits`, by the split that is validated on, and one that saw neither.
const ENCODERS: &str = r#"
[pipeline]
name = "encoders"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 240
test_fraction = 0.25

[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 3

[stages.honest]
kind = "autoencoder"
inputs = { images = "images" }
architecture = "linear"
latent = 8
epochs = 2

[stages.learnt]
kind = "autoencoder"
inputs = { images = "images" }
architecture = "linear"
latent = 8
epochs = 2
splits = ["train", "test"]

[stages.stopped]
kind = "autoencoder"
inputs = { images = "images" }
architecture = "linear"
latent = 8
epochs = 2
early_stopping = { patience = 1, validation_split = "test" }

[stages.contrast]
kind = "contrastive"
inputs = { images = "images" }
epochs = 1
splits = ["train", "test"]

[stages.codes-honest]
kind = "encode"
inputs = { images = "images", model = "honest" }

[stages.codes-learnt]
kind = "encode"
inputs = { images = "images", model = "learnt" }

[stages.codes-stopped]
kind = "encode"
inputs = { images = "images", model = "stopped" }

[stages.codes-contrast]
kind = "encode"
inputs = { images = "images", model = "contrast" }

[stages.knn-honest]
kind = "knn"
inputs = { features = "codes-honest", labels = "labels" }

[stages.knn-learnt]
kind = "knn"
inputs = { features = "codes-learnt", labels = "labels" }

[stages.knn-stopped]
kind = "knn"
inputs = { features = "codes-stopped", labels = "labels" }

[stages.knn-contrast]
kind = "knn"
inputs = { features = "codes-contrast", labels = "labels" }

[stages.mlp]
kind = "mlp"
inputs = { features = "codes-learnt", labels = "labels" }
hidden = [8]
epochs = 2

[stages.report]
kind = "report"
inputs = { predictions = ["knn-honest", "knn-learnt", "knn-stopped", "knn-contrast", "mlp"], truth = "images" }
"#;

#[test]
fn an_encoder_that_saw_the_test_images_is_named() {
    let project = Project::with(ENCODERS);
    project.run(&[]).ended(0);
    let found = standings(&project, "encoders/report/metrics.parquet");
    expect(&found, "knn-honest", None);
    let learnt = "`learnt` (splits = [\"train\",\"test\"])";
    expect(&found, "knn-learnt", Some(learnt));
    expect(&found, "mlp", Some(learnt));
    let stopped = "`stopped` (early_stopping.validation_split = \"test\")";
    expect(&found, "knn-stopped", Some(stopped));
    expect(&found, "knn-contrast", Some("`contrast` (splits = [\"train\",\"test\"])"));
}

#[test]
fn a_kind_of_others_that_says_nothing_is_not_trusted() {
    let hosts = format!("hosts = [\"{}\"]", fixture("scarce-python").display());
    let study = scarce_tests::SMALL
        .replace("name = \"small\"", &format!("name = \"small\"\n{hosts}"))
        .replace("labels = \"labels\"", "labels = \"theirs\"");
    let theirs = "[stages.theirs]\nkind = \"python-pass\"\ninputs = { labels = \"labels\" }\n";
    let project = Project::with(&format!("{study}{theirs}"));
    let answer = project.ask("run", &[]).ended(0);
    let found = standings(&project, "small/report/metrics.parquet");
    let unknown = "test (not known whether it was seen)";
    assert_eq!(found["knn"], (unknown.to_owned(), Some("`theirs`".to_owned())));
    answer.says(&[unknown, "whether `theirs` learnt from the test images is not known"]);
}

#[test]
fn clusters_of_test_images_are_called_so_without_the_images() {
    let study = scarce_tests::SMALL.replace("predictions = [\"knn\"]", "clusters = [\"groups\"]");
    let groups = "[stages.groups]\nkind = \"kmeans\"\ninputs = { features = \"pixels\" }\n\
                  clusters = 10\nsplits = [\"test\"]\n";
    let project = Project::with(&format!("{study}{groups}"));
    project.run(&[]).ended(0);
    let found = standings(&project, "small/report/metrics.parquet");
    expect(&found, "groups", Some("`groups` (splits = [\"test\"])"));
}
