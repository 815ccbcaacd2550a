//! The kind run on small tables. Known answers: `fixtures/make_fixtures.py`.

pub(crate) mod testing;

use scarce_artifact::{
    Classes, Distributions, Embeddings, EmbeddingsMeta, LabelSource, Labels, Predictions, Queries,
    Split, Vectors,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use testing::Bench;

const UNCERTAIN: [&str; 3] = ["entropy", "margin", "least-confidence"];

fn distributions(classes: usize, ids: &[u32], probabilities: &[f32]) -> Distributions {
    let n = ids.len();
    let reached: Vec<bool> =
        probabilities.chunks(classes).map(|row| row.iter().any(|&p| p > 0.0)).collect();
    Distributions {
        id: ids.to_vec(),
        label: reached.iter().map(|reached| reached.then_some(0)).collect(),
        probabilities: Vectors::new(classes, probabilities.to_vec()),
        // The query looks at the probabilities alone.
        entropy: vec![0.0; n],
        margin: vec![0.0; n],
        reached,
    }
}

fn names(classes: usize) -> Classes {
    Classes::new((0..classes).map(|class| class.to_string()))
}

fn labels(ids: &[u32], source: LabelSource) -> Labels {
    let n = ids.len();
    Labels {
        id: ids.to_vec(),
        label: vec![0; n],
        source: vec![source; n],
        confidence: vec![1.0; n],
    }
}

/// Ids from 0, every fifth for testing.
fn embeddings(n: u32) -> Embeddings {
    Embeddings {
        id: (0..n).collect(),
        split: (0..n).map(|id| if id % 5 == 0 { Split::Test } else { Split::Train }).collect(),
        embedding: Vectors::new(1, vec![0.0; n as usize]),
    }
}

fn asked(bench: &Bench, params: Value) -> Queries {
    let strategy = params["strategy"].as_str().unwrap_or("entropy").to_owned();
    bench.run(params).unwrap();
    let queries = bench.read();
    assert!(queries.rank.iter().copied().eq(0..queries.id.len() as u32));
    assert!(queries.strategy.iter().all(|found| *found == strategy));
    queries
}

fn ids(bench: &Bench, params: Value) -> Vec<u32> {
    asked(bench, params).id
}

fn fixture<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

mod known_answers {
    use std::collections::HashMap;

    use super::*;

    #[derive(Deserialize)]
    struct Active {
        ids: Vec<u32>,
        probabilities: Vec<f32>,
        labelled: Vec<u32>,
        asked: Vec<u32>,
        entropy: Vec<f64>,
    }

    #[test]
    fn the_digits_that_label_spreading_is_least_sure_of() {
        let known: Active = fixture(include_str!("../fixtures/active.json"));
        let mut bench = Bench::new();
        let beliefs = distributions(10, &known.ids, &known.probabilities);
        bench.wire("distributions", names(10), beliefs);
        bench.wire("labels", names(10), labels(&known.labelled, LabelSource::Given));
        let queries = asked(&bench, json!({}));
        assert_eq!(queries.id, known.asked);
        for (score, expected) in queries.score.iter().zip(&known.entropy) {
            assert!((f64::from(*score) - expected).abs() < 1e-6, "{score} {expected}");
        }
    }

    #[derive(Deserialize)]
    struct Drawn {
        classes: usize,
        probabilities: Vec<f32>,
        ranked: HashMap<String, Vec<u32>>,
        scores: HashMap<String, Vec<f64>>,
    }

    #[test]
    fn the_whole_ranking_by_each_measure() {
        let known: Drawn = fixture(include_str!("../fixtures/drawn.json"));
        let all: Vec<u32> = (0..60).collect();
        let mut bench = Bench::new();
        let beliefs = distributions(known.classes, &all, &known.probabilities);
        bench.wire("distributions", names(known.classes), beliefs);
        for strategy in UNCERTAIN {
            let queries = asked(&bench, json!({ "strategy": strategy, "batch": 60 }));
            assert_eq!(queries.id, known.ranked[strategy], "{strategy}");
            for (score, expected) in queries.score.iter().zip(&known.scores[strategy]) {
                assert!((f64::from(*score) - expected).abs() < 1e-6, "{strategy}");
            }
        }
    }
}

mod first_come {
    use super::*;

    #[test]
    fn the_smaller_ids_of_equals() {
        let mut bench = Bench::new();
        let shares = [0.5, 0.5, 0.25, 0.75, 0.5, 0.5, 0.75, 0.25];
        bench.wire("distributions", names(2), distributions(2, &[9, 8, 3, 2], &shares));
        for strategy in UNCERTAIN {
            assert_eq!(ids(&bench, json!({ "strategy": strategy, "batch": 3 })), [3, 9, 2]);
        }
    }

    #[test]
    fn those_that_nothing_reached() {
        let mut bench = Bench::new();
        let beliefs = distributions(
            3,
            &[0, 1, 2, 3],
            &[0.3, 0.3, 0.4, 0.0, 0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.0],
        );
        bench.wire("distributions", names(3), beliefs);
        for strategy in UNCERTAIN {
            let queries = asked(&bench, json!({ "strategy": strategy, "batch": 4 }));
            assert_eq!(queries.id, [1, 3, 2, 0], "{strategy}");
            assert!(queries.score.is_sorted_by(|a, b| a >= b), "{strategy} {:?}", queries.score);
        }
    }

    #[test]
    fn as_many_as_there_are() {
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &[4, 7], &[0.9, 0.1, 0.6, 0.4]));
        assert_eq!(ids(&bench, json!({ "batch": 5 })), [7, 4]);
        bench.wire("labels", names(2), labels(&[4, 7], LabelSource::Human));
        assert!(ids(&bench, json!({ "batch": 5 })).is_empty());
    }
}

