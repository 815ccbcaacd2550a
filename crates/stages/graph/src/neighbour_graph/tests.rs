use scarce_artifact::{Edges, EmbeddingsMeta, GraphMeta, Metric, Nodes, Split, Vectors};
use serde_json::json;

use super::*;
use crate::testing::{Bench, clouds, on_threads, turned};

fn made(bench: &Bench) -> (Nodes, Edges, GraphMeta) {
    let ((nodes, meta), (edges, same)) = (bench.read("nodes-out"), bench.read("edges-out"));
    assert_eq!(meta, same);
    (nodes, edges, meta)
}

/// Points on a line at these places; ids are 10, 11, …
fn line(places: &[f32]) -> Embeddings {
    Embeddings {
        id: (10..10 + places.len() as u32).collect(),
        split: vec![Split::Pool; places.len()],
        embedding: Vectors::new(1, places.to_vec()),
    }
}

#[test]
fn each_pair_is_there_once_with_its_weight() {
    let bench = Bench::new();
    bench.features(line(&[0.0, 1.0, 3.0, 20.0, 21.0]));
    bench.graph(json!({ "k": 1 })).unwrap();
    let (nodes, edges, meta) = made(&bench);
    assert_eq!((edges.source, edges.target), (vec![10, 11, 13], vec![11, 12, 14]));
    assert_eq!(edges.distance, [1.0, 2.0, 1.0]);
    let whole = (-4f32).exp();
    for (found, expected) in edges.weight.iter().zip([whole, whole / 2.0, whole]) {
        assert!((found - expected).abs() < 1e-8);
    }
    assert_eq!(nodes.component, [0, 0, 0, 1, 1]);
    assert_eq!(nodes.radius, [1.0, 1.0, 2.0, 1.0, 1.0]);
    assert!((nodes.degree[1] - 1.5 * whole).abs() < 1e-8);
    let weights = "self-tuning".to_owned();
    let metric = Metric::Euclidean;
    assert_eq!(
        meta,
        GraphMeta { nodes: 5, k: 1, metric, weights, sigma: None, components: 2, recall: None }
    );
}

