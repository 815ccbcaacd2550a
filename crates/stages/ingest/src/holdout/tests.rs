use scarce_artifact::Classes;
use serde_json::json;

use super::*;
use crate::testing::{Bench, assert_failure};

fn labels(counts: &[usize]) -> Labels {
    let label: Vec<i32> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &count)| std::iter::repeat_n(class as i32, count))
        .collect();
    crate::labels::given(label.into_iter().enumerate().map(|(id, l)| (id as u32 * 7, l)).collect())
}

fn bench(counts: &[usize]) -> Bench {
    let mut bench = Bench::new();
    bench.wire("labels", Classes::new(["a", "b", "c"]), labels(counts));
    bench
}

fn run(bench: &Bench, params: serde_json::Value) -> (Labels, Labels) {
    bench.run("holdout", params).unwrap();
    (bench.output("labels").0, bench.output("held_out").0)
}

#[test]
fn every_label_is_held_out_once_and_classes_evenly() {
    let bench = bench(&[10, 5, 12]);
    let mut seen = Vec::new();
    for fold in 0..5 {
        let (kept, held_out) = run(&bench, json!({ "fold": fold, "folds": 5 }));
        assert_eq!(kept.id.len() + held_out.id.len(), 27);
        assert!(kept.id.is_sorted() && held_out.id.is_sorted());
        let of = |class| held_out.label.iter().filter(|&&l| l == class).count();
        assert_eq!((of(0), of(1)), (2, 1));
        assert!((2..=3).contains(&of(2)));
        seen.extend(held_out.id);
    }
    seen.sort_unstable();
    assert_eq!(seen, labels(&[10, 5, 12]).id);
}

#[test]
fn all_holds_out_nothing() {
    let (kept, held_out) = run(&bench(&[3, 3, 3]), json!({ "fold": "all" }));
    assert_eq!(kept, labels(&[3, 3, 3]));
    assert_eq!(held_out, Labels::default());
}

#[test]
fn the_only_label_of_a_class_is_always_kept() {
    let bench = bench(&[1, 2, 6]);
    for fold in 0..5 {
        let (kept, _) = run(&bench, json!({ "fold": fold }));
        assert!((0..3).all(|class| kept.label.contains(&class)), "{kept:?}");
    }
}

#[test]
fn seeds_divide_otherwise() {
    let bench = bench(&[9, 9, 9]);
    let folds: Vec<_> =
        (0..4).map(|seed| run(&bench, json!({ "fold": 0, "seed": seed })).1.id).collect();
    assert!(folds.iter().any(|fold| fold != &folds[0]));
}

#[test]
fn folds_that_do_not_exist_are_refused() {
    let bench = bench(&[3, 3, 3]);
    assert_failure(
        bench.run("holdout", json!({ "fold": 5, "folds": 5 })),
        "ingest::request",
        &["`fold = 5` of 5"],
    );
    assert!(bench.run("holdout", json!({ "fold": 0, "folds": 1 })).is_err());
    assert!(bench.run("holdout", json!({ "fold": "some" })).is_err());
    assert!(bench.run("holdout", json!({ "fold": -1 })).is_err());
}

#[test]
fn propagated_labels_are_refused() {
    let mut bench = Bench::new();
    let mut spread = labels(&[3]);
    spread.source[1] = LabelSource::Propagated;
    bench.wire("labels", Classes::new(["a"]), spread);
    assert_failure(bench.run("holdout", json!({})), "ingest::request", &["id 7", "propagated"]);
}
