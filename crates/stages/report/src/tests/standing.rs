//! What a score is called, and what is said beside it.

use scarce_artifact::{Clusters, Empty, LabelSource, Split};
use scarce_stage::{Knowledge, Learnt, LearntFrom, SplitName};
use serde_json::{Value, json};

use super::testing::{Bench, Outcome};

const TWO: [&str; 2] = ["a", "b"];

#[expect(clippy::unnecessary_wraps, reason = "what a task's declaration is")]
fn nothing() -> Option<Learnt> {
    Some(Learnt { keeps: SplitName::all(), ..Learnt::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "what a task's declaration is")]
fn from(splits: &[SplitName], knows: Knowledge, seed: Option<Value>) -> Option<Learnt> {
    let lesson = LearntFrom {
        splits: splits.to_vec(),
        knows,
        reads: vec![0],
        because: "splits = [\"train\",\"test\"]".to_owned(),
    };
    Some(Learnt { from: vec![lesson], keeps: SplitName::all(), seed, ..Learnt::default() })
}

const BOTH: [SplitName; 2] = [SplitName::Train, SplitName::Test];

/// Three test images and one for training, predicted by `knn` below whatever `encoder` is.
fn study(encoder: Option<Learnt>) -> Bench {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1, 0, 1]);
    let splits = [Split::Test, Split::Test, Split::Test, Split::Train];
    bench.predictions("knn", &[], &TWO, &splits, &[0, 1, 1, 1]);
    let images = bench.learns("images", &[], &[], nothing());
    let encoder = bench.learns("encoder", &[], &[images], encoder);
    bench.learns("knn", &[], &[images, encoder], nothing());
    bench
}

fn accuracy_of(outcome: &Outcome) -> (&str, Option<&str>) {
    let of = |row: &&super::testing::Number| row.metric == "accuracy" && row.split == "test";
    let row = outcome.metrics.iter().find(of).unwrap();
    (&row.setting, row.seen_by.as_deref())
}

#[test]
fn what_learnt_from_nothing_of_the_test_split_is_held_out() {
    for encoder in [nothing(), from(&[SplitName::Train], Knowledge::Labels, None)] {
        let outcome = study(encoder).plain();
        assert_eq!(accuracy_of(&outcome), ("test (held out)", None));
        assert_eq!(outcome.row("knn", "test").cautions(), [""; 0]);
    }
}

#[test]
fn what_saw_the_test_images_is_named_everywhere() {
    let outcome = study(from(&BOTH, Knowledge::Images, None)).plain();
    let who = "`encoder` (splits = [\"train\",\"test\"])";
    assert_eq!(accuracy_of(&outcome), ("test (transductive: seen without labels)", Some(who)));
    let row = outcome.row("knn", "test");
    let sentence = format!(
        "{who} learnt from the test images, without their labels: transductive, not held out"
    );
    assert_eq!(row.cautions(), [sentence]);
    assert_eq!(row.figure("accuracy").unwrap().counts(), Some((2, 3)), "a score all the same");
    let text = outcome.text();
    assert!(
        text.contains("encoder (splits") && text.contains("transductive, not held out"),
        "{text}"
    );
    assert!(!outcome.html.contains("test (held out)"));
}

#[test]
fn what_learnt_from_the_labels_is_not_scored() {
    let outcome = study(from(&BOTH, Knowledge::Labels, None)).plain();
    assert!(outcome.metrics.iter().all(|row| row.metric != "accuracy" || row.split != "test"));
    let row = outcome.row("knn", "test");
    assert_eq!(row.setting, "test (its labels were learnt from: no score)");
    assert!(row.cautions()[0].ends_with("learnt from the labels of test images: not a score"));
    assert!(outcome.text().contains("not a score"), "{}", outcome.text());
}

#[test]
fn what_does_not_say_is_not_trusted() {
    let outcome = study(None).plain();
    let setting = "test (not known whether it was seen)";
    assert_eq!(accuracy_of(&outcome), (setting, Some("`encoder`")));
    assert!(outcome.row("knn", "test").cautions()[0].contains("does not say"));
    // Nor is an orchestrator that does not say what is above.
    assert_eq!(accuracy_of(&study(nothing()).alone()).0, "test (held out)");
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1]);
    bench.predictions("knn", &[], &TWO, &[Split::Test], &[0, 1]);
    assert_eq!(accuracy_of(&bench.alone()), (setting, None));
}

