//! Whole studies: active learning over rounds, sweeps, clusterings.

use scarce_artifact::{
    Classes, Clusters, Distributions, Embeddings, EmbeddingsMeta, Empty, Images, ImagesMeta,
    LabelSource, Queries, Shape, Split, Vectors,
};
use serde_json::{Value, json};

use super::testing::{Bench, Outcome};
use crate::Bound;

const TWO: [&str; 2] = ["cat", "dog"];
const IMAGES: u32 = 20;

fn images(bench: &mut Bench) {
    let shape = Shape { height: 2, width: 2, channels: 1 };
    let table = Images {
        id: (0..IMAGES).collect(),
        split: vec![Split::Pool; IMAGES as usize],
        source: (0..IMAGES).map(|id| format!("{id}.png")).collect(),
        pixels: Vectors::new(4, (0..4 * IMAGES).map(|value| value as u8).collect()),
    };
    let meta =
        ImagesMeta { shape, dataset: "pets".to_owned(), max_value: 255, ..Default::default() };
    bench.table("images", "images", &[], meta, table);
}

/// Twenty images, of which the first `given` are labelled and the last `wrong` are taken for another
/// class.
fn propagated(bench: &mut Bench, stage: &str, axes: &[(&str, Value)], given: u32, wrong: u32) {
    let rows: Vec<(u32, i32, LabelSource)> = (0..IMAGES)
        .map(|id| match id {
            id if id < given => (id, id as i32 % 2, LabelSource::Given),
            id if id < IMAGES - wrong => (id, id as i32 % 2, LabelSource::Propagated),
            id => (id, 1 - id as i32 % 2, LabelSource::Propagated),
        })
        .collect();
    bench.labels("propagated", stage, axes, &TWO, &rows);
}

/// Six rounds of active learning, as many of random labels over three seeds, and labels in order.
pub(super) fn rounds() -> Bench {
    let mut bench = Bench::new();
    images(&mut bench);
    bench.truth(&TWO, &(0..IMAGES as i32).map(|id| id % 2).collect::<Vec<_>>());
    for round in 0..4 {
        let given = 2 + 2 * round;
        propagated(&mut bench, "active", &[("round", json!(round))], given, 6 - round);
        for seed in 0..3 {
            let axes = [("seed", json!(seed)), ("round", json!(round))];
            propagated(&mut bench, "random", &axes, given, 7 - (round + seed) % 3);
        }
        propagated(&mut bench, "in-order", &[("labelled", json!(given))], given, 6);
    }
    bench
}

pub(super) fn line<'a>(outcome: &'a Outcome, text: &'a str, start: &str) -> &'a str {
    let found = text.lines().find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line starts with `{start}`: {}", outcome.text()))
}

#[test]
fn strategies_share_a_learning_curve_along_their_labels() {
    let outcome = rounds().plain();
    let text = outcome.text();
    assert_eq!(text.matches("by number of labels").count(), 1, "{text}");
    assert!(outcome.html.contains("<title>active: 8: 75.0 (9/12)</title>"));
    assert_eq!(line(&outcome, &text, "active | 8 "), "active | 8 | 75.0 9/12 | 1 |");
    assert_eq!(line(&outcome, &text, "random | 8 "), "random | 8 | 50.0 ± 20.7 | 3 |");
    assert_eq!(line(&outcome, &text, "in-order | 8 "), "in-order | 8 | 50.0 6/12 | 1 |");
    // Bands are drawn of what has intervals, lines of all.
    assert_eq!((outcome.html.matches("<polygon").count(), 3), (1, 3));
    let curves = outcome.html.split("<div class=\"chart\">").nth(1).unwrap();
    assert_eq!(curves.split("</svg></div>").next().unwrap().matches("<polyline").count(), 3);
}

