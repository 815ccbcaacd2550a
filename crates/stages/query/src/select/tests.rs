//! The kind run on small tables. Known answers: the fixtures of the algorithms.

use scarce_artifact::{
    Classes, Clusters, Embeddings, EmbeddingsMeta, Empty, Images, ImagesMeta, LabelSource, Labels,
    Metric, Queries, Shape, Split, Vectors,
};
use scarce_numeric::Matrix;
use scarce_selection as selection;
use scarce_testing::digits;
use serde_json::{Value, json};

use crate::tests::testing::Bench;

const ALL: [&str; 4] = ["max-herding", "typiclust", "core-set", "representatives"];

/// The id of a digit: larger for later ones.
fn id(row: usize) -> u32 {
    3 * row as u32 + 1
}

/// The first `n` digits, backwards, each followed by a test image that lies far out.
fn embeddings(n: usize) -> Embeddings {
    let digits = digits();
    let mut table = Embeddings {
        id: Vec::new(),
        split: Vec::new(),
        embedding: Vectors::new(digits.cols, Vec::new()),
    };
    for row in (0..n).rev() {
        table.id.extend([id(row), id(row) + 1]);
        table.split.extend([Split::Train, Split::Test]);
        table
            .embedding
            .values
            .extend_from_slice(&digits.pixels[row * digits.cols..][..digits.cols]);
        table.embedding.values.extend((0..digits.cols).map(|at| ((row + at) % 7) as f32 * 1e4));
    }
    table
}

fn labels(rows: &[usize], source: LabelSource) -> Labels {
    Labels {
        id: rows.iter().map(|&row| id(row)).collect(),
        label: vec![0; rows.len()],
        source: vec![source; rows.len()],
        confidence: vec![1.0; rows.len()],
    }
}

fn names() -> Classes {
    Classes::new(["a"])
}

fn bench(n: usize, labelled: &[usize]) -> Bench {
    let mut bench = Bench::new();
    bench.wire("embeddings", EmbeddingsMeta::default(), embeddings(n));
    bench.wire("labels", names(), labels(labelled, LabelSource::Given));
    bench
}

fn chosen(bench: &Bench, params: Value) -> Queries {
    let strategy = params["strategy"].as_str().unwrap_or("max-herding").to_owned();
    bench.run_kind("select", params).unwrap();
    let queries = bench.read();
    assert!(queries.rank.iter().copied().eq(0..queries.id.len() as u32));
    assert!(queries.strategy.iter().all(|found| *found == strategy));
    queries
}

fn rows(bench: &Bench, params: Value) -> Vec<usize> {
    let row = |&image: &u32| {
        assert_eq!(image % 3, 1, "a test image");
        image as usize / 3
    };
    chosen(bench, params).id.iter().map(row).collect()
}

fn clusters(of: &[u32]) -> Clusters {
    let n = of.len();
    Clusters {
        id: (0..n).rev().map(id).collect(),
        // Names need neither be dense nor positive.
        cluster: of.iter().rev().map(|&cluster| 5 * cluster as i32 - 20).collect(),
        distance: vec![0.0; n],
        percentile: vec![50.0; n],
        is_representative: (0..n).map(|at| !of[n - at..].contains(&of[n - 1 - at])).collect(),
    }
}

mod known_answers {
    use super::*;

    #[test]
    fn typical_digits_are_those_of_the_papers_algorithm() {
        let known: scarce_testing::Typical = scarce_testing::read("typical");
        for case in known.cases {
            let mut bench = bench(600, &case.labelled);
            bench.wire("clusters", Empty {}, clusters(&known.clusters));
            let params = json!({ "strategy": "typiclust", "batch": case.count });
            assert_eq!(rows(&bench, params), case.picks);
        }
    }

    #[test]
    fn the_others_are_what_the_kernels_pick_without_test_images() {
        let digits = digits();
        let x = Matrix::new(&digits.pixels[..200 * digits.cols], 200, digits.cols).unwrap();
        let how = selection::MaxHerding { bandwidth: None, seed: 5 };
        let wide = selection::MaxHerding { bandwidth: Some(9.0), seed: 5 };
        for labelled in [&[] as &[usize], &[3, 50, 51]] {
            let bench = bench(200, labelled);
            let same = |params: Value, picks: Vec<selection::Pick>| {
                let found = chosen(&bench, params);
                let expected: Vec<u32> = picks.iter().map(|pick| id(pick.row)).collect();
                assert_eq!(found.id, expected);
                let scores = picks.iter().map(|pick| pick.score as f32);
                assert!(found.score.iter().copied().eq(scores));
            };
            let herding = |how| selection::max_herding(x, labelled, 12, how).unwrap();
            same(json!({ "batch": 12, "seed": 5 }), herding(how));
            same(json!({ "batch": 12, "bandwidth": 9.0 }), herding(wide));
            let picks = selection::core_set(x, labelled, 12).unwrap();
            same(json!({ "batch": 12, "strategy": "core-set" }), picks);
            let picks = selection::representatives(x, labelled, 12, 10, 2).unwrap();
            same(json!({ "batch": 12, "strategy": "representatives", "seed": 2 }), picks);
        }
    }
}

mod every_strategy {
    use super::*;

