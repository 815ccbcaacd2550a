use scarce_artifact::{Centroids, CentroidsMeta, Clusters, Embeddings, Split, Vectors};
use serde_json::json;

use crate::testing::{Bench, clumps, on_threads, reversed};

const BOTH: [(&str, &str); 2] = [("features", "features"), ("centroids", "centroids")];
const WITH_FITTED: [(&str, &str); 3] = [BOTH[0], BOTH[1], ("fitted", "fitted")];

/// Points on a line.
fn line(places: &[(u32, Split, f32)]) -> Embeddings {
    Embeddings {
        id: places.iter().map(|place| place.0).collect(),
        split: places.iter().map(|place| place.1).collect(),
        embedding: Vectors::new(1, places.iter().map(|place| place.2).collect()),
    }
}

/// Clusters 3 and 7 around 0 and 10.
fn two_centroids(bench: &Bench) {
    let table = Centroids {
        cluster: vec![3, 7],
        centroid: Vectors::new(1, vec![0.0, 10.0]),
        size: vec![4, 2],
        representative: vec![1, 2],
    };
    bench.write("centroids", &CentroidsMeta::default(), table);
}

#[test]
fn the_images_of_a_fit_get_its_clusters_byte_for_byte() {
    let bench = Bench::new();
    // More rows than a batch, and more clusters than clumps, so that borders run between them.
    let features = clumps(9000);
    for kind in ["kmeans", "minibatch-kmeans"] {
        bench.fit(kind, &features, json!({ "clusters": 150, "seed": 5 })).unwrap();
        let fit = bench.bytes("clusters");
        bench.keep("clusters", "fitted");
        let splits = json!({ "splits": ["train", "pool"] });
        for inputs in [&BOTH[..], &WITH_FITTED[..]] {
            bench.run("assign", splits.clone(), inputs).unwrap();
            assert!(fit == bench.bytes("clusters"), "{kind}");
        }
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bench = Bench::new();
    let features = clumps(9000);
    bench.fit("kmeans", &features, json!({ "clusters": 40 })).unwrap();
    let bytes = |threads| {
        on_threads(threads, || bench.run("assign", json!({}), &BOTH).unwrap());
        bench.bytes("clusters")
    };
    let one = bytes(1);
    assert_eq!(bench.read::<Clusters>("clusters").id.len(), 9000);
    assert!(one == bytes(3));
    bench.features("features", reversed(features));
    assert!(one == bytes(2));
}

#[test]
fn places_are_among_those_assigned_or_among_those_fitted() {
    let bench = Bench::new();
    two_centroids(&bench);
    let rows = [(9, Split::Test, 12.5), (4, Split::Test, 1.5), (6, Split::Train, -1.0)];
    bench.features("features", line(&rows));
    bench.run("assign", json!({}), &BOTH).unwrap();
    let found: Clusters = bench.read("clusters");
    assert_eq!(found.id, [4, 6, 9]);
    assert_eq!(found.cluster, [3, 3, 7]);
    assert_eq!(found.distance, [1.5, 1.0, 2.5]);
    assert_eq!(found.percentile, [100.0, 50.0, 100.0]);
    assert_eq!(found.is_representative, [false, true, true]);

    let fitted = Clusters {
        id: vec![0, 1, 2, 3, 5, 8],
        cluster: vec![3, 3, 7, 3, 3, 7],
        distance: vec![2.0, 0.5, 3.0, 1.0, 9.0, 4.0],
        percentile: vec![0.0; 6],
        is_representative: vec![false, true, true, false, false, false],
    };
    bench.write("fitted", &scarce_artifact::Empty {}, fitted);
    bench.run("assign", json!({ "splits": ["test"] }), &WITH_FITTED).unwrap();
    let found: Clusters = bench.read("clusters");
    // Of cluster 3, images at 0.5 and 1 are at most 1.5 away; of cluster 7, none is within 2.5.
    assert_eq!((found.id, found.percentile), (vec![4, 9], vec![50.0, 0.0]));
    assert_eq!(found.is_representative, [true, true]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let bench = Bench::new();
    two_centroids(&bench);
    bench.features("features", clumps(20));
    let failure = bench.run("assign", json!({}), &BOTH).unwrap_err();
    assert_eq!(failure.code, "cluster::width");
    assert!(failure.message.contains("have 1") && failure.message.contains("features 2"));

    bench.features("features", line(&[(1, Split::Train, 0.0), (1, Split::Train, 1.0)]));
    let code = |params, inputs| bench.run("assign", params, inputs).unwrap_err().code;
    assert_eq!(code(json!({}), &BOTH[..]), "artifact::value");
    bench.features("features", line(&[(1, Split::Train, 0.0)]));
    assert_eq!(code(json!({ "splits": ["test"] }), &BOTH), "cluster::no_images");
    bench.run("assign", json!({}), &BOTH).unwrap();
    bench.keep("clusters", "fitted");
    assert_eq!(code(json!({}), &WITH_FITTED), "cluster::other_fit");
    let nothing = Centroids { centroid: Vectors::new(1, vec![]), ..Centroids::default() };
    bench.write("centroids", &CentroidsMeta::default(), nothing);
    assert_eq!(code(json!({}), &BOTH), "cluster::no_centroids");
}
