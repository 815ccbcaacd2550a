use scarce_artifact::{Classes, Empty, ImagesMeta, Shape, Split, Vectors};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, assert_failure};

/// 200 images; class = id % 4; every tenth is for testing.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let id: Vec<u32> = (0..200).collect();
    let split = |&id: &u32| if id % 10 == 0 { Split::Test } else { Split::Train };
    let images = Images {
        split: id.iter().map(split).collect(),
        source: id.iter().map(|id| format!("{id}.png")).collect(),
        pixels: Vectors::new(1, vec![0; 200]),
        id: id.clone(),
    };
    let shape = Shape { height: 1, width: 1, channels: 1 };
    bench.wire("images", ImagesMeta { shape, ..ImagesMeta::default() }, images);
    let label = id.iter().map(|id| (id % 4) as i32).collect();
    bench.wire("truth", classes(), Truth { id, label });
    bench
}

fn classes() -> Classes {
    Classes::new(["a", "b", "c", "d"])
}

fn labels(rows: &[(u32, i32)], source: LabelSource) -> Labels {
    Labels {
        id: rows.iter().map(|row| row.0).collect(),
        label: rows.iter().map(|row| row.1).collect(),
        source: vec![source; rows.len()],
        confidence: vec![1.0; rows.len()],
    }
}

/// Asks for these, the first first; the table is in another order.
fn ask(bench: &mut Bench, ids: &[u32]) {
    let mut rows: Vec<(u32, u32)> = ids.iter().copied().zip(0..).collect();
    rows.sort_unstable();
    let queries = Queries {
        id: rows.iter().map(|row| row.0).collect(),
        rank: rows.iter().map(|row| row.1).collect(),
        score: vec![0.5; rows.len()],
        strategy: vec!["entropy".to_owned(); rows.len()],
    };
    bench.wire("queries", Empty {}, queries);
}

fn run(bench: &Bench, params: Value) -> Labels {
    bench.run("annotate", params).unwrap();
    let (labels, meta) = bench.output::<Labels>("labels");
    assert_eq!(meta, classes());
    assert!(labels.id.is_sorted());
    labels
}

#[test]
fn queries_get_their_true_labels_beside_what_was_there() {
    let mut bench = bench();
    bench.wire("labels", classes(), labels(&[(13, 1), (6, 2)], LabelSource::Given));
    bench.also("labels", "asked", classes(), labels(&[(6, 2), (5, 1)], LabelSource::Human));
    ask(&mut bench, &[7, 3, 199]);
    let found = run(&bench, json!({}));
    assert_eq!(found.id, [3, 5, 6, 7, 13, 199]);
    assert_eq!(found.label, [3, 1, 2, 3, 1, 3]);
    use LabelSource::{Given, Human, Queried};
    assert_eq!(found.source, [Queried, Human, Given, Queried, Given, Queried]);
    assert_eq!(found.confidence, [1.0; 6]);
    assert_eq!(run(&bench, json!({ "first": 1 })).id, [5, 6, 7, 13]);
    assert_eq!(run(&bench, json!({ "first": 9 })).id.len(), 6);
}

#[test]
fn without_queries_what_was_there_is_handed_on() {
    let mut bench = bench();
    let given = labels(&[(6, 2), (13, 1)], LabelSource::Given);
    bench.wire("labels", classes(), given.clone());
    assert_eq!(run(&bench, json!({ "first": 3, "error_rate": 1.0 })), given);
    // And with nothing to ask for, the same.
    ask(&mut bench, &[]);
    assert_eq!(run(&bench, json!({})), given);
}

#[test]
fn queries_alone_are_a_beginning() {
    let mut bench = bench();
    ask(&mut bench, &[9]);
    assert_eq!(run(&bench, json!({})), labels(&[(9, 1)], LabelSource::Queried));
}

#[test]
fn what_is_labelled_is_not_asked_again() {
    let mut bench = bench();
    // Not what the truth says: the label that is there stays.
    bench.wire("labels", classes(), labels(&[(6, 0)], LabelSource::Human));
    ask(&mut bench, &[6]);
    assert_eq!(run(&bench, json!({})), labels(&[(6, 0)], LabelSource::Human));
}

mod wrong_answers {
    use super::*;

    fn wrong(labels: &Labels) -> Vec<u32> {
        let differs = |(id, label): &(&u32, &i32)| (**id % 4) as i32 != **label;
        labels.id.iter().zip(&labels.label).filter(differs).map(|(id, _)| *id).collect()
    }