mod never_asked_for_are {
    use super::*;

    #[test]
    fn images_with_a_label_of_anybody() {
        let all: Vec<u32> = (1..5).collect();
        let shares = [0.5, 0.5].repeat(4);
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &all, &shares));
        bench.wire("labels", names(2), labels(&[1], LabelSource::Given));
        bench.also("labels", names(2), labels(&[3], LabelSource::Queried));
        assert_eq!(ids(&bench, json!({})), [2, 4]);
        bench.also("labels", names(2), labels(&[2], LabelSource::Human));
        // What a propagation says of an image leaves it open.
        bench.also("labels", names(2), labels(&[4], LabelSource::Propagated));
        assert_eq!(ids(&bench, json!({})), [4]);
    }

    #[test]
    fn test_images_whoever_knows_them() {
        let all: Vec<u32> = (0..10).collect();
        let shares = [0.5, 0.5].repeat(10);
        let split: Vec<Split> =
            all.iter().map(|id| if id % 5 == 0 { Split::Test } else { Split::Pool }).collect();
        let mut bench = Bench::new();
        let predictions = Predictions {
            id: all.clone(),
            split,
            label: vec![0; 10],
            probabilities: Vectors::new(2, shares.clone()),
        };
        bench.wire("predictions", names(2), predictions);
        let expected = [1, 2, 3, 4, 6, 7, 8, 9];
        assert_eq!(ids(&bench, json!({ "batch": 20 })), expected);

        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &all, &shares));
        bench.wire("embeddings", EmbeddingsMeta::default(), embeddings(10));
        assert_eq!(ids(&bench, json!({ "batch": 20 })), expected);
    }
}

mod without_beliefs {
    use super::*;

    fn bench(n: u32) -> Bench {
        let mut bench = Bench::new();
        bench.wire("embeddings", EmbeddingsMeta::default(), embeddings(n));
        bench
    }

    #[test]
    fn in_order_takes_the_smallest_ids() {
        let mut bench = bench(20);
        let params = json!({ "strategy": "in-order", "batch": 4 });
        assert_eq!(ids(&bench, params.clone()), [1, 2, 3, 4]);
        bench.wire("labels", names(2), labels(&[2, 3], LabelSource::Given));
        assert_eq!(ids(&bench, params), [1, 4, 6, 7]);
    }

