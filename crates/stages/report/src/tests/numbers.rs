//! The numbers, against scikit-learn and by hand.

use scarce_artifact::{Clusters, Empty, LabelSource, Split};
use scarce_stage::{Learnt, SplitName};
use serde::Deserialize;
use serde_json::json;

use super::testing::Bench;
use crate::{Estimate, Verdict};

#[derive(Deserialize)]
struct Fixture {
    truth: Vec<i32>,
    runs: Vec<Run>,
    summary: std::collections::BTreeMap<String, Reference>,
    clusters: Vec<i32>,
    naming_accuracy: f64,
    nmi: f64,
    ari: f64,
    wilson_25_of_30: [f64; 2],
}

#[derive(Deserialize)]
struct Run {
    predicted: Vec<i32>,
    accuracy: f64,
    macro_f1: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    confusion: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Reference {
    mean: f64,
    half_width: f64,
    std: f64,
}

const SIX: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../fixtures/scores.json")).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn runs_and_their_summary_agree_with_scikit_learn_and_scipy() {
    let known = fixture();
    let mut bench = Bench::new();
    bench.truth(&SIX, &known.truth);
    for (seed, run) in known.runs.iter().enumerate() {
        bench.predictions("knn", &[("seed", json!(seed))], &SIX, &[Split::Test], &run.predicted);
    }
    let outcome = bench.plain();
    for (metric, expected) in &known.summary {
        let figure = outcome.row("knn", "test").figure(metric).unwrap();
        near(figure.estimate.mean, expected.mean);
        near(figure.estimate.std.unwrap(), expected.std);
        near(figure.estimate.half_width.unwrap(), expected.half_width);
        assert_eq!(figure.estimate.n, 4);
    }
    let of = |metric: &str| -> Vec<f64> {
        let rows = outcome.metrics.iter().filter(|row| row.metric == metric && row.class.is_none());
        rows.map(|row| row.value).collect()
    };
    for (seed, run) in known.runs.iter().enumerate() {
        near(of("accuracy")[seed], run.accuracy);
        near(of("macro_f1")[seed], run.macro_f1);
    }
    // The rows of the first run come first.
    let first = &known.runs[0];
    for (metric, expected) in
        [("precision", &first.precision), ("recall", &first.recall), ("f1", &first.f1)]
    {
        for (class, expected) in expected.iter().enumerate() {
            let found = outcome
                .metrics
                .iter()
                .find(|row| row.metric == metric && row.class.as_deref() == Some(SIX[class]));
            match found {
                Some(row) => near(row.value, *expected),
                None => assert_eq!(class, 5, "only the class that never occurs has no score"),
            }
        }
    }
    for (truth, row) in first.confusion.iter().enumerate() {
        for (predicted, &expected) in row.iter().enumerate() {
            let found = outcome.metrics.iter().find(|row| {
                row.metric == "confusion"
                    && row.class.as_deref() == Some(SIX[truth])
                    && row.predicted.as_deref() == Some(SIX[predicted])
            });
            if expected > 0.0 {
                assert_eq!(found.unwrap().value, expected);
            }
        }
    }
}

#[test]
fn clusters_agree_with_scikit_learn() {
    let known = fixture();
    let mut bench = Bench::new();
    bench.truth(&SIX, &known.truth);
    let n = known.clusters.len();
    let table = Clusters {
        id: (0..n as u32).collect(),
        cluster: known.clusters.clone(),
        distance: vec![1.0; n],
        percentile: vec![50.0; n],
        is_representative: (0..n)
            .map(|at| !known.clusters[..at].contains(&known.clusters[at]))
            .collect(),
    };
    bench.table("clusters", "kmeans", &[], Empty {}, table);
    let keeps = SplitName::learnt_from();
    bench.learns("kmeans", &[], &[], Some(Learnt { keeps, ..Learnt::default() }));
    let outcome = bench.plain();
    let row = outcome.row("kmeans", "all");
    assert_eq!(row.setting, "training images (no labels used)");
    for (metric, expected) in
        [("naming_accuracy", known.naming_accuracy), ("nmi", known.nmi), ("ari", known.ari)]
    {
        near(row.figure(metric).unwrap().estimate.mean, expected);
    }
    assert!(row.figure("hungarian_accuracy").unwrap().estimate.mean <= known.naming_accuracy);
}

#[test]
fn the_interval_of_a_share_is_wilsons() {
    let [low, high] = fixture().wilson_25_of_30;
    let share = Estimate::of_share(25.0 / 30.0, 30);
    near(share.low.unwrap(), low);
    near(share.high.unwrap(), high);
    let perfect = Estimate::of_share(1.0, 5);
    assert_eq!(perfect.high, Some(1.0));
    assert!(perfect.low.unwrap() < 0.6);
}

#[test]
fn labelled_images_are_left_out_of_transductive_scores() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0, 1, 0, 1]);
    for seed in [0, 1] {
        // Right on the labelled image alone.
        let predicted: Vec<i32> =
            (0..4).map(|id| if id == seed { id % 2 } else { 1 - id % 2 }).collect();
        let axes = [("seed", json!(seed))];
        bench.predictions("knn", &axes, &["a", "b"], &[Split::Train], &predicted);
        let label = [(seed as u32, seed % 2, LabelSource::Given)];
        bench.labels("labels", "budget", &axes, &["a", "b"], &label);
    }
    let outcome = bench.plain();
    let row = outcome.row("knn", "train");
    assert_eq!(row.setting, "transductive (images without a label)");
    let accuracy = row.figure("accuracy").unwrap().estimate;
    assert_eq!((accuracy.mean, accuracy.n, accuracy.half_width), (0.0, 2, Some(0.0)));
    assert!(outcome.metrics.iter().all(|row| row.metric != "accuracy" || row.support == 3));
    assert!(outcome.metrics.iter().all(|row| row.stage == "knn" && row.split == "train"));
}

