//! For tests: known answers (see `fixtures/make_fixtures.py`).

use scarce_artifact::{Clusters, Empty};
use serde::Deserialize;
use serde_json::json;

use crate::testing::{Bench, labels};

#[derive(Deserialize)]
struct Known {
    points: Vec<f32>,
    kind: Vec<i32>,
    classes: usize,
    clusters: KnownClusters,
    neighbours: KnownNeighbours,
    nearest: KnownNearest,
}

#[derive(Deserialize)]
struct KnownClusters {
    cluster: Vec<i32>,
    distance: Vec<f32>,
    percentile: Vec<f32>,
    labelled: Vec<u32>,
    up_to_percentile: f32,
    labels: Vec<i32>,
}

#[derive(Deserialize)]
struct KnownNeighbours {
    labelled: Vec<u32>,
    rest: Vec<u32>,
    cases: Vec<Votes>,
}

#[derive(Deserialize)]
struct Votes {
    k: usize,
    weights: String,
    metric: String,
    labels: Vec<i32>,
    confidence: Vec<f32>,
}

#[derive(Deserialize)]
struct KnownNearest {
    labelled: Vec<u32>,
    count: usize,
    cases: Vec<Claims>,
}

#[derive(Deserialize)]
struct Claims {
    metric: String,
    stacked: Vec<(u32, i32)>,
    nearest: Vec<i32>,
}

impl Known {
    fn read() -> Self {
        serde_json::from_str(include_str!("../fixtures/known.json")).unwrap()
    }

    /// The features and some labels.
    fn bench(&self, labelled: &[u32]) -> Bench {
        let bench = Bench::new();
        bench.features(3, &self.points);
        let given: Vec<_> = labelled.iter().map(|&id| (id, self.kind[id as usize])).collect();
        bench.labels(self.classes, labels(&given));
        bench
    }
}

/// Those that have a label, of labels by id where −1 is none.
fn present(labels: &[i32]) -> Vec<(u32, i32)> {
    (0..).zip(labels.iter().copied()).filter(|(_, label)| *label >= 0).collect()
}

#[test]
fn clusters_take_the_labels_that_numpy_gives_them() {
    let known = Known::read();
    let KnownClusters { cluster, distance, percentile, labelled, up_to_percentile, labels } =
        &known.clusters;
    let bench = known.bench(labelled);
    let table = Clusters {
        id: (0..cluster.len() as u32).collect(),
        cluster: cluster.clone(),
        distance: distance.clone(),
        percentile: percentile.clone(),
        is_representative: (0..cluster.len())
            .map(|at| !cluster[..at].contains(&cluster[at]))
            .collect(),
    };
    bench.write("c", Empty {}, table);
    let params = json!({ "up_to_percentile": up_to_percentile });
    bench.run("propagate-clusters", params, [("clusters", "c"), ("labels", "y")]).unwrap();
    let found = bench.read();
    let rows: Vec<_> = found.id.into_iter().zip(found.label).collect();
    assert_eq!(rows, present(labels));
}

#[test]
fn neighbours_vote_as_in_scikit_learn() {
    let known = Known::read();
    let bench = known.bench(&known.neighbours.labelled);
    for Votes { k, weights, metric, labels, confidence } in &known.neighbours.cases {
        let params = json!({ "k": k, "weights": weights, "metric": metric });
        let found = bench.spread("propagate-neighbours", params).unwrap();
        for ((&id, &label), &confidence) in known.neighbours.rest.iter().zip(labels).zip(confidence)
        {
            let row = found.id.binary_search(&id).unwrap();
            assert_eq!(found.label[row], label, "k = {k}, image {id}");
            assert!((found.confidence[row] - confidence).abs() < 1e-5, "k = {k}, image {id}");
        }
        assert_eq!(found.id.len(), known.kind.len());
    }
}

#[test]
fn labels_go_to_the_nearest_that_numpy_finds() {
    let known = Known::read();
    let KnownNearest { labelled, count, cases } = &known.nearest;
    let bench = known.bench(labelled);
    for Claims { metric, stacked, nearest } in cases {
        let run = |overlap: &str| {
            let params = json!({ "count": count, "metric": metric, "overlap": overlap });
            let found = bench.spread("propagate-nearest", params).unwrap();
            found.id.into_iter().zip(found.label).collect::<Vec<_>>()
        };
        let mut rows = run("keep");
        rows.sort_unstable();
        assert_eq!(&rows, stacked);
        assert_eq!(rows.len(), labelled.len() * count);
        assert_eq!(run("nearest"), present(nearest));
    }
}
