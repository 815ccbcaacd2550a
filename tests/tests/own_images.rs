//! One's own images with a few labels and no truth; and vectors that something else made.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, files};
use serde_json::Value;

/// 120 pictures of two classes, of which the first 30 are labelled.
fn pictures() -> Project {
    let project = Project::new();
    let mut labels = vec!["file,label".to_owned()];
    for i in 0..120 {
        let class = i % 2;
        project.write(&format!("pictures/{i:03}.png"), files::png(8, 8, &files::square(class, i)));
        if i < 30 {
            labels.push(format!("{i:03}.png,{}", ["upper", "lower"][class]));
        }
    }
    project.write("labels.csv", labels.join("\n"));
    project
}

/// The mean of a metric by stage.
fn means(project: &Project, report: &str, metric: &str) -> Vec<(String, f64)> {
    let rows = project.rows(&format!("{report}/summary.parquet"));
    let has = |row: &&Value| row["metric"] == metric && row["class"].is_null();
    let pair =
        |row: &Value| (row["stage"].as_str().unwrap().to_owned(), row["mean"].as_f64().unwrap());
    rows.iter().filter(has).map(pair).collect()
}

#[test]
fn thirty_labels_and_no_truth_make_a_report_that_says_so() {
    let mut project = pictures();
    let words = ["new", "--images", "pictures", "--labels", "labels.csv", "-o", "mine.toml"];
    project.scarce(&words).ended(0);
    project.file = "mine.toml".into();
    let quick = [
        "--set",
        "stages.encoder.epochs=2",
        "--set",
        "stages.images.resize={ height = 8, width = 8 }",
        "--set",
        "stages.encoder.architecture=linear",
    ];
    let answer = project.ask("run", &quick).ended(0);
    answer.says(&["neighbours", "cross-validated", "report: "]);

    let predictions = project.rows("mine/neighbours/fold=all/predictions.parquet");
    assert_eq!(predictions.len(), 120, "every image has a prediction");
    let named = project.rows("mine/images/images.parquet");
    assert_eq!(named[7]["source"], "007.png");

    let page = project.read("artifacts/runs/mine/report/page.html");
    let plain = page.to_lowercase();
    assert!(plain.contains("coverage"), "how many images the labels reach");
    assert!(plain.contains("cross-validat"), "where the accuracy comes from");
    let accuracy = means(&project, "mine/report", "accuracy");
    let (_, neighbours) = accuracy.iter().find(|(stage, _)| stage == "neighbours").unwrap();
    assert!(*neighbours > 0.9, "anybody can tell these apart: {accuracy:?}");

    assert_eq!(project.run(&quick).ended(0).ran(), [""; 0]);
}

const VECTORS: &str = r#"
[pipeline]
name = "vectors"

[stages.vectors]
kind = "ingest-embeddings"
path = "clip.npy"
origin = "clip"
metric = "cosine"

[stages.labels]
kind = "labels"
inputs = { embeddings = "vectors" }
path = "labels.csv"

[stages.knn]
kind = "knn"
inputs = { features = "vectors", labels = "labels" }
"#;

/// Vectors of 6 numbers that point two ways.
fn vector(i: usize) -> Vec<f32> {
    let wobble = (i * 7 % 10) as f32 / 50.0;
    (0..6).map(|at| if at % 2 == i % 2 { 1.0 + wobble } else { wobble * at as f32 }).collect()
}

#[test]
fn vectors_made_elsewhere_enter_as_npy() {
    let project = Project::with(VECTORS);
    project.write("clip.npy", files::npy(&(0..40).map(vector).collect::<Vec<_>>()));
    project.write("labels.csv", "id,label\n0,even\n1,odd\n");
    assert_eq!(project.run(&[]).ended(0).ran(), ["knn", "labels", "vectors"]);

    let table = "artifacts/runs/vectors/vectors/embeddings.parquet";
    let shown = project.scarce(&["show", "--json", table]).ended(0).json();
    assert_eq!(shown["rows"], 40);
    assert_eq!(shown["metadata"]["origin"], "clip");
    assert_eq!(shown["head"][3]["embedding"].as_array().unwrap().len(), 6);
    for row in project.rows("vectors/knn/predictions.parquet") {
        let expected = row["id"].as_u64().unwrap() % 2;
        assert_eq!(row["label"].as_u64(), Some(expected), "{row}");
    }
}

#[test]
fn or_as_a_parquet_file_that_another_pipeline_wrote() {
    let project = Project::with(VECTORS);
    project.write("clip.npy", files::npy(&(0..40).map(vector).collect::<Vec<_>>()));
    project.write("labels.csv", "id,label\n0,even\n1,odd\n");
    project.run(&["vectors"]).ended(0);
    let bytes = fs_err::read(project.entry("vectors/vectors").join("embeddings.parquet")).unwrap();
    project.write("own.parquet", bytes);
    project.edit("clip.npy", "own.parquet");
    project.edit(
        "origin = \"clip\"",
        "origin = \"clip\"\nid_column = \"id\"\nsplit_column = \"split\"",
    );
    let run = project.run(&[]).ended(0);
    assert_eq!(run.ran(), ["knn", "labels", "vectors"]);
}

#[test]
fn labels_come_as_json_lines_too() {
    let project = Project::with(&VECTORS.replace("labels.csv", "labels.jsonl"));
    project.write("clip.npy", files::npy(&(0..40).map(vector).collect::<Vec<_>>()));
    project.write(
        "labels.jsonl",
        "{\"id\": 0, \"label\": \"even\"}\n{\"id\": 1, \"label\": \"odd\"}\n",
    );
    let csv = Project::with(VECTORS);
    csv.write("clip.npy", files::npy(&(0..40).map(vector).collect::<Vec<_>>()));
    csv.write("labels.csv", "label;id\nodd;1\neven;0\n");
    let digests = [project, csv].map(|project| {
        project.run(&[]).ended(0);
        project.digests("vectors/labels")
    });
    assert_eq!(digests[0], digests[1]);
}