    fn all() -> Bench {
        let mut bench = bench();
        let ids: Vec<u32> = (0..200).filter(|id| id % 10 != 0).collect();
        ask(&mut bench, &ids);
        bench
    }

    #[test]
    fn are_as_many_as_asked_for_and_of_every_other_class() {
        let bench = all();
        assert!(wrong(&run(&bench, json!({}))).is_empty());
        let found = run(&bench, json!({ "error_rate": 0.3, "seed": 1 }));
        // 54 of 180 expected; four standard deviations are 25.
        assert!((30..80).contains(&wrong(&found).len()), "{}", wrong(&found).len());
        let found = run(&bench, json!({ "error_rate": 1.0 }));
        assert_eq!(wrong(&found).len(), 180);
        let mut counts = [[0; 4]; 4];
        for (id, label) in found.id.iter().zip(&found.label) {
            counts[(id % 4) as usize][*label as usize] += 1;
        }
        for (class, row) in counts.iter().enumerate() {
            let others = row.iter().enumerate().filter(|(label, _)| *label != class);
            assert!(others.clone().all(|(_, &count)| count >= 5), "{counts:?}");
        }
    }

    #[test]
    fn do_not_depend_on_what_else_is_asked() {
        let params = json!({ "error_rate": 0.5, "seed": 7 });
        let found = run(&all(), params.clone());
        let mut few = bench();
        ask(&mut few, &[199, 1, 77]);
        for (id, label) in run(&few, params).id.iter().zip(run_labels(&few)) {
            let at = found.id.binary_search(id).unwrap();
            assert_eq!(found.label[at], label);
        }
        assert_ne!(found, run(&all(), json!({ "error_rate": 0.5, "seed": 8 })));
    }

    fn run_labels(bench: &Bench) -> Vec<i32> {
        bench.output::<Labels>("labels").0.label
    }
}

mod refused_are {
    use super::*;

    fn refused(bench: &Bench, params: Value, words: &[&str]) {
        assert_failure(bench.run("annotate", params), "ingest::request", words);
    }

    #[test]
    fn test_images() {
        let mut bench = bench();
        ask(&mut bench, &[7, 20]);
        refused(&bench, json!({}), &["the queries: id 20", "`test` split"]);
        bench.wire("labels", classes(), labels(&[(30, 2)], LabelSource::Given));
        ask(&mut bench, &[7]);
        refused(&bench, json!({}), &["id 30", "`test` split"]);
    }

    #[test]
    fn images_that_are_not_there() {
        let mut bench = bench();
        ask(&mut bench, &[200]);
        refused(&bench, json!({}), &["id 200", "no such image"]);
    }

    #[test]
    fn two_labels_for_an_image() {
        let mut bench = bench();
        bench.wire("labels", classes(), labels(&[(6, 2)], LabelSource::Given));
        bench.also("labels", "asked", classes(), labels(&[(6, 1)], LabelSource::Queried));
        refused(&bench, json!({}), &["id 6 is `c`", "`b` in those of `asked`"]);
    }

    #[test]
    fn labels_that_nobody_gave() {
        let mut bench = bench();
        bench.wire("labels", classes(), labels(&[(6, 2)], LabelSource::Propagated));
        refused(&bench, json!({}), &["id 6 is propagated"]);
        bench.wire("labels", Classes::new(["a"]), labels(&[(4, 0)], LabelSource::Given));
        refused(&bench, json!({}), &["other classes than the truth"]);
        bench.wire("labels", classes(), labels(&[(6, -1)], LabelSource::Given));
        assert_failure(bench.run("annotate", json!({})), "artifact::value", &["-1 is no class"]);
    }

    #[test]
    fn wishes_that_make_no_sense() {
        refused(&bench(), json!({}), &["no labels", "`queries`"]);
        let mut bench = bench();
        ask(&mut bench, &[7]);
        refused(&bench, json!({ "error_rate": 1.5 }), &["`error_rate` is 1.5"]);
    }
}

#[test]
fn test_images_are_known_by_embeddings_too_and_unknown_without() {
    let mut bench = Bench::new();
    bench.wire("truth", classes(), Truth { id: vec![1, 2], label: vec![1, 2] });
    ask(&mut bench, &[2]);
    assert_eq!(run(&bench, json!({})).id, [2]);
    let embeddings = Embeddings {
        id: vec![1, 2],
        split: vec![Split::Train, Split::Test],
        embedding: Vectors::new(1, vec![0.0, 1.0]),
    };
    bench.wire("embeddings", scarce_artifact::EmbeddingsMeta::default(), embeddings);
    assert_failure(bench.run("annotate", json!({})), "ingest::request", &["id 2", "`test` split"]);
}
