//! What a finished run learnt, applied to new images, here and elsewhere.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use scarce_tests::{Project, files, photos};

/// A chain of every kind that serves new images without libtorch: pixels, levelled, logistic regression.
const CHAIN: &str = r#"
[pipeline]
name = "squares"

[axes]
fold = ["all", 0, 1]

[stages.images]
kind = "ingest"
path = "pictures"

[stages.given]
kind = "labels"
inputs = { images = "images" }
path = "labels.csv"

[stages.folds]
kind = "holdout"
inputs = { labels = "given" }
fold = "$fold"
folds = 2

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.levelled]
kind = "pca"
inputs = { features = "pixels" }
components = 5
whiten = 0.5

[stages.regression]
kind = "logistic-regression"
inputs = { features = "levelled", labels = "folds.labels" }

[stages.nearest]
kind = "knn"
inputs = { features = "pixels", labels = "folds.labels" }

[stages.spread]
kind = "label-spreading"
inputs = { features = "pixels", labels = "folds.labels" }
"#;

/// Sixty pictures of two classes, twenty labelled, and a run.
fn finished() -> Project {
    let project = Project::with(CHAIN);
    let mut labels = "file,label\n".to_owned();
    for i in 0..60 {
        let (class, name) = (i % 2, format!("{i:03}.png"));
        project.write(&format!("pictures/{name}"), files::png(8, 8, &files::square(class, i)));
        if i < 20 {
            labels.extend([name.as_str(), ",", ["upper", "lower"][class], "\n"]);
        }
    }
    project.write("labels.csv", labels);
    for i in 100..130 {
        let name = format!("new/{i}-{}.png", ["upper", "lower"][i % 2]);
        project.write(&name, files::png(8, 8, &files::square(i % 2, i)));
    }
    project.run(&[]).ended(0);
    project
}

/// Label and confidence by file name.
fn answers(csv: &str) -> BTreeMap<String, (String, String)> {
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("file,label,confidence"));
    let row = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        (parts[0].to_owned(), (parts[1].to_owned(), parts[2].to_owned()))
    };
    lines.map(row).collect()
}

#[test]
fn new_pictures_get_the_labels_that_they_should() {
    let project = finished();
    let answer = project.scarce(&["predict", "squares/regression", "new"]).ended(0);
    let found = answers(&answer.stdout);
    assert_eq!(found.len(), 30);
    for (file, (label, _)) in &found {
        assert!(file.contains(label.as_str()), "{file} is {label}");
    }
}

#[test]
fn the_pictures_of_the_run_get_what_the_run_said_of_them() {
    let project = finished();
    let answer = project.scarce(&["predict", "squares/regression", "pictures", "--json"]).ended(0);
    let run = project.rows("squares/regression/fold=all/predictions.parquet");
    let said: Vec<serde_json::Value> = answer.json_lines();
    assert_eq!(said.len(), run.len());
    let names = ["lower", "upper"];
    for (said, run) in said.iter().zip(&run) {
        let label = usize::try_from(run["label"].as_i64().unwrap()).unwrap();
        assert_eq!(said["label"], names[label], "{said}");
        let sure = run["probabilities"][label].as_f64().unwrap();
        assert!((said["confidence"].as_f64().unwrap() - sure).abs() < 1e-6, "{said} {run}");
    }
}

#[test]
fn an_answer_does_not_depend_on_what_else_is_asked() {
    let project = finished();
    let whole = project.scarce(&["predict", "squares/regression", "new"]).ended(0);
    let alone = project.scarce(&["predict", "squares/regression", "new/107-lower.png"]).ended(0);
    let (whole, alone) = (answers(&whole.stdout), answers(&alone.stdout));
    assert_eq!(alone.len(), 1);
    assert_eq!(alone["107-lower.png"], whole["107-lower.png"]);
}

