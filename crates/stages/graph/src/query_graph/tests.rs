use scarce_artifact::Queries;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, clouds, on_threads, turned};

const PORTS: [(&str, &str); 3] = [("nodes", "nodes-out"), ("edges", "edges-out"), ("labels", "y")];

fn bench(graph: Value, labels: &[(u32, i32)]) -> Bench {
    let bench = Bench::new();
    bench.features(clouds(300));
    bench.graph(graph).unwrap();
    bench.labels(labels);
    bench
}

fn asked(bench: &Bench, params: Value) -> Queries {
    bench.run("query-graph", params, &PORTS).unwrap();
    bench.read::<Queries>("queries-out").0
}

#[test]
fn clouds_without_a_label_come_first_and_each_once() {
    let bench = bench(json!({}), &[(0, 0)]);
    let queries = asked(&bench, json!({ "batch": 3, "tau": 1e-6 }));
    assert_eq!((queries.id[0] % 3, queries.id[1] % 3), (1, 2), "{queries:?}");
    assert!(queries.score.is_sorted_by(|a, b| a >= b) && queries.score[1] < 1.0, "{queries:?}");
    assert_eq!(queries.rank, [0, 1, 2]);
}

#[test]
fn least_reached_of_one_cloud_has_the_shortest_scores() {
    let labels = [(0, 0), (1, 1), (2, 2)];
    let bench = bench(json!({ "splits": ["train", "test"] }), &labels);
    let queries = asked(&bench, json!({ "batch": 297, "tau": 0.3 }));
    // test images are in the graph, and never asked for; nor is what has a label
    assert_eq!(queries.id.len(), 240 - 3);
    assert!(queries.id.iter().all(|id| id % 5 != 4 && *id > 2));
    let mut ids = queries.id.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), queries.id.len());

    // solved again, more closely
    let nodes = bench.read::<Nodes>("nodes-out").0;
    let edges = bench.read::<Edges>("edges-out").0;
    let place = |id: &u32| nodes.id.iter().position(|other| other == id).unwrap() as u32;
    let edges = scarce_graph_learning::Edges {
        source: edges.source.iter().map(place).collect(),
        target: edges.target.iter().map(place).collect(),
        weight: edges.weight,
        distance: edges.distance,
    };
    let graph = Graph::new(nodes.id.len(), &edges).unwrap();
    let seeds: Vec<(u32, u32)> = labels.iter().map(|&(id, l)| (place(&id), l as u32)).collect();
    let how = Laplace { tau: 0.3, reweighted: true, mean_shift: false };
    let precision = Precision { tolerance: 1e-9, ..Precision::default() };
    let scores = laplace(&graph, &Seeds::new(&seeds, 3).unwrap(), how, precision).unwrap();
    let length = |node: usize| scores.of(node).iter().map(|u| u * u).sum::<f64>().sqrt();
    let asked = place(&queries.id[0]) as usize;
    assert!((f64::from(queries.score[0]) - (1.0 - length(asked))).abs() < 1e-4);
    let open = |id: &&u32| **id % 5 != 4 && **id > 2;
    let shortest = nodes.id.iter().filter(open).map(|id| length(place(id) as usize));
    assert!(length(asked) < shortest.fold(f64::INFINITY, f64::min) + 1e-4);
}

#[test]
fn is_the_same_on_any_number_of_threads_and_for_any_order_of_rows() {
    let bytes = |threads, swapped: bool| {
        on_threads(threads, || {
            let bench = Bench::new();
            bench.features(if swapped { turned(&clouds(300)) } else { clouds(300) });
            bench.graph(json!({})).unwrap();
            bench.labels(&[(0, 0), (1, 1), (2, 2)]);
            bench.run("query-graph", json!({ "batch": 5 }), &PORTS).unwrap();
            bench.bytes("queries-out")
        })
    };
    let one = bytes(1, false);
    assert_eq!(one, bytes(3, false));
    assert_eq!(one, bytes(2, true));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let bench = bench(json!({}), &[(0, 0)]);
    for params in [json!({ "batch": 0 }), json!({ "tau": -1.0 }), json!({ "tolerance": 0.0 })] {
        assert!(bench.run("query-graph", params.clone(), &PORTS).is_err(), "{params}");
    }
    bench.labels(&[(4, 0)]);
    let refused = bench.run("query-graph", json!({}), &PORTS).unwrap_err();
    assert_eq!(refused.code, "graph::no_labelled");
}