#[test]
fn vectors_made_elsewhere_are_told_of() {
    let elsewhere = Learnt { elsewhere: true, ..nothing().unwrap() };
    let outcome = study(Some(elsewhere)).plain();
    assert_eq!(accuracy_of(&outcome).0, "test (held out)");
    let caution = &outcome.row("knn", "test").cautions()[0];
    assert!(caution.starts_with("`encoder`: made elsewhere"), "{caution}");
}

fn clusters(bench: &mut Bench, stage: &str) {
    let table = Clusters {
        id: vec![0, 1, 2, 3],
        cluster: vec![0, 1, 0, 1],
        distance: vec![1.0; 4],
        percentile: vec![50.0; 4],
        is_representative: vec![true, true, false, false],
    };
    bench.table("clusters", stage, &[], Empty {}, table);
}

#[test]
fn clusters_of_test_images_are_no_training_images() {
    for (splits, learnt, split, setting) in [
        (vec![SplitName::Test], true, "test", "test (transductive: seen without labels)"),
        (vec![SplitName::Test], false, "test", "test (held out)"),
        (vec![SplitName::Train], true, "train", "training images (no labels used)"),
        (SplitName::all(), true, "all", "all images (splits not told apart)"),
    ] {
        let mut bench = Bench::new();
        bench.truth(&TWO, &[0, 1, 0, 1]);
        clusters(&mut bench, "kmeans");
        bench.learns("images", &[], &[], nothing());
        let lesson = from(&splits, Knowledge::Images, None).unwrap().from;
        let from = if learnt { lesson } else { Vec::new() };
        let learns = Learnt { from, keeps: splits.clone(), rows: vec![0], ..Learnt::default() };
        bench.learns("kmeans", &[], &[0], Some(learns));
        assert_eq!(bench.plain().row("kmeans", split).setting, setting, "{splits:?}");
    }
}

#[test]
fn labels_that_flowed_to_test_images_are_not_held_out() {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1]);
    let rows = [(0, 0, LabelSource::Given), (1, 1, LabelSource::Propagated)];
    bench.labels("propagated", "flow", &[], &TWO, &rows);
    bench.learns("images", &[], &[], nothing());
    let mut learns = from(&BOTH, Knowledge::Images, None).unwrap();
    learns.keeps = vec![SplitName::Test];
    bench.learns("flow", &[], &[0], Some(learns));
    let row = bench.plain().row("flow", "test").clone();
    assert_eq!(row.setting, "test (transductive: seen without labels)");
}

/// `runs` of a classifier below one or as many encoders, and what is said beside its mean.
fn runs(encoders: usize, runs: usize) -> Outcome {
    let mut bench = Bench::new();
    bench.truth(&TWO, &[0, 1, 0, 1]);
    let images = bench.learns("images", &[], &[], nothing());
    let above: Vec<usize> = (0..encoders)
        .map(|seed| {
            let learns = from(&[SplitName::Train], Knowledge::Images, Some(json!(seed)));
            bench.learns("encoder", &[("draw", json!(seed))], &[images], learns)
        })
        .collect();
    for seed in 0..runs {
        let axes = [("seed", json!(seed))];
        let predicted = [0, 1, i32::from(seed % 2 == 0), 1];
        bench.predictions("knn", &axes, &TWO, &[Split::Test], &predicted);
        bench.learns("knn", &axes, &[above[seed % encoders]], nothing());
    }
    bench.plain()
}

#[test]
fn one_encoder_for_all_runs_is_told_of_beside_the_mean() {
    let outcome = runs(1, 4);
    let row = outcome.row("knn", "test");
    assert_eq!(row.shared.as_deref(), Some("one `encoder` for all 4 runs"));
    let said = "one `encoder` for all 4 runs: its luck is not in the interval";
    assert_eq!(row.cautions(), [said]);
    let text = outcome.text();
    assert!(text.contains("one encoder for all 4 runs: its luck is not in the interval"), "{text}");
    assert!(
        outcome.html.contains("<sup class=\"mark\" title=\"one `encoder`"),
        "beside the figure"
    );

    assert_eq!(
        runs(2, 4).row("knn", "test").shared.as_deref(),
        Some("2 of `encoder` for all 4 runs")
    );
    assert_eq!(runs(4, 4).row("knn", "test").cautions(), [""; 0]);
    assert_eq!(runs(1, 1).row("knn", "test").cautions(), [""; 0], "one run has no interval");
}