    #[test]
    fn random_goes_on_through_one_order() {
        let mut bench = bench(500);
        let params =
            |batch: u32, seed: u64| json!({ "strategy": "random", "batch": batch, "seed": seed });
        let ten = asked(&bench, params(10, 3));
        assert!(ten.score.is_sorted_by(|a, b| a >= b));
        assert!(ten.id.iter().all(|id| id % 5 != 0));
        let twenty = ids(&bench, params(20, 3));
        assert_eq!(twenty[..10], ten.id);
        bench.wire("labels", names(2), labels(&ten.id, LabelSource::Queried));
        assert_eq!(ids(&bench, params(10, 3)), twenty[10..]);
        assert_ne!(ids(&bench, params(10, 4)), twenty[10..]);
    }

    #[test]
    fn random_is_fair() {
        let bench = bench(50);
        let mut counts = [0; 50];
        for seed in 0..200 {
            for id in ids(&bench, json!({ "strategy": "random", "batch": 10, "seed": seed })) {
                counts[id as usize] += 1;
            }
        }
        // 50 expected of each of 40; four standard deviations are 25.
        let drawn = counts.iter().enumerate().filter(|(id, _)| id % 5 != 0);
        assert!(drawn.clone().all(|(_, count)| (25..75).contains(count)), "{counts:?}");
    }

    #[test]
    fn candidates_may_come_from_distributions() {
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &[5, 3], &[1.0, 0.0, 0.5, 0.5]));
        assert_eq!(ids(&bench, json!({ "strategy": "in-order" })), [3, 5]);
    }
}

mod diverse_batches {
    use super::*;

    /// 60 images in three groups; those of the first are the least sure of.
    fn grouped(turned: bool) -> Bench {
        let mut all: Vec<u32> = (0..60).collect();
        if turned {
            all.reverse();
        }
        let share = |id: &u32| 0.5 + [0.0, 0.2, 0.3][*id as usize % 3] + *id as f32 / 1000.0;
        let shares: Vec<f32> = all.iter().flat_map(|id| [share(id), 1.0 - share(id)]).collect();
        let place = |id: &u32| [0.0, 50.0, 90.0][*id as usize % 3] + (*id / 3) as f32 / 10.0;
        let table = Embeddings {
            id: all.clone(),
            split: vec![Split::Pool; 60],
            embedding: Vectors::new(1, all.iter().map(place).collect()),
        };
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &all, &shares));
        bench.wire("embeddings", EmbeddingsMeta::default(), table);
        bench
    }

    #[test]
    fn come_from_every_group() {
        let bench = grouped(false);
        assert!(ids(&bench, json!({ "batch": 6 })).iter().all(|id| id % 3 == 0));
        for strategy in UNCERTAIN {
            bench.run(json!({ "strategy": strategy, "batch": 6, "diverse": true })).unwrap();
            let queries = bench.read();
            assert_eq!(queries.strategy, vec![format!("diverse-{strategy}"); 6]);
            assert!(queries.score.is_sorted_by(|a, b| a >= b));
            let groups: std::collections::HashSet<u32> =
                queries.id.iter().map(|id| id % 3).collect();
            assert_eq!((queries.id.len(), groups.len()), (6, 3), "{strategy}");
        }
        let bytes = bench.bytes();
        let turned = grouped(true);
        turned.run(json!({ "strategy": "least-confidence", "batch": 6, "diverse": true })).unwrap();
        assert!(bytes == turned.bytes());
    }

    #[test]
    fn look_only_at_the_most_wanted() {
        // Ten times 2 are all of the first group.
        let bench = grouped(false);
        bench.run(json!({ "batch": 2, "diverse": true })).unwrap();
        let queries = bench.read();
        assert!(queries.id.len() == 2 && queries.id.iter().all(|id| id % 3 == 0));
        bench.run(json!({ "batch": 90, "diverse": true })).unwrap();
        assert_eq!(bench.read().id.len(), 60);
    }

    #[test]
    fn need_embeddings_and_beliefs() {
        let bench = grouped(false);
        let refused = |bench: &Bench, params: Value, code: &str| {
            assert_eq!(bench.run(params).unwrap_err().code, code);
        };
        let idle = json!({ "strategy": "random", "diverse": true });
        refused(&bench, idle, "query::request");
        let mut bare = Bench::new();
        bare.wire("predictions", names(2), predicted(&[1, 2]));
        refused(&bare, json!({ "diverse": true }), "query::request");
        let images = scarce_artifact::Images {
            id: vec![1, 2],
            split: vec![Split::Pool; 2],
            source: vec![String::new(); 2],
            pixels: Vectors::new(1, vec![0; 2]),
        };
        let shape = scarce_artifact::Shape { height: 1, width: 1, channels: 1 };
        let meta = scarce_artifact::ImagesMeta { shape, ..Default::default() };
        bare.wire("images", meta, images);
        let mut table = embeddings(2);
        table.id = vec![2, 3];
        bare.wire("embeddings", EmbeddingsMeta::default(), table);
        refused(&bare, json!({ "diverse": true }), "query::no_embedding");
    }

    fn predicted(ids: &[u32]) -> Predictions {
        Predictions {
            id: ids.to_vec(),
            split: vec![Split::Pool; ids.len()],
            label: vec![0; ids.len()],
            probabilities: Vectors::new(2, [0.5, 0.5].repeat(ids.len())),
        }
    }
}

