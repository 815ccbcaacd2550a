//! Class names and their order agree, or nothing is computed.

#![allow(clippy::unwrap_used)]

use scarce_tests::{Project, files};

/// Images of the classes 1, 2 and 10, in folders, and some of their labels in a file.
fn numbered(labels: &str) -> Project {
    let project = Project::with(
        r#"
[pipeline]
name = "numbers"

[stages.images]
kind = "ingest"
path = "photos"

[stages.labels]
kind = "labels"
inputs = { images = "images" }
path = "labels.csv"

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.knn]
kind = "knn"
inputs = { features = "pixels", labels = "labels" }

[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images", labels = ["labels"] }
"#,
    );
    for (class, name) in ["1", "2", "10"].into_iter().enumerate() {
        for seed in 0..4 {
            let picture = files::png(8, 8, &files::square(class, seed));
            project.write(&format!("photos/{name}/{seed}.png"), picture);
        }
    }
    project.write("labels.csv", labels);
    project
}

#[test]
fn numbers_have_one_order_in_folders_and_in_files() {
    let project = numbered("file,label\n10/0.png,10\n1/0.png,1\n2/0.png,2\n");
    project.run(&[]).ended(0);
    let rows = project.rows("numbers/labels/labels.parquet");
    let labels: Vec<i64> = rows.iter().map(|row| row["label"].as_i64().unwrap()).collect();
    assert_eq!(labels, [0, 2, 1], "ids are in the order of the paths: 1, 10, 2");
    let rows = project.rows("numbers/report/metrics.parquet");
    assert!(rows.iter().any(|row| row["metric"] == "accuracy"));
}

#[test]
fn classes_that_differ_end_the_run_when_the_labels_enter() {
    let project = numbered("file,label\n10/0.png,10\n1/0.png,1\n");
    let run = project.run(&[]).ended(1);
    let failure = run.failure("report");
    assert_eq!(failure["code"], "orchestrator::classes");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("`images.truth` has the classes `1`, `2`, `10`"), "{message}");
    assert!(message.contains("`labels.labels` has `1`, `10`"), "{message}");
    assert!(!run.ran().contains(&"knn".to_owned()), "nothing was fitted: {:?}", run.ran());
}

#[test]
fn names_in_another_order_are_told_as_such() {
    let project = numbered("file,label\n10/0.png,10\n1/0.png,1\n2/0.png,2\n");
    project
        .edit("path = \"labels.csv\"", "path = \"labels.csv\"\nclasses = [\"1\", \"10\", \"2\"]");
    let failure = project.run(&[]).ended(1).failure("report").clone();
    assert!(failure["message"].as_str().unwrap().ends_with("in another order"), "{failure}");
    assert!(
        failure["help"].as_str().unwrap().contains("classes = [\"1\",\"2\",\"10\"]"),
        "{failure}"
    );
}
