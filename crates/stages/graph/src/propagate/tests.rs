use std::collections::BTreeMap;

use scarce_artifact::{Embeddings, GraphMeta, LabelSource, Split};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, clouds, on_threads, turned};

const METHODS: [&str; 6] = [
    "poisson",
    "poisson-mbo",
    "laplace",
    "mean-shifted-laplace",
    "reweighted-laplace",
    "label-spreading",
];

/// The graph of some clouds, test images left out, with these labels.
fn bench(images: u32, labels: &[(u32, i32)]) -> Bench {
    let bench = Bench::new();
    bench.features(clouds(images));
    bench.graph(json!({})).unwrap();
    bench.labels(labels);
    bench
}

fn found(bench: &Bench) -> (Labels, Distributions) {
    let (labels, classes) = bench.read::<Labels>("labels-out");
    let (distributions, same) = bench.read::<Distributions>("distributions-out");
    assert_eq!((&classes, classes.len()), (&same, 3));
    (labels, distributions)
}

/// The share of propagated labels that are the image's cloud.
fn accuracy(labels: &Labels) -> f64 {
    let rows = labels.id.iter().zip(&labels.label).zip(&labels.source);
    let propagated: Vec<_> = rows.filter(|(_, s)| **s == LabelSource::Propagated).collect();
    let right = propagated.iter().filter(|((id, label), _)| **id as i32 % 3 == **label).count();
    right as f64 / propagated.len() as f64
}

/// One label per cloud.
const THREE: [(u32, i32); 3] = [(0, 0), (1, 1), (2, 2)];

/// So many labels per cloud, none of them of a test image.
fn many(per_class: u32) -> Vec<(u32, i32)> {
    let train = (0..).filter(|id| id % 5 != 4).map(|id| (id, id as i32 % 3));
    let mut counts = [0; 3];
    train
        .filter(|(_, class)| {
            counts[*class as usize] += 1;
            counts[*class as usize] <= per_class
        })
        .take(3 * per_class as usize)
        .collect()
}

#[test]
fn one_label_per_cloud_reaches_all_of_it_by_every_method() {
    let bench = bench(600, &THREE);
    for method in METHODS {
        bench.propagate(json!({ "method": method })).unwrap();
        let (labels, distributions) = found(&bench);
        assert_eq!(labels.id.len(), 480, "{method}");
        assert!(labels.id.iter().all(|id| id % 5 != 4), "{method}");
        let least = if method == "laplace" { 0.3 } else { 0.95 };
        assert!(accuracy(&labels) > least, "{method}: {}", accuracy(&labels));
        assert_eq!(distributions.id, labels.id);
        assert!(distributions.reached.iter().all(|reached| *reached));
        for (row, p) in distributions.probabilities.iter_rows().enumerate() {
            assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5 && p.iter().all(|p| *p >= 0.0));
            assert_eq!(distributions.label[row], Some(labels.label[row]));
        }
    }
}

#[test]
fn given_labels_are_kept_and_sure() {
    // The label of 0 is wrong, and stays.
    let bench = bench(300, &[(0, 2), (3, 0), (1, 1), (2, 2)]);
    for method in METHODS {
        bench.propagate(json!({ "method": method })).unwrap();
        let (labels, distributions) = found(&bench);
        assert_eq!((labels.label[0], labels.source[0]), (2, LabelSource::Given));
        assert_eq!((labels.confidence[0], distributions.label[0]), (1.0, Some(2)));
        assert_eq!(distributions.probabilities.row(0), [0.0, 0.0, 1.0]);
        assert_eq!((distributions.entropy[0], distributions.margin[0]), (0.0, 1.0));
        let given = labels.source.iter().filter(|source| **source == LabelSource::Given);
        assert_eq!(given.count(), 4);
    }
}

#[test]
fn held_sizes_are_those_of_the_priors() {
    let bench = bench(600, &THREE);
    let sizes = |params: Value| {
        bench.propagate(params).unwrap();
        let (_, distributions) = found(&bench);
        let mut sizes = BTreeMap::new();
        for label in distributions.label {
            *sizes.entry(label.unwrap()).or_insert(0) += 1;
        }
        sizes.into_values().collect::<Vec<i32>>()
    };
    for method in METHODS {
        let held = json!({ "method": method, "sizes": "held" });
        assert_eq!(sizes(held), [160, 160, 160], "{method}");
    }
    let skewed = json!({ "sizes": "held", "priors": [2.0, 1.0, 1.0] });
    assert_eq!(sizes(skewed), [240, 120, 120]);
    // 1 + 1, 1 + 1 and 1 + 1 labels of each class
    assert_eq!(sizes(json!({ "sizes": "held", "priors": "estimated" })), [160, 160, 160]);
}