#[test]
fn a_learning_curve_says_how_many_labels_a_goal_takes() {
    let outcome = rounds().report(json!({ "goals": [0.5, 0.7, 0.9] })).unwrap();
    let text = outcome.text();
    line(&outcome, &text, "Labels needed for | 50 % | 70 % | 90 %");
    // 68.8 % with 4 labels, 71.4 % with 6.
    assert_eq!(line(&outcome, &text, "active | ≤"), "active | ≤ 2 | 5 | > 8 |");
    let active = outcome.needed.iter().find(|n| n.method == "active" && n.goal == 0.7).unwrap();
    assert_eq!((active.bound, active.metric.as_str()), (Bound::At, "propagated_accuracy"));
    let expected =
        (4.0_f64.ln() + (0.7 - 11.0 / 16.0) / (5.0 / 7.0 - 11.0 / 16.0) * 1.5_f64.ln()).exp();
    assert!((active.labels - expected).abs() < 1e-9, "{}", active.labels);
    assert!(rounds().report(json!({ "goals": [] })).unwrap().needed.is_empty());
    let failure = rounds().report(json!({ "goals": [90] })).err().unwrap();
    assert_eq!(failure.code, "report::goal");
}

#[test]
fn curves_can_be_asked_for() {
    let curves = json!([
        { "stages": ["active", "random"], "axis": "round", "along": "axis",
          "metric": "propagated_coverage", "title": "How far labels reach" },
        { "stages": ["absent"], "metric": "nmi" },
    ]);
    let outcome = rounds().report(json!({ "curves": curves })).unwrap();
    let text = outcome.text();
    assert!(text.contains("How far labels reach"), "{text}");
    assert_eq!(line(&outcome, &text, "active | 3 "), "active | 3 | 100.0 12/12 | 1 |");
    assert!(!text.contains("by number of labels"));
    assert!(text.contains("there is nothing to draw: NMI of clusters of absent."), "{text}");
    let none = rounds().report(json!({ "curves": [] })).unwrap();
    assert!(!none.html.contains("class=\"chart\""));
}

#[test]
fn a_method_without_seeds_is_compared_with_every_run_of_the_baseline() {
    let outcome = rounds().report(json!({ "baseline": "random" })).unwrap();
    let text = outcome.text();
    // Right of 12: 9 against 5, 6 and 7.
    assert!(text.contains("active round = 3 | pool | +25.0 ± 20.7 | better | 3"), "{text}");
    // By the number of labels, since there is no round to pair by.
    assert!(text.contains("in-order labelled = 8 | pool | 0.0 ± 20.7 | no clear"), "{text}");
    let warning = line(&outcome, &text, "Not shown to be better than random");
    assert!(warning.contains("active · round = 0"), "{warning}");
    assert!(!warning.contains("active · round = 3"), "{warning}");
    let own = json!({ "baselines": { "active": "in-order" } });
    let text = rounds().report(own).unwrap().text();
    assert!(text.contains("Against in-order"), "{text}");
    assert!(text.contains("active round = 3 | pool | +25.0 | one pair, no interval | 1"), "{text}");
    assert!(!text.contains("random round = 3 | pool | +"), "nothing else has a baseline: {text}");
    assert!(text.contains("Compared with in-order on a single pair of runs"), "{text}");
    let failure = rounds().report(json!({ "baselines": { "active": "inorder" } })).err().unwrap();
    assert_eq!(failure.code, "report::baseline");
}

