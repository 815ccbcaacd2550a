//! Stages that run in rounds: what each round reads, what is cached, what people see.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashSet};

use scarce_tests::Project;
use serde_json::Value;

/// Twenty labels, and five more in each of three rounds: those that logistic regression is least
/// sure of.
const ACTIVE: &str = r#"
[pipeline]
name = "active"

[rounds.asking]
count = 3
stages = ["labels", "regression", "query"]

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

[stages.regression]
kind = "logistic-regression"
inputs = { features = "pixels", labels = "labels" }

[stages.query]
kind = "query"
inputs = { predictions = "regression", labels = "labels" }
batch = 5

[stages.report]
kind = "report"
inputs = { predictions = ["regression"], truth = "images" }
collect = ["round"]
"#;

fn ran() -> Project {
    let project = Project::with(ACTIVE);
    project.run(&[]).ended(0);
    project
}

fn ids(rows: &[Value]) -> BTreeSet<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn labels(project: &Project, round: usize) -> Vec<Value> {
    project.rows(&format!("active/labels/round={round}/labels.parquet"))
}

fn queries(project: &Project, round: usize) -> Vec<Value> {
    project.rows(&format!("active/query/round={round}/queries.parquet"))
}

#[test]
fn each_round_has_the_labels_that_the_one_before_asked_for() {
    let project = ran();
    assert_eq!(ids(&labels(&project, 0)), ids(&project.rows("active/first/labels.parquet")));
    for round in 0..2 {
        let (before, after) = (ids(&labels(&project, round)), ids(&labels(&project, round + 1)));
        let asked = ids(&queries(&project, round));
        assert_eq!((before.len(), asked.len()), (20 + 5 * round, 5));
        assert!(before.is_disjoint(&asked), "asked again in round {round}");
        assert_eq!(after, before.union(&asked).copied().collect());
    }
    let mut sources = BTreeMap::new();
    for row in labels(&project, 2) {
        *sources.entry(row["source"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(sources, BTreeMap::from([("given".to_owned(), 20), ("queried".to_owned(), 10)]));
}

#[test]
fn what_is_asked_for_is_what_the_classifier_is_least_sure_of() {
    let project = ran();
    let known = ids(&labels(&project, 1));
    let entropy = |row: &Value| -> f64 {
        let shares = row["probabilities"].as_array().unwrap().iter();
        shares.filter_map(Value::as_f64).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
    };
    let predictions = project.rows("active/regression/round=1/predictions.parquet");
    let mut open: Vec<(f64, u64)> = predictions
        .iter()
        .map(|row| (entropy(row), row["id"].as_u64().unwrap(), row["split"].as_str().unwrap()))
        .filter(|(_, id, split)| *split != "test" && !known.contains(id))
        .map(|(entropy, id, _)| (entropy, id))
        .collect();
    open.sort_by(|a, b| b.0.total_cmp(&a.0));
    let asked: Vec<u64> =
        queries(&project, 1).iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(asked, open.iter().take(5).map(|(_, id)| *id).collect::<Vec<_>>());
}

#[test]
fn more_rounds_run_only_those_that_are_new() {
    let project = ran();
    assert!(project.run(&[]).ran().is_empty());
    let more = project.run(&["--set", "rounds.asking.count=4"]).ended(0);
    let new = ["labels [round=3]", "query [round=3]", "regression [round=3]", "report"];
    assert_eq!(more.ran(), new);
    let fewer = project.run(&["--axis", "round=0..2"]).ended(0);
    assert_eq!(fewer.ran(), ["report"], "the report of fewer rounds is another");
    let view = |round: u32| project.path(&format!("artifacts/runs/active/labels/round={round}"));
    assert!(view(1).exists() && view(3).exists(), "a part of the rounds leaves the others alone");
    assert!(project.run(&[]).ended(0).ran().is_empty());
    assert!(view(2).exists() && !view(3).exists(), "it is not in the file");
}

#[test]
fn a_change_reaches_the_rounds_that_it_changes() {
    let project = ran();
    let plan = project.ask("plan", &["--set", "stages.query.batch=6"]).ended(0).stdout;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let plan: Vec<String> = plan.lines().map(words).collect();
    for line in [
        "cached regression [round=0]",
        "run query [round=0] because param batch 5 → 6",
        "depends labels [round=1] on query [round=0]",
    ] {
        assert!(plan.iter().any(|found| found == line), "`{line}` is not in {plan:#?}");
    }
}

#[test]
fn an_annotator_that_errs_now_and_then_spoils_only_answers() {
    let project = ran();
    let truth: BTreeMap<u64, i64> = project
        .rows("active/images/truth.parquet")
        .iter()
        .map(|row| (row["id"].as_u64().unwrap(), row["label"].as_i64().unwrap()))
        .collect();
    project.run(&["--set", "stages.labels.error_rate=1"]).ended(0);
    for row in labels(&project, 2) {
        let right = truth[&row["id"].as_u64().unwrap()] == row["label"].as_i64().unwrap();
        assert_eq!(right, row["source"] == "given", "{row}");
    }
}

#[test]
fn no_test_image_is_asked_for() {
    let project = ran();
    let rows = project.rows("active/images/images.parquet");
    let test: HashSet<u64> = rows
        .iter()
        .filter(|row| row["split"] == "test")
        .map(|row| row["id"].as_u64().unwrap())
        .collect();
    assert!(!test.is_empty());
    for round in 0..3 {
        assert!(ids(&queries(&project, round)).iter().all(|id| !test.contains(id)));
    }
}

#[test]
fn a_target_runs_no_more_of_the_last_round_than_it_needs() {
    let project = Project::with(ACTIVE);
    let ran = project.run(&["labels"]).ended(0).ran();
    assert!(ran.contains(&"query [round=1]".to_owned()), "{ran:?}");
    assert!(!ran.contains(&"query [round=2]".to_owned()), "{ran:?}");
    assert!(!ran.contains(&"regression [round=2]".to_owned()), "{ran:?}");
}

#[test]
fn the_way_back_is_drawn() {
    let project = Project::with(ACTIVE);
    let mermaid = project.ask("graph", &["--format", "mermaid"]).ended(0);
    mermaid.says(&["-.->|\"queries, next round\"|", "3 variants (round)"]);
    for expand in [&[][..], &["--expand"]] {
        let svg = project.ask("graph", &[&["--format", "svg"], expand].concat()).ended(0);
        svg.says(&["<svg", "regression", "</svg>"]);
    }
    project.ask("check", &[]).ended(0).says(&["13 tasks", "axis round: 0, 1, 2", "3 over round"]);
}

#[test]
fn a_wire_that_the_first_round_has_not_is_shown() {
    let project = Project::with(&ACTIVE.replace("[\"first\", \"labels\"]", "[\"first\"]"));
    project.ask("check", &[]).ended(0);
    project
        .edit("labels = \"labels\" }\n\n[stages.query]", "labels = \"next\" }\n\n[stages.query]");
    project.edit(
        "[stages.report]",
        "[stages.next]\nkind = \"propagate-neighbours\"\n\
         inputs = { features = \"pixels\", labels = \"labels\" }\n\n[stages.report]",
    );
    project.edit("\"regression\", \"query\"]", "\"regression\", \"next\", \"query\"]");
    project.ask("check", &[]).ended(2).complains_of(&[
        "in the first round nothing is wired to the input `labels` of `regression`",
        "list `next` before `regression`",
    ]);
}