#[test]
fn differences_are_taken_seed_by_seed() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0; 10]);
    let right = |n: usize| -> Vec<i32> { (0..10).map(|at| i32::from(at >= n)).collect() };
    for (seed, n) in [2, 5, 8].into_iter().enumerate() {
        let axes = [("seed", json!(seed))];
        bench.predictions("weak", &axes, &["a", "b"], &[Split::Test], &right(n));
        bench.predictions("strong", &axes, &["a", "b"], &[Split::Test], &right(n + 1));
    }
    let outcome = bench.plain();
    // Both vary by 30 points from seed to seed; their difference does not vary at all.
    let text = outcome.text();
    assert!(text.contains("strong | test | +10.0 ± 0.0 | better | 3"), "{text}");
}

#[test]
fn pairs_that_share_a_draw_of_labels_are_one_difference() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0; 10]);
    let right = |n: usize| -> Vec<i32> { (0..10).map(|at| i32::from(at >= n)).collect() };
    for (seed, n) in [2, 5, 8].into_iter().enumerate() {
        let axes = [("seed", json!(seed))];
        bench.predictions("weak", &axes, &["a", "b"], &[Split::Test], &right(n));
        for (start, more) in [0, 1, 2].into_iter().enumerate() {
            let axes = [("seed", json!(seed)), ("start", json!(start))];
            let more = if seed == 2 { 1 } else { more };
            bench.predictions("strong", &axes, &["a", "b"], &[Split::Test], &right(n + more));
        }
    }
    let params = json!({ "seed_axes": ["seed", "start"], "baseline": "weak" });
    let text = bench.report(params).unwrap().text();
    // Nine pairs, three draws of labels: each has a mean difference of a tenth.
    assert!(text.contains("strong | test | +10.0 ± 0.0 | better | 3"), "{text}");
}

#[test]
fn crossed_seeds_give_no_interval_of_differences() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0; 10]);
    let right = |n: usize| -> Vec<i32> { (0..10).map(|at| i32::from(at >= n)).collect() };
    for seed in 0..2_usize {
        bench.predictions(
            "weak",
            &[("one", json!(seed))],
            &["a", "b"],
            &[Split::Test],
            &right(4 + seed),
        );
        bench.predictions(
            "strong",
            &[("two", json!(seed))],
            &["a", "b"],
            &[Split::Test],
            &right(6 + seed),
        );
    }
    let params = json!({ "seed_axes": ["one", "two"], "baseline": "weak" });
    let text = bench.report(params).unwrap().text();
    assert!(text.contains("strong | test | +20.0 | one pair, no interval | 1"), "{text}");
}

#[test]
fn a_fold_that_holds_nothing_back_is_no_final_run() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0, 1, 0, 1]);
    for fold in [json!("all"), json!(0), json!(1)] {
        let axes = [("fold", fold.clone())];
        // Only the final run is right.
        let said = if fold == "all" { [0, 1, 0, 1] } else { [1, 0, 1, 0] };
        bench.predictions("knn", &axes, &["a", "b"], &[Split::Test], &said);
        bench.labels("held_out", "folds", &axes, &["a", "b"], &[]);
    }
    let outcome = bench.plain();
    let accuracy = outcome.row("knn", "test").figure("accuracy").unwrap().estimate;
    assert_eq!((accuracy.mean, accuracy.n), (1.0, 1));
}

#[test]
fn propagated_labels_are_scored_beside_the_given_ones() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0, 0, 1, 1]);
    let rows = [
        (0, 0, LabelSource::Given),
        (1, 0, LabelSource::Propagated),
        (2, 0, LabelSource::Propagated),
    ];
    bench.labels("propagated", "spread", &[], &["a", "b"], &rows);
    let outcome = bench.plain();
    let figure = outcome.row("spread", "all").figure("propagated_accuracy").unwrap();
    assert_eq!(figure.estimate.mean, 0.5);
    assert_eq!(figure.to_string(), "50.0 = 1/2");
}

#[test]
fn a_published_figure_gets_its_verdict_in_the_summary() {
    let mut bench = Bench::new();
    bench.truth(&["a", "b"], &[0; 10]);
    for (seed, n) in [4, 5, 6].into_iter().enumerate() {
        for k in [1, 3] {
            let predicted: Vec<i32> = (0..10).map(|at| i32::from(at >= n)).collect();
            let axes = [("seed", json!(seed)), ("k", json!(k))];
            bench.predictions("knn", &axes, &["a", "b"], &[Split::Test], &predicted);
        }
    }
    let published =
        json!([{ "stage": "knn", "value": 0.56, "source": "a paper", "axes": { "k": 3 } }]);
    let outcome = bench.report(json!({ "published": published })).unwrap();
    let figure = outcome.row("knn · k = 3", "test").figure("accuracy").unwrap();
    let beside = figure.published.as_ref().unwrap();
    assert_eq!((beside.value, beside.source.as_str()), (0.56, "a paper"));
    assert_eq!(beside.verdict, Verdict::Inside.words());
    assert_eq!(figure.to_string(), "50.0 ± 24.8 (3)");
    assert!(outcome.row("knn · k = 1", "test").figure("accuracy").unwrap().published.is_none());
}