#[test]
fn a_bundle_works_where_the_run_is_not() {
    let project = finished();
    project
        .scarce(&["bundle", "squares/regression", "-o", "m.scarce"])
        .ended(0)
        .says(&["2 classes"]);
    let here = project.scarce(&["predict", "squares/regression", "new"]).ended(0).stdout;
    let other = Project::new();
    let bundle = fs_err::read(project.path("m.scarce")).unwrap();
    other.write("m.scarce", &bundle);
    for entry in fs_err::read_dir(project.path("new")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        other.write(&format!("new/{name}"), fs_err::read(&path).unwrap());
    }
    drop(project);
    let there = other.scarce(&["predict", "m.scarce", "new"]).ended(0).stdout;
    assert_eq!(here, there);

    // Every byte of it counts, and what is cut off or of another kind is refused by name.
    for at in [bundle.len() / 3, bundle.len() / 2] {
        let mut spoilt = bundle.clone();
        spoilt[at] ^= 1;
        if spoilt[at..at + 64].iter().all(|byte| *byte == 0) {
            continue;
        }
        other.write("spoilt.scarce", &spoilt);
        let answer = other.scarce(&["predict", "spoilt.scarce", "new"]);
        if answer.code != Some(0) {
            answer.ended(2).complains_of(&["spoilt.scarce"]);
        }
    }
    other.write("cut.scarce", &bundle[..bundle.len() / 2]);
    other.scarce(&["predict", "cut.scarce", "new"]).ended(2).complains_of(&["cut.scarce"]);
    other.write("no.scarce", "no bundle at all");
    other.scarce(&["predict", "no.scarce", "new"]).ended(2).complains_of(&["no.scarce"]);
}

#[test]
fn what_cannot_predict_says_why_and_what_to_do() {
    let project = finished();
    let answer = project.scarce(&["predict", "squares/spread", "new"]).ended(2);
    answer.complains_of(&["spread", "label-spreading", "transductive"]);
    let answer = project.scarce(&["predict", "squares", "new"]).ended(2);
    answer.complains_of(&["more than one model", "squares/regression/fold=all"]);
    project.scarce(&["predict", "square", "new"]).ended(2).complains_of(&["`squares`"]);
    project.scarce(&["predict", "squares/nearest", "nowhere"]).ended(2).complains_of(&["nowhere"]);
    project.edit("components = 5", "components = 4");
    let answer = project.scarce(&["predict", "squares/regression", "new"]).ended(2);
    answer.complains_of(&["scarce run"]);
}

#[test]
fn tables_in_every_format() {
    let project = finished();
    let ask = |file: &str| {
        let words = ["predict", "squares/nearest", "new", "-o", file, "--probabilities"];
        project.scarce(&words).ended(0);
    };
    ask("answers.csv");
    ask("answers.jsonl");
    ask("answers.parquet");
    assert!(project.read("answers.csv").starts_with("file,label,confidence,p_lower,p_upper\n"));
    assert_eq!(project.read("answers.jsonl").lines().count(), 30);
    let shown = project.scarce(&["show", "answers.parquet"]).ended(0);
    shown.says(&["30 rows", "confidence", "p_upper"]);
    project.scarce(&["predict", "squares/nearest", "new", "-o", "a.xlsx"]).ended(2);
}

#[test]
fn photographs_by_a_pretrained_network_travel_with_it() {
    let Some(data) = photos::with_network() else { return };
    let mut project = photos::clothes(&data);
    project.write("labels.csv", photos::labels());
    let new = ["new", "--images", "photos", "--labels", "labels.csv", "-o", "mine.toml"];
    project.scarce(&new).ended(0);
    project.file = "mine.toml".into();
    project.run(&[]).ended(0);
    project.scarce(&["bundle", "mine/answers", "-o", "clothes.scarce"]).ended(0);
    let run = project.scarce(&["predict", "mine/answers", "photos"]).ended(0).stdout;
    let bundle = project.scarce(&["predict", "clothes.scarce", "photos"]).ended(0).stdout;
    assert_eq!(run, bundle);
    assert_eq!(answers(&run).len(), 20);
}
