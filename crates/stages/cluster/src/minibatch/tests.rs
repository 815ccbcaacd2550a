use scarce_artifact::{Centroids, Clusters};
use serde_json::json;

use crate::testing::{Bench, clumps, on_threads, reversed};

#[test]
fn clumps_become_clusters_with_one_representative_each() {
    let bench = Bench::new();
    let features = clumps(1000);
    bench.fit("minibatch-kmeans", &features, json!({ "clusters": 4, "batch": 100 })).unwrap();
    let clusters: Clusters = bench.read("clusters");
    let centroids: Centroids = bench.read("centroids");
    assert_eq!(clusters.id, (0..900).collect::<Vec<u32>>());
    assert_eq!(centroids.size, [225; 4]);
    assert!((0..900).all(|row| clusters.cluster[row] == clusters.cluster[row % 4]));
    for (index, &cluster) in centroids.cluster.iter().enumerate() {
        let members: Vec<usize> = (0..900).filter(|&r| clusters.cluster[r] == cluster).collect();
        let nearest = members
            .iter()
            .copied()
            .min_by(|&a, &b| clusters.distance[a].total_cmp(&clusters.distance[b]));
        let chosen: Vec<usize> =
            members.into_iter().filter(|&row| clusters.is_representative[row]).collect();
        assert_eq!(chosen, [centroids.representative[index] as usize]);
        assert_eq!(nearest, Some(chosen[0]));
        // The centroid is near the middle of the clump.
        let corner = (chosen[0] % 4) as f32 * 10.0;
        let centre = centroids.centroid.row(index);
        assert!((centre[0] - corner).hypot(centre[1] + corner) < 0.2, "{centre:?}");
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte_but_the_seed_does() {
    let bench = Bench::new();
    let features = clumps(3000);
    let bytes = |features: &_, threads, seed| {
        let params = json!({ "clusters": 12, "batch": 300, "init": "random", "seed": seed });
        on_threads(threads, || bench.fit("minibatch-kmeans", features, params).unwrap());
        (bench.bytes("clusters"), bench.bytes("centroids"))
    };
    let one = bytes(&features, 1, 3);
    assert!(one == bytes(&features, 3, 3));
    assert!(one == bytes(&reversed(features.clone()), 2, 3));
    assert!(one != bytes(&features, 1, 4));
}

#[test]
fn impossible_requests_name_their_numbers() {
    let bench = Bench::new();
    let features = clumps(20);
    let run = |params| bench.fit("minibatch-kmeans", &features, params);
    let failure = run(json!({ "clusters": 19 })).unwrap_err();
    assert_eq!(failure.code, "cluster::too_many_clusters");
    for wrong in [
        json!({}),
        json!({ "clusters": 0 }),
        json!({ "clusters": 2, "batch": 0 }),
        json!({ "clusters": 2, "n_init": 0 }),
        json!({ "clusters": 2, "reassignment_ratio": 1.1 }),
        json!({ "clusters": 2, "tolerance": -0.1 }),
        json!({ "clusters": 2, "batch_size": 10 }),
    ] {
        assert!(run(wrong.clone()).is_err(), "{wrong}");
    }
    assert!(run(json!({ "clusters": 2, "max_no_improvement": 0, "max_iter": 2 })).is_ok());
}
