use scarce_artifact::Classes;
use serde_json::json;

use super::*;
use crate::testing::{Bench, clouds, on_threads, turned};

/// Labels have flowed over the clouds; test images were not there.
fn bench(images: u32) -> Bench {
    let bench = Bench::new();
    bench.features(clouds(images));
    bench.graph(json!({})).unwrap();
    bench.labels(&[(0, 0), (1, 1), (2, 2)]);
    bench.propagate(json!({})).unwrap();
    bench
}

fn predictions(bench: &Bench) -> Predictions {
    bench.read::<Predictions>("predictions-out").0
}

#[test]
fn test_images_take_the_vote_of_their_neighbours() {
    let bench = bench(600);
    bench.predict(json!({})).unwrap();
    let (found, classes) = bench.read::<Predictions>("predictions-out");
    assert_eq!(classes, Classes::new(["a", "b", "c"]));
    assert_eq!(found.id, (0..600).filter(|id| id % 5 == 4).collect::<Vec<_>>());
    assert!(found.split.iter().all(|split| *split == Split::Test));
    let right = found.id.iter().zip(&found.label).filter(|(id, label)| **id as i32 % 3 == **label);
    assert!(right.count() as f64 / 120.0 > 0.95);
    for p in found.probabilities.iter_rows() {
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

/// Two known images at 0 and 3, a new one at 1.
fn three_points(weights: &str, k: usize) -> Vec<f32> {
    let bench = Bench::new();
    bench.features(Embeddings {
        id: vec![5, 6, 7],
        split: vec![Split::Test, Split::Train, Split::Train],
        embedding: Vectors::new(1, vec![1.0, 0.0, 3.0]),
    });
    let distributions = Distributions {
        id: vec![7, 6],
        label: vec![Some(1), Some(0)],
        probabilities: Vectors::new(2, vec![0.25, 0.75, 1.0, 0.0]),
        entropy: vec![0.5, 0.0],
        margin: vec![0.5, 1.0],
        reached: vec![true, true],
    };
    bench.write("distributions-out", Classes::new(["a", "b"]), distributions);
    bench.predict(json!({ "k": k, "weights": weights })).unwrap();
    predictions(&bench).probabilities.values
}

#[test]
fn nearer_images_count_more() {
    // d² is 1 and 4, and 4 is that of the farthest.
    let (near, far) = ((-1f32).exp(), (-4f32).exp());
    let expected = (near + 0.25 * far) / (near + far);
    assert!((three_points("self-tuning", 2)[0] - expected).abs() < 1e-6);
    assert_eq!(three_points("uniform", 2), [0.625, 0.375]);
    assert_eq!(three_points("uniform", 1), [1.0, 0.0]);
}

#[test]
fn images_of_the_graph_keep_what_is_believed_of_them() {
    let bench = bench(300);
    bench.predict(json!({ "splits": ["train", "test"] })).unwrap();
    let found = predictions(&bench);
    let (believed, _) = bench.read::<Distributions>("distributions-out");
    assert_eq!(found.id.len(), 300);
    for (row, id) in found.id.iter().enumerate() {
        if let Ok(known) = believed.id.binary_search(id) {
            assert_eq!(found.probabilities.row(row), believed.probabilities.row(known));
        }
    }
}

#[test]
fn an_image_is_predicted_alone_as_among_others() {
    let bench = bench(300);
    bench.predict(json!({})).unwrap();
    let all = predictions(&bench);
    // Only one test image is left.
    let mut features = clouds(300);
    for (split, id) in features.split.iter_mut().zip(&features.id) {
        if *split == Split::Test && *id != 44 {
            *split = Split::Pool;
        }
    }
    bench.features(features);
    bench.predict(json!({})).unwrap();
    let alone = predictions(&bench);
    let row = all.id.iter().position(|id| *id == 44).unwrap();
    assert_eq!((alone.id, alone.label[0]), (vec![44], all.label[row]));
    assert_eq!(alone.probabilities.row(0), all.probabilities.row(row));
}

#[test]
fn images_in_the_dark_have_no_vote() {
    let bench = bench(300);
    let (mut believed, classes) = bench.read::<Distributions>("distributions-out");
    for row in 0..believed.id.len() {
        if believed.label[row] != Some(1) {
            (believed.label[row], believed.reached[row]) = (None, false);
            believed.probabilities.values[row * 3..][..3].fill(0.0);
        }
    }
    bench.write("distributions-out", classes, believed);
    bench.predict(json!({})).unwrap();
    assert!(predictions(&bench).label.iter().all(|label| *label == 1));
}

#[test]
fn neither_threads_nor_the_order_of_rows_matter() {
    let bench = bench(1500);
    on_threads(1, || bench.predict(json!({})).unwrap());
    let (one, table) = (bench.bytes("predictions-out"), predictions(&bench));
    on_threads(3, || bench.predict(json!({})).unwrap());
    assert!(one == bench.bytes("predictions-out"));
    bench.features(turned(&clouds(1500)));
    bench.predict(json!({})).unwrap();
    let mut other = predictions(&bench);
    other.label.reverse();
    assert_eq!(other.label, table.label);
}

#[test]
fn wrong_input_is_refused() {
    let bench = bench(300);
    let code = |params| bench.predict(params).unwrap_err().code;
    assert_eq!(code(json!({ "k": 241 })), "graph::too_few_neighbours");
    assert_eq!(code(json!({ "k": 0 })), "graph::too_few_neighbours");
    assert_eq!(code(json!({ "splits": ["pool"] })), "graph::no_images");
    let (believed, classes) = bench.read::<Distributions>("distributions-out");
    let changed = |change: &dyn Fn(&mut Distributions)| {
        let mut table = believed.clone();
        change(&mut table);
        bench.write("distributions-out", classes.clone(), table);
        bench.predict(json!({})).unwrap_err().code
    };
    assert_eq!(changed(&|table| table.probabilities.values[0] = 3.0), "artifact::value");
    let nothing = |table: &mut Distributions| {
        table.reached.fill(false);
        table.label.fill(None);
        table.probabilities.values.fill(0.0);
    };
    assert_eq!(changed(&nothing), "graph::strangers");
    assert_eq!(changed(&|table| table.id[1] = table.id[0]), "artifact::value");
}