#[test]
fn propagated_labels_are_compared_with_predictions_for_the_same_images_and_with_several_stages() {
    let mut bench = rounds();
    // Right of the twelve images without a label in round 3: 9 by `active`, 7 and 6 by these two.
    let given: Vec<_> = (0..8).map(|id| (id, id as i32 % 2, LabelSource::Given)).collect();
    bench.labels("labels", "budget", &[], &TWO, &given);
    bench.above("budget", &[], json!({}), &[]);
    for (stage, wrong) in [("nearest", 5), ("regression", 6)] {
        let of = |id: u32| if id < IMAGES - wrong { id as i32 % 2 } else { 1 - id as i32 % 2 };
        bench.above(stage, &[], json!({}), &[0]);
        bench.predictions(
            stage,
            &[],
            &TWO,
            &[Split::Pool],
            &(0..IMAGES).map(of).collect::<Vec<_>>(),
        );
    }
    let own = json!({ "baselines": { "active": ["regression", "nearest"] } });
    let text = bench.report(own).unwrap().text();
    for (name, difference) in [("regression", "+25.0"), ("nearest", "+16.7")] {
        assert!(text.contains(&format!("Against {name}")), "{text}");
        let line = format!("active round = 3 | pool | {difference} | one pair");
        assert!(text.contains(&line), "{line}: {text}");
    }
    // Other rounds leave out other images.
    assert!(!text.contains("active round = 2 | pool | +"), "{text}");
}

#[test]
fn distributions_show_the_most_and_the_least_certain() {
    let mut bench = rounds();
    for id in [0, 1] {
        let axes = [("round", json!(id))];
        let entropy: Vec<f32> = (0..IMAGES).map(|id| 0.02 * id as f32).collect();
        let table = Distributions {
            id: (0..IMAGES).collect(),
            label: (0..IMAGES).map(|id| (id != 19).then_some(id as i32 % 2)).collect(),
            probabilities: Vectors::new(
                2,
                (0..2 * IMAGES).map(|at| if at / 2 == 19 { 0.0 } else { 0.5 }).collect(),
            ),
            entropy,
            margin: vec![0.0; IMAGES as usize],
            reached: (0..IMAGES).map(|id| id != 19).collect(),
        };
        bench.table("distributions", "active", &axes, Classes::new(TWO), table);
    }
    let outcome = bench.report(json!({ "sample_images": 3 })).unwrap();
    let text = outcome.text();
    // The first two images were labelled, the last was not reached.
    assert!(text.contains("cat entropy 0.36 dog entropy 0.34 cat entropy 0.32"), "{text}");
    assert!(text.contains("cat entropy 0.04 dog entropy 0.06 cat entropy 0.08"), "{text}");
    let entropy = outcome.metrics.iter().find(|row| row.metric == "entropy").unwrap();
    assert_eq!(entropy.support, 17);
    // Scored by the labels alone, although the distributions are right.
    let right = outcome.row("active · round = 0", "pool").figure("propagated_accuracy").unwrap();
    assert_eq!((right.estimate.n, right.counts()), (1, Some((12, 18))));
}

#[test]
fn distributions_alone_are_scored_without_the_labelled_images() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1, 0, 1]);
    bench.labels("labels", "budget", &[], &TWO, &[(0, 0, LabelSource::Given)]);
    let table = Distributions {
        id: vec![0, 1, 2, 3],
        label: vec![Some(0), Some(1), Some(1), None],
        probabilities: Vectors::new(2, vec![1.0, 0.0, 0.1, 0.9, 0.2, 0.8, 0.0, 0.0]),
        entropy: vec![0.0, 0.3, 0.5, 0.0],
        margin: vec![1.0, 0.8, 0.6, 0.0],
        reached: vec![true, true, true, false],
    };
    bench.table("distributions", "poisson", &[], Classes::new(TWO), table);
    let outcome = bench.plain();
    let figure = outcome.row("poisson", "all").figure("propagated_accuracy").unwrap();
    assert_eq!((figure.counts(), figure.labels), (Some((1, 2)), Some(1.0)));
    assert!(outcome.text().contains("true ↓ propagated →"), "{}", outcome.text());
}

#[test]
fn queries_are_shown_round_by_round_with_the_truth() {
    let mut bench = rounds();
    for round in 0..2 {
        let table = Queries {
            id: vec![3 + round, 8],
            rank: vec![1, 0],
            score: vec![0.1, 0.2],
            strategy: vec!["entropy".to_owned(); 2],
        };
        bench.table("queries", "query", &[("round", json!(round))], Empty {}, table);
    }
    let text = bench.plain().text();
    assert!(text.contains("query entropy, 4 images in 2 rounds"), "{text}");
    assert!(
        text.contains("round = 0 | cat dog |") && text.contains("round = 1 | cat cat |"),
        "{text}"
    );
}