#[test]
fn confidence_is_a_rank_without_enough_labels() {
    let bench = bench(600, &THREE);
    bench.propagate(json!({})).unwrap();
    let (labels, distributions) = found(&bench);
    let propagated: Vec<usize> =
        (0..480).filter(|&row| labels.source[row] == LabelSource::Propagated).collect();
    let mut ranks: Vec<f32> = propagated.iter().map(|&row| labels.confidence[row]).collect();
    for pair in propagated.windows(2) {
        let more = distributions.margin[pair[0]] > distributions.margin[pair[1]];
        assert!(!more || labels.confidence[pair[0]] > labels.confidence[pair[1]]);
    }
    ranks.sort_by(f32::total_cmp);
    assert_eq!((ranks[476], ranks.len()), (1.0, 477));
    assert!((ranks[238] - 0.5).abs() < 0.01);
    bench.propagate(json!({ "min_confidence": 0.75 })).unwrap();
    let (kept, _) = found(&bench);
    assert!((117..=121).contains(&(kept.id.len() - 3)), "{}", kept.id.len());
    assert!(kept.id.iter().zip(&kept.confidence).all(|(_, sure)| *sure >= 0.75));
    bench.propagate(json!({ "confidence": "probability" })).unwrap();
    let (labels, distributions) = found(&bench);
    for row in 0..480 {
        let p = distributions.probabilities.row(row)[labels.label[row] as usize];
        assert_eq!(labels.confidence[row], p);
    }
}

/// Of images that are said to be right with some probability, about that share is right.
#[test]
fn confidence_is_a_calibrated_probability_with_enough_labels() {
    // Every fourth given label is wrong, so that nothing can be much surer than 3 in 4.
    let noisy: Vec<(u32, i32)> = many(80)
        .into_iter()
        .map(|(id, class)| if id % 4 == 0 { (id, (class + 1) % 3) } else { (id, class) })
        .collect();
    let bench = bench(3000, &noisy);
    for method in METHODS {
        bench.propagate(json!({ "method": method })).unwrap();
        let (labels, _) = found(&bench);
        let propagated: Vec<usize> =
            (0..labels.id.len()).filter(|&r| labels.source[r] == LabelSource::Propagated).collect();
        let mean: f32 = propagated.iter().map(|&row| labels.confidence[row]).sum::<f32>()
            / propagated.len() as f32;
        // Held-back labels are as noisy as the others: the chance to agree with one.
        assert!((0.55..0.85).contains(&mean), "{method}: {mean}");
    }
    // Without noise they are surer.
    bench.labels(&many(80));
    bench.propagate(json!({ "method": "poisson" })).unwrap();
    let (labels, _) = found(&bench);
    let mean: f32 = labels.confidence.iter().sum::<f32>() / labels.id.len() as f32;
    assert!(mean > 0.9 && f64::from(mean) < accuracy(&labels) + 0.05, "{mean}");
}

#[test]
fn a_piece_without_labels_and_a_class_without_labels_stay_empty() {
    // k is so small that the clouds are pieces of their own.
    let bench = Bench::new();
    bench.features(clouds(300));
    bench.graph(json!({ "k": 2 })).unwrap();
    let (nodes, _) = bench.read::<Nodes>("nodes-out");
    let component: BTreeMap<u32, u32> = nodes.id.iter().copied().zip(nodes.component).collect();
    bench.labels(&[(0, 0), (1, 2)]);
    let lit = [component[&0], component[&1]];
    for method in METHODS {
        bench.propagate(json!({ "method": method })).unwrap();
        let (labels, distributions) = found(&bench);
        assert!(labels.label.iter().all(|label| *label != 1), "{method}");
        let mut dark = 0;
        for (row, id) in distributions.id.iter().enumerate() {
            let reached = lit.contains(&component[id]);
            assert_eq!(distributions.reached[row], reached, "{method}");
            assert_eq!(distributions.label[row].is_some(), reached);
            assert_eq!(labels.id.binary_search(id).is_ok(), reached);
            assert!(distributions.probabilities.row(row)[1] == 0.0);
            if !reached {
                assert_eq!(distributions.probabilities.row(row), [0.0; 3]);
                assert_eq!((distributions.entropy[row], distributions.margin[row]), (0.0, 0.0));
                dark += 1;
            }
        }
        assert!(dark > 80 && dark < 240, "{dark} of 240 images in the dark");
    }
}

#[test]
fn labels_of_test_images_are_not_learnt_from() {
    let bench = Bench::new();
    bench.features(clouds(300));
    bench.graph(json!({ "splits": ["train", "test"] })).unwrap();
    bench.labels(&THREE);
    bench.propagate(json!({})).unwrap();
    let (clean, believed) = (bench.bytes("labels-out"), bench.bytes("distributions-out"));
    let (labels, _) = found(&bench);
    assert_eq!(labels.id.len(), 300);
    // 4, 9 and 14 are test images; their labels are wrong on top.
    bench.labels(&[(0, 0), (1, 1), (2, 2), (4, 2), (9, 1), (14, 0)]);
    bench.propagate(json!({})).unwrap();
    assert!(bench.bytes("labels-out") == clean && bench.bytes("distributions-out") == believed);
    bench.labels(&[(4, 1), (9, 0)]);
    assert_eq!(bench.propagate(json!({})).unwrap_err().code, "graph::no_labelled");
}