#[test]
fn the_order_of_rows_changes_no_byte() {
    let bytes = |backwards: bool| {
        let mut all: Vec<u32> = (0..40).collect();
        let mut given = vec![3, 8, 21];
        if backwards {
            all.reverse();
            given.reverse();
        }
        let shares: Vec<f32> = all
            .iter()
            .flat_map(|id| [(id % 7) as f32 / 10.0, 1.0 - (id % 7) as f32 / 10.0])
            .collect();
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &all, &shares));
        bench.wire("labels", names(2), labels(&given, LabelSource::Given));
        bench.run(json!({ "batch": 15 })).unwrap();
        bench.bytes()
    };
    assert!(bytes(false) == bytes(true));
}

mod refused_are {
    use super::*;

    fn refused(bench: &Bench, params: Value, code: &str, word: &str) {
        let failure = bench.run(params).unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(failure.message.contains(word), "{failure:?}");
    }

    #[test]
    fn wires_that_do_not_fit_together() {
        let mut bench = Bench::new();
        refused(&bench, json!({}), "query::request", "`strategy = \"entropy\"`");
        refused(&bench, json!({ "strategy": "random" }), "query::request", "which images");
        bench.wire("distributions", names(2), distributions(2, &[1], &[0.5, 0.5]));
        refused(&bench, json!({ "batch": 0 }), "query::request", "`batch` is 0");
        let predictions = Predictions {
            id: vec![1],
            split: vec![Split::Pool],
            label: vec![0],
            probabilities: Vectors::new(2, vec![0.5, 0.5]),
        };
        bench.wire("predictions", names(2), predictions);
        refused(&bench, json!({}), "query::request", "both wired");
        assert!(bench.run(json!({ "strategy": "entrpy" })).is_err());
    }

    #[test]
    fn tables_that_cannot_be() {
        let mut bench = Bench::new();
        bench.wire("distributions", names(2), distributions(2, &[1, 1], &[0.5; 4]));
        refused(&bench, json!({}), "artifact::value", "1 occurs twice");
        bench.wire("distributions", names(2), distributions(2, &[1], &[1.5, -0.5]));
        refused(&bench, json!({}), "artifact::value", "the probability of class 0 is 1.5");
        bench.wire("distributions", names(2), distributions(2, &[90], &[0.5, 0.5]));
        bench.wire("embeddings", EmbeddingsMeta::default(), embeddings(10));
        refused(&bench, json!({}), "query::unknown_image", "image 90");
    }
}
