//! Published figures beside ours.

use scarce_artifact::Split;
use serde_json::json;

use super::{
    studies::{line, rounds},
    testing::Bench,
};

#[test]
fn claims_have_names_notes_and_exact_counts() {
    let published = json!([
        { "stage": "active", "metric": "propagated_accuracy", "split": "transductive", "value": 0.75,
          "axes": { "round": 3 }, "label": "8 labels, queried", "note": "one run",
          "source": "A paper" },
        { "stage": "random", "metric": "propagated_accuracy", "split": "transductive", "value": 0.6,
          "axes": { "round": 3 } },
    ]);
    let names = json!({ "random": "Random labels" });
    let mut bench = rounds();
    let outcome = bench.report(json!({ "published": published, "names": names })).unwrap();
    let text = outcome.text();
    assert_eq!(
        line(&outcome, &text, "8 labels, queried"),
        "8 labels, queried active · round = 3 one run | 75 [1] | 75.0 9/12 | equal to the digits \
         given | 1 |"
    );
    assert_eq!(
        line(&outcome, &text, "Random labels random, round = 3 | 60"),
        "Random labels random, round = 3 | 60 | 50.0 ± 20.7 | inside our range of single runs | 3 |"
    );
    let row = outcome.row("active · round = 3", "pool");
    assert_eq!(row.label, "active · round = 3");
    let figure = row.figure("propagated_accuracy").unwrap();
    assert_eq!((figure.label.as_str(), figure.counts()), ("8 labels, queried", Some((9, 12))));
    assert_eq!((figure.labels, figure.support), (Some(8.0), Some(12)));
    assert_eq!(figure.published.as_ref().unwrap().note, "one run");
    assert_eq!(outcome.row("random · round = 3", "pool").label, "Random labels · round = 3");
}

/// Two sizes of a sweep ran, over two seeds.
fn sizes() -> Bench {
    let mut bench = Bench::new();
    bench.truth(&["cat", "dog"], &[0, 1, 0, 1]);
    for (size, right) in [(10, 3), (20, 4)] {
        for seed in 0..2 {
            let axes = [("seed", json!(seed)), ("size", json!(size))];
            let said: Vec<i32> =
                (0..4).map(|id| if id < right { id % 2 } else { 1 - id % 2 }).collect();
            bench.predictions("knn", &axes, &["cat", "dog"], &[Split::Test], &said);
        }
    }
    bench
}

#[test]
fn a_variant_that_did_not_run_has_a_row_that_says_so() {
    let of = |size: i32, value: f64| json!({ "stage": "knn", "axes": { "size": size }, "value": value, "label": format!("size {size}"), "source": "A paper" });
    let published = json!([of(20, 0.9), of(40, 0.95), of(10, 0.75)]);
    let outcome = sizes().report(json!({ "published": published })).unwrap();
    let text = outcome.text();
    let claims: Vec<&str> =
        text.lines().filter(|line| line.starts_with("size ") && line.contains(" | ")).collect();
    assert_eq!(
        claims,
        [
            "size 20 knn · size = 20 | 90 [1] | 100.0 ± 0.0 | below our range of single runs | 2 |",
            "size 40 knn · size = 40 | 95 [1] | – | not run | 0 |",
            "size 10 knn · size = 10 | 75 [1] | 75.0 ± 0.0 | inside our range of single runs | 2 |",
        ],
        "in the order in which they are given"
    );
    assert!(!text.contains("fit no result here"), "{text}");
    let compared = outcome.summary.iter().flat_map(|row| &row.figures);
    assert_eq!(compared.filter(|figure| figure.published.is_some()).count(), 2);
}

#[test]
fn a_slip_of_the_pen_is_not_taken_for_a_variant_that_did_not_run() {
    for wrong in [
        json!({ "stage": "kn", "value": 0.5 }),
        json!({ "stage": "knn", "metric": "acuracy", "value": 0.5 }),
        json!({ "stage": "knn", "axes": { "sise": 10 }, "value": 0.5 }),
        json!({ "stage": "knn", "split": "train", "value": 0.5 }),
    ] {
        let outcome = sizes().report(json!({ "published": [wrong] })).unwrap();
        let text = outcome.text();
        assert!(text.contains("Published figures that fit no result here"), "{wrong}: {text}");
        assert!(!text.contains("not run"), "{wrong}: {text}");
    }
}
