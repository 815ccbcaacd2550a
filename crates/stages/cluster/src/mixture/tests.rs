use scarce_artifact::{Centroids, Clusters, Embeddings, Vectors};
use serde_json::{Value, json};

use crate::testing::{Bench, clumps, on_threads, reversed};

fn run(bench: &Bench, features: &Embeddings, params: Value) -> (Clusters, Centroids) {
    bench.fit("gaussian-mixture", features, params).unwrap();
    (bench.read("clusters"), bench.read("centroids"))
}

#[test]
fn clumps_become_clusters_around_their_means() {
    let bench = Bench::new();
    let features = clumps(1000);
    for covariance in ["full", "diagonal"] {
        let params = json!({ "clusters": 4, "covariance": covariance });
        let (clusters, centroids) = run(&bench, &features, params);
        assert_eq!(clusters.id, (0..900).collect::<Vec<u32>>());
        assert_eq!(centroids.size, [225; 4]);
        for row in 0..900 {
            assert_eq!(clusters.cluster[row], clusters.cluster[row % 4]);
        }
        for (index, &cluster) in centroids.cluster.iter().enumerate() {
            let members = (0..900).filter(|&row| clusters.cluster[row] == cluster);
            let chosen: Vec<usize> =
                members.clone().filter(|&row| clusters.is_representative[row]).collect();
            assert_eq!(chosen, [centroids.representative[index] as usize]);
            let mut sum = [0.0f32; 2];
            for row in members {
                let place = features.id.iter().position(|id| *id == row as u32).unwrap();
                let x = features.embedding.row(place);
                sum = [sum[0] + x[0], sum[1] + x[1]];
                let centre = centroids.centroid.row(index);
                let distance = (x[0] - centre[0]).hypot(x[1] - centre[1]);
                assert!((clusters.distance[row] - distance).abs() < 1e-4);
            }
            for (sum, centre) in sum.iter().zip(centroids.centroid.row(index)) {
                assert!((sum / 225.0 - centre).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bench = Bench::new();
    let params = json!({ "clusters": 9, "n_init": 2, "seed": 3 });
    let features = clumps(3000);
    let bytes = |features: &Embeddings, threads| {
        on_threads(threads, || bench.fit("gaussian-mixture", features, params.clone()).unwrap());
        (bench.bytes("clusters"), bench.bytes("centroids"))
    };
    let one = bytes(&features, 1);
    assert!(one == bytes(&features, 3));
    assert!(one == bytes(&reversed(features), 2));
}

#[test]
fn the_test_split_takes_part_only_if_it_is_named() {
    let bench = Bench::new();
    let params = json!({ "clusters": 2, "splits": ["test"], "reg_covar": 0.1 });
    let (clusters, _) = run(&bench, &clumps(100), params);
    assert_eq!(clusters.id, (90..100).collect::<Vec<u32>>());
}

#[test]
fn impossible_requests_name_their_numbers() {
    let bench = Bench::new();
    let fails = |features: &Embeddings, params: Value| {
        bench.fit("gaussian-mixture", features, params).unwrap_err()
    };
    let failure = fails(&clumps(20), json!({ "clusters": 19 }));
    assert_eq!(failure.code, "cluster::too_many_clusters");
    fails(&clumps(20), json!({ "clusters": 0 }));
    fails(&clumps(20), json!({}));
    fails(&clumps(20), json!({ "clusters": 2, "covariance": "tied" }));
    let mut flat = clumps(20);
    flat.embedding = Vectors::new(2, (0..20).flat_map(|row| [row as f32, 0.0]).collect());
    let failure = fails(&flat, json!({ "clusters": 1, "reg_covar": 0.0 }));
    assert_eq!(failure.code, "numeric::singular");
}
