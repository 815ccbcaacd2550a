use scarce_artifact::LabelSource::{Given as Certain, Propagated};
use serde_json::json;

use super::*;
use crate::testing::{Bench, labels, mixed, on_threads};

/// Ten images on a line; 2, 5 and 8 are labelled.
fn bench() -> Bench {
    let bench = Bench::new();
    let line: Vec<f32> = (0..10u8).map(f32::from).collect();
    bench.features(1, &line);
    bench.labels(2, labels(&[(2, 0), (5, 1), (8, 0)]));
    bench
}

fn run(bench: &Bench, params: serde_json::Value) -> Vec<(u32, i32)> {
    let found = bench.spread("propagate-nearest", params).unwrap();
    found.id.into_iter().zip(found.label).collect()
}

#[test]
fn the_labelled_image_counts_among_its_nearest() {
    let bench = bench();
    assert_eq!(run(&bench, json!({ "count": 1 })), [(2, 0), (5, 1), (8, 0)]);
    // Of equally near ones the smaller id.
    let expected = [(1, 0), (2, 0), (4, 1), (5, 1), (7, 0), (8, 0)];
    assert_eq!(run(&bench, json!({ "count": 2 })), expected);
    let found = bench.spread("propagate-nearest", json!({ "count": 2 })).unwrap();
    assert_eq!(found.source[..2], [Propagated, Certain]);
    assert_eq!(found.confidence[..2], [0.5, 1.0]);
}

#[test]
fn overlaps_are_settled_as_asked() {
    let bench = bench();
    // 2 claims 0 to 4 and 5 claims 3 to 7, 8 claims 6 to 9 and 5.
    let with = |overlap: &str| run(&bench, json!({ "count": 5, "overlap": overlap }));
    let ends =
        |middle: &[(u32, i32)]| [&[(0, 0), (1, 0), (2, 0)], middle, &[(8, 0), (9, 0)]].concat();
    assert_eq!(with("nearest"), ends(&[(3, 0), (4, 1), (5, 1), (6, 1), (7, 0)]));
    assert_eq!(with("drop"), ends(&[(5, 1)]));
    let keep = [(3, 0), (3, 1), (4, 1), (4, 0), (5, 1), (5, 0), (6, 1), (6, 0), (7, 0), (7, 1)];
    assert_eq!(with("keep"), ends(&keep));
    // 3 to 7 are claimed by one of each class: the nearest of them.
    assert_eq!(with("majority"), with("nearest"));
    // 1 is nearest to 2, but 4 and 5 outvote it.
    bench.labels(2, labels(&[(1, 0), (4, 1), (5, 1)]));
    let majority = run(&bench, json!({ "count": 7, "overlap": "majority" }));
    let nearest = run(&bench, json!({ "count": 7 }));
    assert_eq!((nearest[2], majority[2]), ((2, 0), (2, 1)));
    assert_eq!((nearest[1], majority[1]), ((1, 0), (1, 0)));
}

#[test]
fn repeated_labels_are_each_a_claim() {
    let bench = bench();
    bench.labels(2, mixed(&[(5, 1, Propagated), (5, 0, Propagated), (4, 1, Certain)]));
    // 5 claims 6 for both of its labels; 4 claims 3 alone, and 5, which keeps what it has.
    let params = json!({ "count": 3, "overlap": "drop" });
    assert_eq!(run(&bench, params), [(3, 1), (4, 1), (5, 0), (5, 1)]);
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bytes = |backwards: bool, threads| {
        let (mut id, mut given): (Vec<u32>, Vec<_>) =
            ((0..300).collect(), (0..30).map(|i| (i * 7, i as i32 % 3)).collect());
        if backwards {
            id.reverse();
            given.reverse();
        }
        let bench = Bench::new();
        let values = id.iter().flat_map(|&id| [(id % 17) as f32, (id * id % 23) as f32]).collect();
        let split = vec![scarce_artifact::Split::Train; 300];
        let embedding = scarce_artifact::Vectors::new(2, values);
        let table = Embeddings { id, split, embedding };
        bench.write("x", scarce_artifact::EmbeddingsMeta::default(), table);
        bench.labels(3, labels(&given));
        let params = json!({ "count": 40, "overlap": "keep" });
        on_threads(threads, || bench.spread("propagate-nearest", params).unwrap());
        bench.bytes()
    };
    let one = bytes(false, 1);
    assert!(one == bytes(false, 3) && one == bytes(true, 2));
}

#[test]
fn wrong_input_is_refused() {
    let bench = bench();
    let fails = |params| bench.spread("propagate-nearest", params).unwrap_err();
    assert_eq!(fails(json!({ "count": 0 })).code, "propagate::count");
    let failure = fails(json!({ "count": 11 }));
    assert!(failure.message.contains("`count` is 11, but must be from 1 to 10"));
    let failure = fails(json!({ "count": 2, "splits": ["train"] }));
    assert_eq!(failure.code, "propagate::no_images");
    bench.labels(2, labels(&[(90, 0)]));
    assert_eq!(fails(json!({ "count": 2 })).code, "propagate::no_labelled");
}