#[test]
fn edges_are_those_of_a_double_loop() {
    let (bench, x) = (Bench::new(), clouds(200));
    bench.features(x.clone());
    bench.graph(json!({ "k": 6, "weights": "uniform", "splits": ["train", "test"] })).unwrap();
    let (nodes, edges, _) = made(&bench);
    assert_eq!(nodes.id, x.id);
    let mut expected = std::collections::BTreeSet::new();
    for i in 0..200 {
        let distance = |j: usize| -> f64 {
            let (a, b) = (x.embedding.row(i), x.embedding.row(j));
            a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        let mut others: Vec<usize> = (0..200).filter(|j| *j != i).collect();
        others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        expected.extend(others[..6].iter().map(|&j| (i.min(j) as u32, i.max(j) as u32)));
    }
    let found: Vec<(u32, u32)> = edges.source.into_iter().zip(edges.target).collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    assert!(edges.weight.iter().all(|weight| *weight == 1.0));
}

#[test]
fn test_images_are_in_it_only_if_asked_for() {
    let bench = Bench::new();
    bench.features(clouds(100));
    bench.graph(json!({})).unwrap();
    let (nodes, edges, _) = made(&bench);
    assert_eq!(nodes.id.len(), 80);
    assert!(edges.source.iter().chain(&edges.target).all(|id| id % 5 != 4));
    bench.graph(json!({ "splits": ["train", "test"] })).unwrap();
    let (nodes, _, meta) = made(&bench);
    assert_eq!((nodes.id.len(), meta.nodes), (100, 100));
    assert_eq!((nodes.split[3], nodes.split[4]), (Split::Train, Split::Test));
}

#[test]
fn the_metric_and_the_scale_may_be_chosen() {
    let bench = Bench::new();
    let features = Embeddings {
        id: vec![0, 1, 2],
        split: vec![Split::Pool; 3],
        embedding: Vectors::new(2, vec![5.0, 0.0, 0.0, 1.0, 0.3, 0.4]),
    };
    let meta = EmbeddingsMeta { origin: "here".to_owned(), metric: Metric::Cosine };
    bench.write("x", meta, features);
    let edges = |params| {
        bench.graph(params).unwrap();
        let (_, edges, meta) = made(&bench);
        (edges.distance.iter().map(|d| (d * 100.0).round()).collect::<Vec<_>>(), edges, meta)
    };
    // cosines of 0, 0.6 and 0.8
    let (distance, edges_own, meta) = edges(json!({ "k": 2, "weights": "gaussian" }));
    assert_eq!((distance, meta.metric), (vec![100.0, 40.0, 20.0], Metric::Cosine));
    // the median of the distances of unit vectors to the second neighbour: 1 - cos is 1, 1, 0.4
    let sigma = meta.sigma.unwrap();
    assert!((sigma - 2f64.sqrt()).abs() < 1e-6);
    assert!((edges_own.weight[1] - (-0.8f32 / 4.0).exp()).abs() < 1e-6);
    let params = json!({ "k": 1, "metric": "euclidean", "weights": "gaussian", "sigma": 0.5 });
    let (distance, edges_given, meta) = edges(params);
    assert_eq!((distance, meta.sigma), (vec![472.0, 67.0], Some(0.5)));
    let square = 0.3f32.powi(2) + 0.6f32.powi(2);
    assert!((edges_given.weight[1] - (-square / 0.5).exp()).abs() < 1e-6);
}

#[test]
fn copies_are_neighbours_like_others() {
    let bench = Bench::new();
    bench.features(line(&[1.0, 1.0, 1.0, 4.0]));
    bench.graph(json!({ "k": 2 })).unwrap();
    let (nodes, edges, meta) = made(&bench);
    assert!(edges.weight.iter().all(|weight| weight.is_finite() && *weight > 0.0));
    assert_eq!((edges.weight[0], edges.distance[0]), (1.0, 0.0));
    assert_eq!((nodes.radius[0], meta.components), (0.0, 1));
    bench.features(line(&[2.0; 9]));
    bench.graph(json!({ "k": 2 })).unwrap();
    assert!(made(&bench).1.weight.iter().all(|weight| [0.5, 1.0].contains(weight)));
    let failure = bench.graph(json!({ "k": 2, "weights": "gaussian" })).unwrap_err();
    assert!(failure.message.contains("most images have `k` copies"), "{}", failure.message);
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bytes = |features: Embeddings, threads| {
        let bench = Bench::new();
        bench.features(features);
        on_threads(threads, || bench.graph(json!({ "k": 7 })).unwrap());
        (bench.bytes("nodes-out"), bench.bytes("edges-out"))
    };
    let one = bytes(clouds(1500), 1);
    assert!(one == bytes(clouds(1500), 3));
    assert!(one == bytes(turned(&clouds(1500)), 2));
}

#[test]
fn impossible_requests_are_refused() {
    let bench = Bench::new();
    bench.features(line(&[0.0, 1.0, 2.0]));
    let code = |params| bench.graph(params).unwrap_err().code;
    assert_eq!(code(json!({ "k": 3 })), "graph::too_few_neighbours");
    assert_eq!(code(json!({ "k": 0 })), "numeric::parameter");
    assert_eq!(code(json!({ "splits": ["test"] })), "graph::no_images");
    assert_eq!(code(json!({ "k": 1, "sigma": 1.0 })), "graph::parameter");
    assert_eq!(code(json!({ "k": 1, "weights": "gaussian", "sigma": 0.0 })), "graph::parameter");
    let mut twice = line(&[0.0, 1.0, 2.0]);
    twice.id[2] = 10;
    bench.features(twice);
    assert_eq!(code(json!({ "k": 1 })), "artifact::value");
    bench.features(line(&[0.0, f32::NAN, 2.0]));
    assert_eq!(code(json!({ "k": 1 })), "artifact::value");
}
