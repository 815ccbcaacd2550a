use scarce_artifact::{Embeddings, EmbeddingsMeta, Split};
use serde_json::{Value, json};

use crate::testing::{Bench, clouds, on_threads, turned};

fn embed(bench: &Bench, params: Value) -> Embeddings {
    bench
        .run("spectral-embedding", params, &[("nodes", "nodes-out"), ("edges", "edges-out")])
        .unwrap();
    let (table, meta): (Embeddings, EmbeddingsMeta) = bench.read("embeddings-out");
    assert_eq!(meta.origin, "spectral");
    table
}

/// A graph of three clouds that are joined.
fn joined(images: u32) -> Bench {
    let bench = Bench::new();
    bench.features(clouds(images));
    bench.graph(json!({ "k": 30, "splits": ["train", "test"], "weights": "uniform" })).unwrap();
    bench
}

#[test]
fn clouds_lie_apart_and_splits_are_kept() {
    let bench = joined(600);
    let table = embed(&bench, json!({ "dimensions": 3 }));
    assert!(table.id.iter().copied().eq(0..600));
    assert!(
        table.split.iter().zip(0..).all(|(split, id)| (*split == Split::Test) == (id % 5 == 4))
    );
    let product = |a: usize, b: usize| -> f32 {
        table.embedding.row(a).iter().zip(table.embedding.row(b)).map(|(a, b)| a * b).sum()
    };
    // Image i is of cloud i modulo 3; rows have length 1.
    for a in (0..600).step_by(7) {
        assert!((product(a, a) - 1.0).abs() < 1e-5);
        let same = (0..600).step_by(3).map(|b| product(a, (b + a) % 600)).sum::<f32>() / 200.0;
        let other = (0..600).step_by(3).map(|b| product(a, (b + a + 1) % 600)).sum::<f32>() / 200.0;
        assert!(same > 0.8 && other < 0.3, "{a}: {same} {other}");
    }
}

#[test]
fn eigenmaps_have_mean_square_one() {
    let bench = joined(300);
    bench.graph(json!({ "k": 20, "weights": "uniform" })).unwrap();
    let table = embed(&bench, json!({ "dimensions": 4, "normalise_rows": false }));
    assert_eq!((table.id.len(), table.embedding.width), (240, 4));
    let (nodes, _): (scarce_artifact::Nodes, _) = bench.read("nodes-out");
    let volume: f32 = nodes.degree.iter().sum();
    for column in 0..4 {
        let rows = table.embedding.iter_rows().zip(&nodes.degree);
        let square: f32 = rows.map(|(row, degree)| degree * row[column] * row[column]).sum();
        assert!((square / volume - 1.0).abs() < 1e-4, "{column}: {square}");
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let features = clouds(1500);
    let bytes = |features: &Embeddings, threads| {
        let bench = Bench::new();
        bench.features(features.clone());
        on_threads(threads, || {
            bench.graph(json!({})).unwrap();
            embed(&bench, json!({ "seed": 4 }));
        });
        bench.bytes("embeddings-out")
    };
    let one = bytes(&features, 1);
    assert!(one == bytes(&features, 3));
    assert!(one == bytes(&turned(&features), 2));
}

#[test]
fn refused_are_graphs_and_requests_that_do_not_fit() {
    let bench = joined(50);
    let refused = |params: Value, edges: &str, code: &str| {
        let inputs = [("nodes", "nodes-out"), ("edges", edges)];
        let failure = bench.run("spectral-embedding", params, &inputs).unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
    };
    refused(json!({ "dimensions": 51 }), "edges-out", "numeric::too_few");
    refused(json!({ "tolerance": 0.0 }), "edges-out", "numeric::parameter");
    assert!(bench.run("spectral-embedding", json!({ "dimensions": 0 }), &[]).is_err());
    let other = joined(60);
    let (edges, meta) = other.read::<scarce_artifact::Edges>("edges-out");
    bench.write("others", meta, edges);
    refused(json!({}), "others", "graph::two_graphs");
}
