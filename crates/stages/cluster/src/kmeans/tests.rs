use scarce_artifact::{Centroids, Clusters, Embeddings, EmbeddingsMeta, Split, Vectors};
use serde_json::{Value, json};

use crate::testing::{Bench, clumps, on_threads, reversed};

fn run(bench: &Bench, features: &Embeddings, params: Value) -> (Clusters, Centroids) {
    bench.fit("kmeans", features, params).unwrap();
    (bench.read("clusters"), bench.read("centroids"))
}

#[test]
fn clumps_become_clusters_with_one_representative_each() {
    let bench = Bench::new();
    let features = clumps(1000);
    let (clusters, centroids) = run(&bench, &features, json!({ "clusters": 4 }));
    assert_eq!(clusters.id, (0..900).collect::<Vec<u32>>());
    assert_eq!(centroids.size, [225; 4]);
    for row in 0..900 {
        assert_eq!(clusters.cluster[row], clusters.cluster[row % 4]);
    }
    for (index, &cluster) in centroids.cluster.iter().enumerate() {
        let members: Vec<usize> = (0..900).filter(|&r| clusters.cluster[r] == cluster).collect();
        let chosen: Vec<usize> =
            members.iter().copied().filter(|&row| clusters.is_representative[row]).collect();
        assert_eq!(chosen, [centroids.representative[index] as usize]);
        let nearest = clusters.distance[chosen[0]];
        assert!(members.iter().all(|&row| clusters.distance[row] >= nearest));
        let share =
            |limit: f32| members.iter().filter(|&&r| clusters.percentile[r] <= limit).count();
        // 225 members: 56 are the nearest quarter.
        assert_eq!((share(25.0), share(100.0)), (56, 225));
        let centre = centroids.centroid.row(index);
        let place = features.id.iter().position(|id| *id == members[0] as u32).unwrap();
        let x = features.embedding.row(place);
        let distance = (x[0] - centre[0]).hypot(x[1] - centre[1]);
        assert!((clusters.distance[members[0]] - distance).abs() < 1e-4);
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let bench = Bench::new();
    let params = json!({ "clusters": 12, "n_init": 2, "seed": 3 });
    let mut features = clumps(3000);
    let bytes = |features: &Embeddings, threads| {
        on_threads(threads, || bench.fit("kmeans", features, params.clone()).unwrap());
        (bench.bytes("clusters"), bench.bytes("centroids"))
    };
    let one = bytes(&features, 1);
    assert!(one == bytes(&features, 3));
    features = reversed(features);
    assert!(one == bytes(&features, 2));
    let other = run(&bench, &features, json!({ "clusters": 12, "n_init": 2, "seed": 4 })).0;
    assert!(bench.bytes("clusters") != one.0, "another seed, another start: {}", other.id.len());
}

#[test]
fn the_test_split_takes_part_only_if_it_is_named() {
    let bench = Bench::new();
    let params = json!({ "clusters": 2, "init": "random", "splits": ["test"] });
    let (clusters, _) = run(&bench, &clumps(100), params);
    assert_eq!(clusters.id, (90..100).collect::<Vec<u32>>());
    let params = json!({ "clusters": 2, "splits": ["train"] });
    assert_eq!(bench.fit("kmeans", &clumps(100), params).unwrap_err().code, "cluster::no_images");
}

#[test]
fn equal_images_leave_clusters_empty_and_out_of_the_table() {
    let bench = Bench::new();
    let mut features = clumps(20);
    features.embedding = Vectors::new(2, [1.0, 2.0].repeat(20));
    let (clusters, centroids) = run(&bench, &features, json!({ "clusters": 3 }));
    assert_eq!(centroids.size.iter().sum::<u32>(), 18);
    assert!(centroids.size.iter().all(|size| *size > 0));
    let representatives = clusters.is_representative.iter().filter(|is| **is).count();
    assert_eq!(representatives, centroids.cluster.len());
    // Of equally near images the smallest id.
    assert!(clusters.is_representative[0]);
}

#[test]
fn impossible_requests_name_their_numbers() {
    let bench = Bench::new();
    let failure = bench.fit("kmeans", &clumps(20), json!({ "clusters": 19 })).unwrap_err();
    assert_eq!(failure.code, "cluster::too_many_clusters");
    assert!(failure.message.contains("19") && failure.message.contains("18"));
    assert!(bench.fit("kmeans", &clumps(20), json!({ "clusters": 0 })).is_err());
    assert!(bench.fit("kmeans", &clumps(20), json!({})).is_err());
    assert!(bench.fit("kmeans", &clumps(20), json!({ "clusters": 2, "n_init": 0 })).is_err());
    let mut twice = clumps(20);
    twice.id[0] = twice.id[1];
    twice.split = vec![Split::Pool; 20];
    let failure = bench.fit("kmeans", &twice, json!({ "clusters": 2 })).unwrap_err();
    assert_eq!(failure.code, "artifact::value");
}

#[test]
fn a_number_that_is_not_one_is_named() {
    let bench = Bench::new();
    let mut features = clumps(20);
    features.embedding.values[9] = f32::INFINITY;
    let failure = bench.fit("kmeans", &features, json!({ "clusters": 2 })).unwrap_err();
    assert_eq!(failure.code, "artifact::value");
    assert!(failure.message.contains("row 4"), "{}", failure.message);
}

#[test]
fn centroids_say_what_was_clustered() {
    let bench = Bench::new();
    let meta = EmbeddingsMeta { origin: "pca".to_owned(), ..EmbeddingsMeta::default() };
    bench.write("codes", &meta, clumps(100));
    bench.run("kmeans", json!({ "clusters": 4 }), &[("features", "codes")]).unwrap();
    assert_eq!(bench.open::<Centroids>("centroids").meta().features, "pca");
}
