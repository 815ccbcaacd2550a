//! Of both kinds; the numbers themselves are tested in `scarce-semi-supervised`.

use scarce_artifact::{
    Embeddings, EmbeddingsMeta,
    LabelSource::{Given as Certain, Propagated},
    Split, Vectors,
};
use serde_json::{Value, json};

use crate::testing::{Bench, labels, mixed, on_threads};

/// Two groups of four on a line, a lone pair far away, and the last image in the test split.
fn bench(order: impl Iterator<Item = u32>) -> Bench {
    let places = [0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 5.3, 900.0, 900.1, 5.15];
    let id: Vec<u32> = order.collect();
    let split = |&id: &u32| if id == 10 { Split::Test } else { Split::Train };
    let features = Embeddings {
        split: id.iter().map(split).collect(),
        embedding: Vectors::new(1, id.iter().map(|&id| places[id as usize]).collect()),
        id,
    };
    let bench = Bench::new();
    bench.write("x", EmbeddingsMeta::default(), features);
    bench.labels(3, labels(&[(0, 2), (5, 1)]));
    bench
}

const KINDS: [&str; 2] = ["label-spreading", "label-propagation"];

#[test]
fn labels_reach_what_is_linked_and_nothing_else() {
    for kind in KINDS {
        for params in [json!({}), json!({ "kernel": "knn", "neighbours": 4, "tolerance": 1e-6 })] {
            let bench = bench(0..11);
            let found = bench.spread(kind, params.clone()).unwrap();
            // The pair has two links more than itself with four neighbours.
            let pair = params == json!({});
            let reached: Vec<u32> = if pair { (0..8).collect() } else { (0..10).collect() };
            assert_eq!(found.id, reached, "{kind} with {params}");
            assert_eq!(found.label[..8], [2, 2, 2, 2, 1, 1, 1, 1]);
            assert_eq!((found.source[0], found.source[1]), (Certain, Propagated));
            assert_eq!(found.confidence[0], 1.0);
            assert!(found.confidence[1] > 0.9 && found.confidence[1] <= 1.0);
            let beliefs = bench.distributions();
            assert_eq!(beliefs.id, (0..10).collect::<Vec<u32>>());
            assert_eq!(beliefs.reached[8..], [!pair, !pair]);
            if pair {
                assert_eq!(beliefs.label[7..], [Some(1), None, None]);
                assert_eq!(beliefs.probabilities.row(8), [0.0; 3]);
                assert_eq!((beliefs.entropy[8], beliefs.margin[8]), (0.0, 0.0));
            }
            let sum: f32 = beliefs.probabilities.row(3).iter().sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn a_given_label_may_be_overruled_in_the_beliefs_but_is_kept() {
    let bench = bench(0..11);
    bench.labels(3, labels(&[(0, 2), (1, 0), (2, 2), (3, 2)]));
    let params = json!({ "alpha": 0.99, "max_iter": 2000, "gamma": 1.0 });
    let found = bench.spread("label-spreading", params).unwrap();
    assert_eq!((found.label[1], found.source[1], found.confidence[1]), (0, Certain, 1.0));
    assert_eq!(bench.distributions().label[1], Some(2));
    let found = bench.spread("label-propagation", json!({ "gamma": 1.0 })).unwrap();
    assert_eq!(found.label[1], 0);
    assert_eq!(bench.distributions().label[1], Some(0));
}

#[test]
fn repeated_labels_start_from_their_shares() {
    let bench = bench(0..11);
    let rows = [
        (0, 2, Propagated),
        (0, 1, Propagated),
        (0, 2, Propagated),
        (4, 0, Certain),
        (4, 1, Propagated),
    ];
    bench.labels(3, mixed(&rows));
    let found = bench.spread("label-propagation", json!({})).unwrap();
    assert_eq!(found.id, [0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 7]);
    let beliefs = bench.distributions();
    let near = |row: usize, expected: [f32; 3]| {
        let found = beliefs.probabilities.row(row);
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-3), "{found:?}");
    };
    near(0, [0.0, 1.0 / 3.0, 2.0 / 3.0]);
    near(3, [0.0, 1.0 / 3.0, 2.0 / 3.0]);
    near(7, [1.0, 0.0, 0.0]);
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    for kind in KINDS {
        for params in [json!({ "gamma": 0.5 }), json!({ "kernel": "knn", "neighbours": 3 })] {
            let bytes = |bench: Bench, threads| {
                on_threads(threads, || bench.spread(kind, params.clone()).unwrap());
                bench.bytes()
            };
            let one = bytes(bench(0..11), 1);
            assert!(one == bytes(bench(0..11), 3));
            assert!(one == bytes(bench((0..11).rev()), 2));
        }
    }
}

#[test]
fn wrong_input_is_refused() {
    let bench = bench(0..11);
    let fails = |kind, params: Value| bench.spread(kind, params).unwrap_err();
    for kind in KINDS {
        let failure = fails(kind, json!({ "memory_gib": 1e-7 }));
        assert_eq!(failure.code, "propagate::too_large");
        assert!(failure.message.contains("10 images"), "{}", failure.message);
        assert!(failure.help.unwrap().contains("kernel = \"knn\""));
        assert_eq!(fails(kind, json!({ "gamma": -1 })).code, "numeric::parameter");
        let failure = fails(kind, json!({ "kernel": "knn", "neighbours": 11 }));
        assert_eq!(failure.code, "numeric::too_few");
        assert_eq!(fails(kind, json!({ "splits": ["pool"] })).code, "propagate::no_images");
    }
    assert_eq!(fails(KINDS[0], json!({ "alpha": 1.0 })).code, "numeric::parameter");
    assert!(fails(KINDS[1], json!({ "alpha": 0.2 })).message.contains("alpha"));
    bench.labels(3, labels(&[(10, 0)]));
    assert_eq!(fails(KINDS[0], json!({})).code, "propagate::no_labelled");
}
