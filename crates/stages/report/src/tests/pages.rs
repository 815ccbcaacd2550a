//! What the page says.

use scarce_artifact::{
    Empty, History, Images, ImagesMeta, LabelSource, Reconstructions, Shape, Split, Vectors,
};
use serde_json::json;

use super::testing::Bench;

const THREE: [&str; 3] = ["cat", "dog", "owl"];

fn images(bench: &mut Bench, n: u32, splits: &[Split]) {
    let shape = Shape { height: 2, width: 2, channels: 1 };
    let table = Images {
        id: (0..n).collect(),
        split: (0..n as usize).map(|at| splits[at % splits.len()]).collect(),
        source: (0..n).map(|id| format!("{id}.png")).collect(),
        pixels: Vectors::new(4, (0..4 * n).map(|value| (value % 17) as u8).collect()),
    };
    let meta =
        ImagesMeta { shape, dataset: "pets".to_owned(), max_value: 16, ..Default::default() };
    bench.table("images", "images", &[], meta, table);
}

/// A page with everything on it.
fn full() -> Bench {
    let mut bench = Bench::new();
    let splits = [Split::Train, Split::Train, Split::Test];
    images(&mut bench, 12, &splits);
    let truth: Vec<i32> = (0..12).map(|id| id % 3).collect();
    bench.truth(&THREE, &truth);
    for seed in [0, 1, 2] {
        let axes = [("seed", json!(seed))];
        let dummy: Vec<i32> = (0..12).map(|id| (id * 7 + seed) % 3).collect();
        bench.predictions("dummy", &axes, &THREE, &splits, &dummy);
        let knn: Vec<i32> =
            (0..12).map(|id| if id % 5 == seed { (id + 1) % 3 } else { id % 3 }).collect();
        bench.predictions("knn", &axes, &THREE, &splits, &knn);
        let rows: Vec<(u32, i32, LabelSource)> =
            [0, 1, 3].map(|id| (id, (id % 3) as i32, LabelSource::Given)).to_vec();
        bench.labels("labels", "budget", &axes, &THREE, &rows);
        let history = History {
            epoch: vec![1, 2, 3],
            train_loss: vec![0.5, 0.3, 0.2 + f64::from(seed) / 100.0],
            validation_loss: vec![Some(0.6), Some(0.4), None],
        };
        bench.table("history", "encoder", &axes, Empty {}, history);
    }
    let rebuilt = Reconstructions {
        id: vec![2, 5],
        original: Vectors::new(4, vec![0, 4, 8, 16, 16, 8, 4, 0]),
        code: Vectors::new(3, vec![0.1, 0.2, 0.3, 1.0, 1.0, 1.0]),
        reconstruction: Vectors::new(4, vec![1, 4, 8, 15, 15, 8, 4, 1]),
    };
    let shape = Shape { height: 2, width: 2, channels: 1 };
    let meta =
        ImagesMeta { shape, dataset: "pets".to_owned(), max_value: 16, ..Default::default() };
    bench.table("reconstructions", "encoder", &[("seed", json!(0))], meta, rebuilt);
    bench
}

fn params() -> serde_json::Value {
    json!({
        "title": "Pets from three labels",
        "notes": "First paragraph.\n\nSecond.",
        "sample_images": 2,
        "published": [
            { "stage": "knn", "value": 0.8, "source": "Pets (2020)" },
            { "stage": "knn", "value": 0.2, "split": "transductive", "source": "Pets (2020)" },
            { "stage": "absent", "value": 0.5 },
        ],
    })
}

#[test]
fn with_truth() {
    let mut bench = full();
    let outcome = bench.report(params()).unwrap();
    insta::assert_snapshot!(outcome.text());
    assert!(outcome.html.matches("data:image/png;base64,").count() > 10);
    assert!(outcome.html.contains("<circle"));
}

#[test]
fn the_same_tables_give_the_same_bytes() {
    let (mut one, mut two) = (full(), full());
    assert!(one.report(params()).unwrap().files == two.report(params()).unwrap().files);
    // The page describes itself to nobody but its reader.
    assert!(!one.plain().html.contains(&one.folder.path().display().to_string()));
}