#[test]
fn labels_of_strangers_are_kept_but_do_not_suffice() {
    let bench = bench(300, &[(0, 0), (1, 1), (2, 2), (9000, 1)]);
    bench.propagate(json!({})).unwrap();
    let (labels, _) = found(&bench);
    assert_eq!((labels.id.last(), labels.label.last()), (Some(&9000), Some(&1)));
    bench.labels(&[(9000, 1)]);
    assert_eq!(bench.propagate(json!({})).unwrap_err().code, "graph::no_labelled");
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let given = many(20);
    let bytes = |features: Embeddings, given: &[(u32, i32)], threads, method: &str| {
        let bench = Bench::new();
        bench.features(features);
        bench.labels(given);
        on_threads(threads, || {
            bench.graph(json!({})).unwrap();
            bench.propagate(json!({ "method": method, "rounds": 3 })).unwrap();
        });
        (bench.bytes("labels-out"), bench.bytes("distributions-out"))
    };
    let backwards: Vec<(u32, i32)> = given.iter().rev().copied().collect();
    for method in METHODS {
        let one = bytes(clouds(1400), &given, 1, method);
        assert!(one == bytes(clouds(1400), &given, 3, method), "{method}");
        assert!(one == bytes(turned(&clouds(1400)), &backwards, 2, method), "{method}");
    }
}

#[test]
fn other_ids_give_the_same_answers() {
    let label = |ids: &dyn Fn(u32) -> u32| {
        let bench = Bench::new();
        let mut features = clouds(300);
        features.id = features.id.iter().map(|&id| ids(id)).collect();
        bench.features(features);
        bench.graph(json!({})).unwrap();
        bench.labels(&THREE.map(|(id, class)| (ids(id), class)));
        bench.propagate(json!({ "method": "poisson-mbo" })).unwrap();
        let (labels, _) = found(&bench);
        labels.id.into_iter().zip(labels.label).collect::<BTreeMap<u32, i32>>()
    };
    let (plain, renamed) = (label(&|id| id), label(&|id| id * 7919 % 100_003));
    let same = plain.iter().all(|(id, class)| renamed[&(id * 7919 % 100_003)] == *class);
    assert!(same && plain.len() == 240);
}

#[test]
fn tables_that_do_not_belong_together_are_refused() {
    let bench = bench(300, &THREE);
    let (nodes, meta) = bench.read::<Nodes>("nodes-out");
    let code = |nodes: &Nodes, meta: GraphMeta| {
        bench.write("nodes-out", meta, nodes.clone());
        bench.propagate(json!({})).unwrap_err().code
    };
    assert_eq!(code(&nodes, GraphMeta { k: 11, ..meta.clone() }), "graph::two_graphs");
    let mut other = nodes.clone();
    other.id[7] = 4000;
    assert_eq!(code(&other, meta.clone()), "graph::two_graphs");
    other.id[7] = other.id[8];
    assert_eq!(code(&other, meta.clone()), "artifact::value");
    other.id.pop();
    other.split.pop();
    other.component.pop();
    other.degree.pop();
    other.radius.pop();
    other.id[7] = nodes.id[7];
    assert_eq!(code(&other, meta.clone()), "artifact::value", "a node is missing");
    bench.write("nodes-out", meta, nodes);
    let (mut edges, meta) = bench.read::<Edges>("edges-out");
    edges.target[0] = edges.source[0];
    bench.write("edges-out", meta, edges);
    assert_eq!(bench.propagate(json!({})).unwrap_err().code, "artifact::value");
}

#[test]
fn wrong_labels_and_parameters_are_refused() {
    let bench = bench(300, &THREE);
    let code = |params| bench.propagate(params).unwrap_err().code;
    for params in [
        json!({ "alpha": 1.0 }),
        json!({ "tolerance": 0.0 }),
        json!({ "min_confidence": 1.5 }),
        json!({ "tau": -1.0 }),
        json!({ "fidelity": -1.0 }),
        json!({ "rounds": 0 }),
        json!({ "steps": 0 }),
        json!({ "max_iterations": 0 }),
        json!({ "priors": [0.5, 0.5] }),
        json!({ "priors": [1.0, 1.0, 0.0] }),
    ] {
        assert_eq!(code(params.clone()), "graph::parameter", "{params}");
    }
    assert_eq!(code(json!({ "priors": "true" })), "stage::params");
    bench.labels(&[(0, 0), (1, 3)]);
    assert_eq!(code(json!({})), "artifact::value");
    bench.labels(&[(0, 0), (1, -1)]);
    assert_eq!(code(json!({})), "artifact::value");
    bench.labels(&[(0, 0), (0, 1)]);
    assert_eq!(code(json!({})), "artifact::value");
}

#[test]
fn the_split_of_an_image_does_not_matter_otherwise() {
    let labels = |split: Split| {
        let bench = Bench::new();
        let mut features = clouds(300);
        features.split = vec![split; 300];
        bench.features(features);
        bench.labels(&THREE);
        bench.graph(json!({})).unwrap();
        bench.propagate(json!({})).unwrap();
        bench.bytes("labels-out")
    };
    assert!(labels(Split::Train) == labels(Split::Pool));
}