#[test]
fn clusters_are_named_and_set_against_the_classes() {
    let mut bench = Bench::new();
    images(&mut bench);
    bench.truth(&TWO, &(0..IMAGES as i32).map(|id| id % 2).collect::<Vec<_>>());
    // Three clusters: even images but two, odd ones but two, and those four.
    let cluster: Vec<i32> = (0..IMAGES as i32).map(|id| if id < 4 { 2 } else { id % 2 }).collect();
    let table = Clusters {
        id: (0..IMAGES).collect(),
        cluster,
        distance: vec![1.0; IMAGES as usize],
        percentile: vec![50.0; IMAGES as usize],
        is_representative: (0..IMAGES).map(|id| [4, 5, 0].contains(&id)).collect(),
    };
    bench.table("clusters", "kmeans", &[("seed", json!(0))], Empty {}, table);
    let outcome = bench.plain();
    let text = outcome.text();
    let row = outcome.row("kmeans", "pool");
    assert_eq!(row.figure("naming_accuracy").unwrap().counts(), Some((18, 20)));
    assert_eq!(row.figure("hungarian_accuracy").unwrap().counts(), Some((16, 20)));
    assert!(
        text.contains("true ↓ cluster → | cat | dog |\ncat | 10 | · |\ndog | 2 | 8 |"),
        "{text}"
    );
    assert!(
        text.contains("cat (0) | 8 | · | 8 |\ncat (2) | 2 | 2 | 4 |\ndog (1) | · | 8 | 8 |"),
        "{text}"
    );
    assert!(text.contains("dog | 100.0 | 80.0 | 88.9 | 10 |"), "{text}");
}

#[test]
fn a_sweep_without_labels_is_drawn_along_its_axis() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1, 0, 1]);
    for percentile in [20, 25, 30, 50] {
        for seed in [0, 1] {
            let axes = [("percentile", json!(percentile)), ("seed", json!(seed))];
            bench.predictions("nn", &axes, &TWO, &[Split::Test], &[0, 1, (percentile / 30) % 2, 1]);
        }
    }
    bench.predictions("all", &[], &TWO, &[Split::Test], &[0, 1, 0, 1]);
    let outcome = bench.plain();
    assert!(outcome.text().contains("Accuracy by percentile"), "{}", outcome.text());
    assert!(outcome.text().contains("nn | 25 | 100.0 ± 0.0 | 2 |"));
    // Asked for with a stage that does not vary: a level line.
    let curves = json!([{ "stages": ["nn", "all"] }]);
    let outcome = bench.report(json!({ "curves": curves })).unwrap();
    assert!(outcome.text().contains("all | – | 100.0 4/4 | 1 |"), "{}", outcome.text());
    assert!(outcome.html.contains("points=\"0,0.00 100,0.00\""), "{}", outcome.html);
}

/// Two numbers per image: even ones on the left, odd ones on the right.
fn map(bench: &mut Bench, stage: &str, width: usize) {
    let place =
        |id: u32| (0..width).map(move |at| if at == 0 { (id % 2) as f32 } else { id as f32 });
    let table = Embeddings {
        id: (0..IMAGES).collect(),
        split: vec![Split::Pool; IMAGES as usize],
        embedding: Vectors::new(width, (0..IMAGES).flat_map(place).collect()),
    };
    bench.table("map", stage, &[], EmbeddingsMeta::default(), table);
}