    #[test]
    fn asks_nobody_twice_and_goes_on_to_the_end() {
        let mut bench = bench(40, &[7, 8]);
        bench.also("labels", names(), labels(&[9], LabelSource::Queried));
        bench.also("labels", names(), labels(&[10], LabelSource::Propagated));
        for strategy in ALL {
            let params = json!({ "strategy": strategy, "batch": 60 });
            let mut found = rows(&bench, params);
            found.sort_unstable();
            let open: Vec<usize> = (0..40).filter(|row| ![7, 8, 9].contains(row)).collect();
            assert_eq!(found, open, "{strategy}");
        }
    }

    #[test]
    fn has_nothing_to_ask_where_all_is_labelled_or_for_testing() {
        let all: Vec<usize> = (0..20).collect();
        let labelled = bench(20, &all);
        let mut testing = Bench::new();
        let mut table = embeddings(20);
        table.split = vec![Split::Test; 40];
        testing.wire("embeddings", EmbeddingsMeta::default(), table);
        for strategy in ALL {
            let params = json!({ "strategy": strategy });
            assert!(rows(&labelled, params.clone()).is_empty());
            assert!(rows(&testing, params).is_empty());
        }
    }

    #[test]
    fn believes_the_images_about_what_is_for_testing() {
        let mut bench = bench(30, &[]);
        let ids = embeddings(30).id;
        let split = |&image: &u32| {
            // Digits 10 to 29 are for testing too; what the embeddings hold back stays so.
            if (image as usize) < 30 { Split::Pool } else { Split::Test }
        };
        let images = Images {
            split: ids.iter().map(split).collect(),
            source: vec![String::new(); ids.len()],
            pixels: Vectors::new(1, vec![0; ids.len()]),
            id: ids,
        };
        let shape = Shape { height: 1, width: 1, channels: 1 };
        bench.wire("images", ImagesMeta { shape, ..ImagesMeta::default() }, images);
        for strategy in ALL {
            let mut found = rows(&bench, json!({ "strategy": strategy, "batch": 50 }));
            found.sort_unstable();
            assert!(found.into_iter().eq(0..10), "{strategy}");
        }
    }

    #[test]
    fn gives_the_same_bytes_on_any_threads_and_in_any_order() {
        let bytes = |strategy: &str, threads: usize, turned: bool| {
            let mut bench = Bench::new();
            let mut table = embeddings(300);
            if turned {
                table.id.reverse();
                table.split.reverse();
                let vectors = table.embedding.values.rchunks_exact(table.embedding.width);
                table.embedding = Vectors::new(64, vectors.flatten().copied().collect());
            }
            bench.wire("embeddings", EmbeddingsMeta::default(), table);
            let params = json!({ "strategy": strategy, "batch": 25, "seed": 3 });
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bench.run_kind("select", params).unwrap());
            bench.bytes()
        };
        for strategy in ALL {
            let one = bytes(strategy, 1, false);
            assert!(one == bytes(strategy, 3, false), "{strategy}");
            assert!(one == bytes(strategy, 2, true), "{strategy}");
        }
    }
}

#[test]
fn lengths_do_not_matter_where_the_cosine_is_meant() {
    let ids = |factor: f32, metric: Metric| {
        let mut table = embeddings(100);
        for (row, vector) in table.embedding.values.chunks_exact_mut(64).enumerate() {
            // Powers of two: scaling back is exact.
            let length = if row % 3 == 0 { factor } else { 1.0 };
            for value in vector.iter_mut() {
                *value *= length;
            }
        }
        let mut bench = Bench::new();
        let meta = EmbeddingsMeta { metric, ..EmbeddingsMeta::default() };
        bench.wire("embeddings", meta, table);
        rows(&bench, json!({ "strategy": "core-set" }))
    };
    assert_eq!(ids(1.0, Metric::Cosine), ids(32.0, Metric::Cosine));
    assert_ne!(ids(1.0, Metric::Euclidean), ids(32.0, Metric::Euclidean));
}

mod refused_are {
    use super::*;

    fn refused(bench: &Bench, params: Value, code: &str, word: &str) {
        let failure = bench.run_kind("select", params).unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(failure.message.contains(word), "{failure:?}");
    }

    #[test]
    fn parameters_that_make_no_sense() {
        let bench = bench(20, &[]);
        refused(&bench, json!({ "batch": 0 }), "query::request", "`batch` is 0");
        refused(&bench, json!({ "n_init": 0 }), "query::request", "`n_init` is 0");
        refused(&bench, json!({ "bandwidth": 0.0 }), "query::request", "`bandwidth` is 0");
        let idle = json!({ "bandwidth": 1.0, "strategy": "core-set" });
        refused(&bench, idle, "query::request", "no use");
        assert!(bench.run_kind("select", json!({ "strategy": "herding" })).is_err());
        assert!(Bench::new().run_kind("select", json!({})).is_err(), "no embeddings");
    }

    #[test]
    fn tables_that_do_not_fit() {
        let mut bench = bench(20, &[]);
        let params = json!({ "strategy": "typiclust" });
        bench.wire("clusters", Empty {}, clusters(&[0; 19]));
        refused(&bench, params.clone(), "query::unclustered", "image 58");
        let mut twice = clusters(&[0; 20]);
        twice.id[3] = twice.id[4];
        bench.wire("clusters", Empty {}, twice);
        refused(&bench, params, "artifact::value", "twice");
        let mut table = embeddings(20);
        table.id[0] = table.id[2];
        bench.wire("embeddings", EmbeddingsMeta::default(), table);
        refused(&bench, json!({}), "artifact::value", "twice");
    }
}
