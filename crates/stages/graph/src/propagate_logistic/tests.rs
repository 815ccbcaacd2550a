use scarce_artifact::{LabelSource, Split};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, clouds, on_threads, turned};

const INPUTS: [(&str, &str); 4] =
    [("features", "x"), ("nodes", "nodes-out"), ("edges", "edges-out"), ("labels", "y")];

/// One label per cloud.
const THREE: [(u32, i32); 3] = [(0, 0), (1, 1), (2, 2)];

/// The graph of some clouds, test images left out.
fn bench(images: u32, labels: &[(u32, i32)]) -> Bench {
    let bench = Bench::new();
    bench.features(clouds(images));
    bench.graph(json!({})).unwrap();
    bench.labels(labels);
    bench
}

fn run(bench: &Bench, params: Value) -> Result<(), Failure> {
    bench.run("propagate-logistic", params, &INPUTS)
}

#[test]
fn one_label_per_cloud_is_enough_for_the_graph_and_for_images_outside_it() {
    let bench = bench(600, &THREE);
    run(&bench, json!({})).unwrap();
    let (labels, _) = bench.read::<Labels>("labels-out");
    assert_eq!(labels.id.len(), 480);
    let given = |row: &usize| labels.source[*row] == LabelSource::Given;
    assert_eq!((0..480).filter(given).count(), 3);
    let right = (0..480).filter(|&row| labels.id[row] as i32 % 3 == labels.label[row]).count();
    // The clouds overlap a little.
    assert!(right >= 475, "{right}");
    let (beliefs, _) = bench.read::<Distributions>("distributions-out");
    assert_eq!((beliefs.id.len(), beliefs.reached), (480, vec![true; 480]));
    let (predictions, classes) = bench.read::<Predictions>("predictions-out");
    assert_eq!((predictions.id.len(), classes.len()), (600, 3));
    for (row, &id) in predictions.id.iter().enumerate() {
        let believed = beliefs.id.binary_search(&id).ok();
        assert_eq!(believed.is_none(), predictions.split[row] == Split::Test);
        if let Some(node) = believed {
            assert_eq!(predictions.probabilities.row(row), beliefs.probabilities.row(node));
        }
    }
    let test = (0..600).filter(|&row| predictions.split[row] == Split::Test);
    let right =
        test.filter(|&row| predictions.id[row] as i32 % 3 == predictions.label[row]).count();
    assert!(right >= 118, "{right}");
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bytes = |threads, turn: bool| {
        on_threads(threads, || {
            let bench = bench(300, &THREE);
            if turn {
                bench.features(turned(&clouds(300)));
            }
            run(&bench, json!({ "splits": ["train"] })).unwrap();
            ["labels-out", "distributions-out"].map(|name| bench.bytes(name))
        })
    };
    let one = bytes(1, false);
    assert_eq!(one, bytes(3, false));
    assert_eq!(one, bytes(2, true));
}

#[test]
fn labels_of_test_images_are_not_learnt_from() {
    let bench = bench(300, &[(0, 0), (1, 1), (2, 2), (4, 0), (9, 1)]);
    bench.graph(json!({ "splits": ["train", "test"] })).unwrap();
    run(&bench, json!({})).unwrap();
    let with = bench.read::<Distributions>("distributions-out").0;
    bench.labels(&THREE);
    run(&bench, json!({})).unwrap();
    let without = bench.read::<Distributions>("distributions-out").0;
    assert_eq!(with.probabilities.values, without.probabilities.values);
}

#[test]
fn enough_labels_make_a_confidence_a_probability() {
    let many: Vec<(u32, i32)> =
        (0..75).filter(|id| id % 5 != 4).map(|id| (id, id as i32 % 3)).collect();
    let bench = bench(600, &many);
    run(&bench, json!({ "min_confidence": 0.5 })).unwrap();
    let (labels, _) = bench.read::<Labels>("labels-out");
    assert!(labels.confidence.iter().all(|&sure| sure >= 0.5));
    assert!(labels.id.len() > 470, "{}", labels.id.len());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = bench(300, &THREE);
    for (params, code) in [
        (json!({ "alpha": 1.0 }), "graph::parameter"),
        (json!({ "components": 0 }), "graph::parameter"),
        (json!({ "tolerance": 0.0 }), "graph::parameter"),
        (json!({ "min_confidence": 1.5 }), "graph::parameter"),
        (json!({ "splits": ["pool"] }), "graph::no_images"),
    ] {
        assert_eq!(run(&bench, params.clone()).unwrap_err().code, code, "{params}");
    }
    bench.features(clouds(200));
    assert_eq!(run(&bench, json!({})).unwrap_err().code, "graph::no_features");
}
