use scarce_artifact::LabelSource::{Given as Certain, Propagated};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, labels, mixed, on_threads};

/// Three groups of 20 images, near the corners of a triangle.
fn bench() -> Bench {
    let place = |i: usize| {
        let (x, y) = [(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)][i % 3];
        [x + (i * 7 % 11) as f32 / 10.0, y + (i * 5 % 13) as f32 / 10.0]
    };
    let values: Vec<f32> = (0..60).flat_map(place).collect();
    let bench = Bench::new();
    bench.features(2, &values);
    bench.labels(3, labels(&[(0, 0), (1, 1), (2, 2), (3, 0)]));
    bench
}

fn run(bench: &Bench, params: Value) -> Result<Labels, Failure> {
    bench.spread("self-training", params)
}

#[test]
fn labels_grow_from_confident_predictions() {
    for params in [json!({ "max_rounds": 0 }), json!({ "base": "knn", "k": 1 })] {
        let bench = bench();
        let found = run(&bench, params).unwrap();
        assert_eq!(found.id, (0..60).collect::<Vec<u32>>());
        assert!((0..60).all(|id| found.label[id] == id as i32 % 3));
        assert_eq!((found.source[3], found.source[4]), (Certain, Propagated));
        assert!(found.confidence[4] > 0.75);
        let beliefs = bench.distributions();
        assert!(beliefs.reached.iter().all(|reached| *reached));
        assert!((0..60).all(|id| beliefs.label[id] == Some(id as i32 % 3)));
    }
}

#[test]
fn the_best_are_taken_round_by_round() {
    let params = json!({ "criterion": "k-best", "k_best": 7, "max_rounds": 2 });
    let bench = bench();
    let found = run(&bench, params).unwrap();
    assert_eq!(found.id.len(), 4 + 14);
    assert_eq!(bench.distributions().id.len(), 60);
}

#[test]
fn what_is_not_sure_stays_without_a_label() {
    let bench = bench();
    // Two labels of one image: half for each class is above no threshold.
    bench.labels(3, mixed(&[(0, 0, Propagated), (0, 1, Propagated)]));
    let found = run(&bench, json!({ "base": "knn", "k": 2 })).unwrap();
    assert_eq!((found.id, found.label), (vec![0, 0], vec![0, 1]));
    assert_eq!(bench.distributions().probabilities.row(5), [0.5, 0.5, 0.0]);
}

#[test]
fn neither_threads_nor_the_order_of_labels_change_a_byte() {
    let given = [(0, 0), (1, 1), (2, 2), (3, 0)];
    let bytes = |backwards: bool, threads| {
        let (bench, mut given) = (bench(), given);
        if backwards {
            given.reverse();
        }
        bench.labels(3, labels(&given));
        on_threads(threads, || run(&bench, json!({ "threshold": 0.6 })).unwrap());
        bench.bytes()
    };
    let one = bytes(false, 1);
    assert!(one == bytes(false, 3) && one == bytes(true, 2));
}

#[test]
fn wrong_input_is_refused() {
    let bench = bench();
    let code = |params| run(&bench, params).unwrap_err().code;
    assert_eq!(code(json!({ "threshold": 1.5 })), "propagate::parameter");
    assert_eq!(code(json!({ "base": "knn", "k": 5 })), "propagate::too_few_neighbours");
    assert_eq!(code(json!({ "base": "knn", "k": 0 })), "numeric::parameter");
    assert_eq!(code(json!({ "criterion": "k-best", "k_best": 0 })), "numeric::parameter");
    assert_eq!(code(json!({ "c": 0 })), "numeric::parameter");
    bench.labels(3, labels(&[(0, 1), (4, 1)]));
    let failure = run(&bench, json!({})).unwrap_err();
    assert_eq!(failure.code, "propagate::one_class");
    assert!(failure.message.contains("class `b`"), "{}", failure.message);
}