/// Twenty images, six of them labelled, five folds and the final run; nobody knows the truth.
fn own(held_out: usize) -> Bench {
    let mut bench = Bench::new();
    images(&mut bench, 20, &[Split::Pool]);
    let predicted: Vec<i32> = (0..20).map(|id| (id / 2) % 3).collect();
    let given: Vec<(u32, i32, LabelSource)> =
        (0..6).map(|id| (id, (id / 2) as i32 % 3, LabelSource::Given)).collect();
    for fold in 0..held_out {
        let axes = [("fold", json!(fold))];
        // The last label is never guessed.
        let mut predicted = predicted.clone();
        predicted[5] = 0;
        bench.predictions("knn", &axes, &THREE, &[Split::Pool], &predicted);
        let others: Vec<_> = given.iter().copied().filter(|row| row.0 != fold as u32).collect();
        bench.labels("labels", "folds", &axes, &THREE, &others);
        bench.labels("held_out", "folds", &axes, &THREE, &given[fold..=fold]);
    }
    let axes = [("fold", json!("all"))];
    bench.predictions("knn", &axes, &THREE, &[Split::Pool], &predicted);
    bench.labels("labels", "folds", &axes, &THREE, &given);
    bench.labels("held_out", "folds", &axes, &THREE, &[]);
    bench
}

#[test]
fn without_truth() {
    let outcome = own(6).report(json!({ "sample_images": 2 })).unwrap();
    insta::assert_snapshot!(outcome.text());
    let accuracy = outcome.row("knn", "cross-validation").figure("accuracy").unwrap();
    assert_eq!(accuracy.to_string(), "83.3 [43.6, 97.0] (6 labels)");
    assert_eq!(outcome.row("knn", "pool").setting, "not scored (no truth)");
}

#[test]
fn too_few_labels_estimate_nothing() {
    let outcome = own(3).plain();
    assert!(outcome.text().contains("cannot be estimated: only 3 labels could be held out"));
    assert!(outcome.summary.iter().all(|row| row.split != "cross-validation"));
    let outcome = own(0).plain();
    assert!(outcome.text().contains("none of the 6 given labels were held out"));
}

#[test]
fn one_seed_has_no_interval() {
    let mut bench = Bench::new();
    bench.truth(&THREE, &[0, 1, 2, 0]);
    bench.predictions("knn", &[("seed", json!(0))], &THREE, &[Split::Test], &[0, 1, 2, 1]);
    let outcome = bench.plain();
    assert!(outcome.text().contains("knn | 75.0 3/4 | 77.8 | 1"), "{}", outcome.text());
    let figure = outcome.row("knn", "test").figure("accuracy").unwrap();
    assert_eq!((figure.estimate.half_width, figure.estimate.n), (None, 1));
}

#[test]
fn a_hundred_classes_fit_on_a_page() {
    let names: Vec<String> = (0..100).map(|class| format!("class {class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut bench = Bench::new();
    let truth: Vec<i32> = (0..1000).map(|id| id % 97).collect();
    bench.truth(&names, &truth);
    let predicted: Vec<i32> = (0..1000).map(|id| if id % 3 == 0 { 99 } else { id % 97 }).collect();
    bench.predictions("knn", &[], &names, &[Split::Test], &predicted);
    let outcome = bench.plain();
    assert!(outcome.html.len() < 200_000, "{} bytes", outcome.html.len());
    assert!(outcome.text().contains("The most frequent confusions of 100 classes"));
    assert!(outcome.text().contains("class 99 | 0.0 |"), "predicted, never true");
    assert!(!outcome.text().contains("class 98 |"), "neither");
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let evil = "<script>alert('x')</script>";
    let mut bench = Bench::new();
    bench.truth(&[evil, "\"><img src=x onerror=y>"], &[0, 1, 0]);
    let axes = [("axis<b>", json!(evil))];
    bench.predictions(evil, &axes, &[evil, "\"><img src=x onerror=y>"], &[Split::Test], &[1, 1, 0]);
    let published = json!([{ "stage": evil, "value": 0.5, "source": evil }]);
    let params = json!({ "title": evil, "notes": evil, "published": published });
    let outcome = bench.report(params).unwrap();
    assert!(!outcome.html.contains("<script") && !outcome.html.contains("<img src=x"));
    assert!(!outcome.html.contains("axis<b>"));
    assert!(outcome.html.matches("&lt;script&gt;").count() > 5);
}
