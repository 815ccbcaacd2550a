use std::path::Path;

use scarce_stage::Description;
use serde_json::json;

use super::{feeds, kinds::port};
use crate::{Catalogue, Document, Error, Overrides, Pipeline};

fn catalogue() -> Catalogue {
    let learner = |kind: &str| {
        let mut learner = Description::new(kind, "Learns from vectors and labels")
            .input(port("features", "embeddings"))
            .input(port("labels", "labels"))
            .output(port("predictions", "predictions"));
        learner.params = json!({
            "type": "object",
            "properties": { "k": { "type": "integer" } },
            "additionalProperties": false,
        });
        learner
    };
    let mut report = Description::new("report", "Scores")
        .input(port("predictions", "predictions").many().optional())
        .input(port("propagated", "labels").many().optional());
    report.params = json!({
        "type": "object",
        "properties": { "baseline": { "type": "string" }, "baselines": { "type": "object" } },
        "additionalProperties": false,
    });
    Catalogue::new([
        Description::new("data", "Vectors and labels")
            .output(port("vectors", "embeddings"))
            .output(port("labels", "labels")),
        Description::new("graph", "Neighbours")
            .input(port("features", "embeddings"))
            .output(port("nodes", "nodes")),
        Description::new("flow", "Labels over a graph")
            .input(port("nodes", "nodes"))
            .input(port("labels", "labels"))
            .output(port("labels", "labels")),
        Description::new("network", "Learns from labels")
            .input(port("features", "embeddings"))
            .input(port("labels", "labels"))
            .output(port("predictions", "predictions")),
        learner("logistic-regression"),
        learner("knn"),
        report,
    ])
}

const STUDY: &str = r#"
[pipeline]
baselines = true
[stages.data]
kind = "data"
[stages.graph]
kind = "graph"
inputs = { features = "data" }
[stages.flow]
kind = "flow"
inputs = { nodes = "graph", labels = "data" }
[stages.network]
kind = "network"
inputs = { features = "data", labels = "flow" }
"#;

fn resolve(rest: &str) -> Result<Pipeline, Error> {
    let document = Document::parse(Path::new("/house/study.toml"), format!("{STUDY}{rest}"))?;
    Pipeline::resolve(&document, &catalogue(), &Overrides::default())
}

fn params(pipeline: &Pipeline, stage: &str) -> serde_json::Value {
    let (_, task) = pipeline.tasks().find(|(_, task)| task.stage == stage).unwrap();
    serde_json::Value::Object((*task.params).clone())
}

const REPORT: &str = "[stages.report]\nkind = \"report\"\n\
                      inputs = { predictions = \"network\", propagated = \"flow\" }\n";

mod stand_beside {
    use super::*;

    #[test]
    fn what_learns_from_a_graph_and_what_learns_from_that() {
        let pipeline = resolve(REPORT).unwrap();
        for baseline in ["logistic-regression", "nearest-neighbour"] {
            let expected = ["features < data.vectors", "labels < data.labels"];
            assert_eq!(feeds(&pipeline, baseline), expected, "labels that were given, not learnt");
        }
        assert_eq!(params(&pipeline, "nearest-neighbour"), json!({ "k": 1 }));
        let wired = feeds(&pipeline, "report");
        assert!(
            wired.contains(&"predictions < nearest-neighbour.predictions".to_owned()),
            "{wired:?}"
        );
        assert!(wired.contains(&"predictions < logistic-regression.predictions".to_owned()));
        let both = json!(["logistic-regression", "nearest-neighbour"]);
        let expected = json!({ "baselines": { "network": both, "flow": both } });
        assert_eq!(params(&pipeline, "report"), expected);
    }

    #[test]
    fn themselves_only_once() {
        let text = "[stages.nearest]\nkind = \"knn\"\nk = 1\n\
                    inputs = { features = \"data\", labels = \"data\" }\n\
                    [stages.logistic-regression]\nkind = \"network\"\n\
                    inputs = { features = \"data\", labels = \"data\" }\n\
                    [stages.report]\nkind = \"report\"\nbaseline = \"nearest\"\n\
                    inputs = { predictions = [\"logistic-regression\", \"nearest\"] }\n";
        let pipeline = resolve(text).unwrap();
        let stages: Vec<&str> = pipeline.tasks().map(|(_, task)| task.stage.as_str()).collect();
        assert_eq!(stages.iter().filter(|name| name.contains("nearest")).count(), 1, "{stages:?}");
        // The name was taken by something else.
        assert!(stages.contains(&"logistic-regression-logistic-regression"), "{stages:?}");
        assert_eq!(params(&pipeline, "report"), json!({ "baseline": "nearest" }));
    }
}

#[test]
fn beside_rounds_they_are_in_no_round() {
    let rounds = "[rounds.again]\ncount = 2\nstages = [\"flow\"]\n";
    let report = format!("{REPORT}collect = [\"round\"]\n");
    let pipeline = resolve(&format!("{rounds}{report}")).unwrap();
    let of = |stage: &str| pipeline.tasks().filter(|(_, task)| task.stage == stage).count();
    assert_eq!((of("flow"), of("network"), of("nearest-neighbour")), (2, 2, 1));
}

mod are_refused {
    use super::*;

    #[test]
    fn where_nothing_learns() {
        let error = resolve("").unwrap_err().to_string();
        assert!(error.contains("no report shows a stage that learns"), "{error}");
    }

    #[test]
    fn where_they_are_neither_true_nor_false() {
        let text = STUDY.replace("baselines = true", "baselines = \"all\"") + REPORT;
        let document = Document::parse(Path::new("/house/study.toml"), text).unwrap();
        let error = Pipeline::resolve(&document, &catalogue(), &Overrides::default()).unwrap_err();
        assert!(error.to_string().contains("`true` or `false`"), "{error}");
    }
}