#[test]
fn a_map_shows_classes_and_clusters_side_by_side() {
    let mut bench = Bench::new();
    images(&mut bench);
    bench.truth(&TWO, &(0..IMAGES as i32).map(|id| id % 2).collect::<Vec<_>>());
    map(&mut bench, "tsne", 2);
    let table = Clusters {
        id: (0..IMAGES).collect(),
        cluster: (0..IMAGES as i32).map(|id| 7 - id % 2).collect(),
        distance: vec![1.0; IMAGES as usize],
        percentile: vec![50.0; IMAGES as usize],
        is_representative: (0..IMAGES).map(|id| id < 2).collect(),
    };
    bench.table("clusters", "kmeans", &[("seed", json!(0))], Empty {}, table);
    let outcome = bench.plain();
    let text = outcome.text();
    assert!(text.contains("By true class") && text.contains("By cluster (kmeans)"), "{text}");
    assert!(text.contains("dog (6)") && text.contains("cat (7)"), "{text}");
    assert_eq!(outcome.html.matches("data-n=").count(), 2 * IMAGES as usize);
    // Image 1 is the second of four in a row of the sheet, on the right, one unit of nineteen up.
    let point = "<i class=\"c1 r\" tabindex=\"-1\" style=\"left:52.6%;top:94.7%;--x:1;--y:0\" \
                 data-n=\"dog · image 1\">";
    assert!(outcome.html.contains(point), "{}", outcome.html);
    assert!(outcome.html.contains("background-size:calc(4*var(--side))"));
}

#[test]
fn a_map_needs_two_numbers() {
    let mut bench = Bench::new();
    map(&mut bench, "codes", 3);
    let failure = bench.report(json!({})).err().unwrap();
    assert_eq!(failure.code, "report::map");
    assert_eq!(failure.message, "`codes.map` has 3 numbers per image; a map needs 2");
    assert!(failure.help.unwrap().contains("components = 2"));
}

#[test]
fn a_map_without_truth_is_coloured_by_predictions_or_not_at_all() {
    let mut bench = Bench::new();
    map(&mut bench, "tsne", 2);
    let html = bench.plain().html;
    assert!(html.contains("<i class=\"none\"") && !html.contains("class=\"legend"), "{html}");
    bench.predictions("knn", &[], &TWO, &[Split::Pool], &[1; IMAGES as usize]);
    let html = bench.plain().html;
    assert!(
        html.contains("predicted class (knn)") && !html.contains("<i class=\"none\""),
        "{html}"
    );
}

/// Two budgets and a learner for each; the report knows which saw which.
#[test]
fn labels_of_another_learner_are_scored() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1, 0, 1, 0, 1]);
    let few = [(0, 0, LabelSource::Given)];
    let many = [(1, 1, LabelSource::Given), (2, 0, LabelSource::Given), (3, 1, LabelSource::Given)];
    bench.labels("labels", "few", &[], &TWO, &few);
    bench.labels("labels", "many", &[], &TWO, &many);
    for stage in ["knn-few", "knn-many"] {
        bench.predictions(stage, &[], &TWO, &[Split::Train], &[0, 1, 0, 1, 1, 1]);
    }
    let unknown = bench.alone();
    let counts = |outcome: &Outcome, stage: &str| {
        let figure = outcome.row(stage, "train").figure("accuracy").unwrap().clone();
        (figure.counts().unwrap(), figure.labels)
    };
    assert_eq!(counts(&unknown, "knn-few"), ((1, 2), None), "all labels are left out");
    assert!(!unknown.text().contains("Parameters and tables"));

    bench.above("few", &[], json!({ "random": 1 }), &[]);
    bench.above("many", &[], json!({ "random": 3 }), &[]);
    bench.above("knn-few", &[], json!({ "k": 1 }), &[0]);
    bench.above("knn-many", &[], json!({ "k": 1 }), &[1]);
    let told = bench.plain();
    assert_eq!(counts(&told, "knn-few"), ((4, 5), Some(1.0)));
    assert_eq!(counts(&told, "knn-many"), ((2, 3), Some(3.0)));
    let text = told.text();
    assert!(text.contains("Parameters and tables"), "{text}");
    assert!(text.contains("few budget | random = 1\n| runs/small/few\nlabels.parquet"), "{text}");
}
