use scarce_artifact::{Classes, Empty, Images, ImagesMeta, Shape, Split, Vectors};
use serde_json::json;

use super::*;
use crate::testing::{Bench, assert_failure};

/// 40 images with ids 100..140; class = id % 3, with a fourth class that nobody has; every fifth
/// image is for testing.
fn bench() -> Bench {
    bench_of(&["a", "b", "c"])
}

fn bench_of(classes: &[&str]) -> Bench {
    let mut bench = Bench::new();
    let id: Vec<u32> = (100..140).collect();
    let split = |&id: &u32| if id % 5 == 0 { Split::Test } else { Split::Train };
    let images = Images {
        split: id.iter().map(split).collect(),
        source: id.iter().map(|id| format!("{id}.png")).collect(),
        pixels: Vectors::new(1, vec![0; 40]),
        id: id.clone(),
    };
    let shape = Shape { height: 1, width: 1, channels: 1 };
    bench.wire("images", ImagesMeta { shape, ..ImagesMeta::default() }, images);
    let label = id.iter().map(|id| (id % 3) as i32).collect();
    bench.wire("truth", Classes::new(classes.to_vec()), Truth { id, label });
    bench
}

fn run(bench: &Bench, params: serde_json::Value) -> Vec<u32> {
    bench.run("budget", params).unwrap();
    let (labels, meta) = bench.output::<Labels>("labels");
    assert_eq!(meta.classes.len(), 3);
    assert!(labels.id.is_sorted());
    assert!(labels.id.iter().zip(&labels.label).all(|(id, label)| (id % 3) as i32 == *label));
    assert!(labels.id.iter().all(|id| id % 5 != 0), "a test image was labelled");
    assert!(labels.confidence.iter().all(|&confidence| confidence == 1.0));
    labels.id
}

mod per_class {
    use super::*;

    #[test]
    fn gives_as_many_of_each() {
        let ids = run(&bench(), json!({ "per_class": 4 }));
        for class in 0..3 {
            assert_eq!(ids.iter().filter(|&&id| id % 3 == class).count(), 4);
        }
    }

    #[test]
    fn is_nested_and_depends_on_the_seed() {
        let bench = bench();
        let one = run(&bench, json!({ "per_class": 1, "seed": 3 }));
        let five = run(&bench, json!({ "per_class": 5, "seed": 3 }));
        assert!(one.iter().all(|id| five.contains(id)));
        assert_eq!(one, run(&bench, json!({ "per_class": 1, "seed": 3 })));
        let others: Vec<_> =
            (4..9).map(|seed| run(&bench, json!({ "per_class": 1, "seed": seed }))).collect();
        assert!(others.iter().any(|other| other != &one));
    }

    #[test]
    fn does_not_let_one_class_disturb_another() {
        let image_index = |ids: &[u32]| ImageIndex {
            id: ids.to_vec(),
            split: vec![Split::Pool; ids.len()],
            ..ImageIndex::default()
        };
        let classes = ["a".to_owned(), "b".to_owned()];
        let of_a = |n: u32| {
            let id: Vec<u32> = (0..20 + n).collect();
            let label = id.iter().map(|&id| i32::from(id >= 20)).collect();
            let all = LabellingPool::new(
                Truth { id: id.clone(), label },
                &classes,
                Some(&image_index(&id)),
            )
            .unwrap();
            let mut ids = all.per_class(3, 7).unwrap();
            ids.retain(|&id| id < 20);
            ids
        };
        assert_eq!(of_a(3), of_a(50));
    }

    #[test]
    fn says_which_class_is_short() {
        assert_failure(
            bench().run("budget", json!({ "per_class": 12 })),
            "ingest::too_few",
            &["`per_class = 12`", "class `a` has 10"],
        );
    }

    #[test]
    fn says_which_class_has_no_image() {
        assert_failure(
            bench_of(&["a", "b", "c", "ghost"]).run("budget", json!({ "per_class": 1 })),
            "ingest::too_few",
            &["the class `ghost` has no image"],
        );
    }
}

#[test]
fn random_and_fraction_are_nested_and_counted() {
    let bench = bench();
    let few = run(&bench, json!({ "random": 5 }));
    let more = run(&bench, json!({ "fraction": 0.25 }));
    assert_eq!((few.len(), more.len()), (5, 8));
    assert!(few.iter().all(|id| more.contains(id)));
    assert_eq!(run(&bench, json!({ "random": 32 })).len(), 32);
    assert_failure(
        bench.run("budget", json!({ "random": 33 })),
        "ingest::too_few",
        &["33", "there are 32"],
    );
    for fraction in [0.0, -1.0, 1.5] {
        assert!(bench.run("budget", json!({ "fraction": fraction })).is_err());
    }
}

mod listed {
    use super::*;

    #[test]
    fn ids_are_taken_as_they_are() {
        assert_eq!(run(&bench(), json!({ "ids": [139, 101] })), [101, 139]);
        assert_eq!(run(&bench(), json!({ "ids": [139, 101], "first": 1 })), [139]);
    }

    #[test]
    fn a_file_keeps_its_order_for_first() {
        let bench = bench();
        for text in ["index\n139\n101\n102\n", "139\n101\n102\n", "x,id\n0,139\n0,101\n0,102\n"] {
            let path = bench.file("ids.csv", text);
            assert_eq!(run(&bench, json!({ "ids_path": path, "first": 2 })), [101, 139], "{text}");
        }
        let path = bench.file("ids.csv", "101\nx7\n");
        assert_failure(
            bench.run("budget", json!({ "ids_path": path })),
            "ingest::value",
            &["line 2", "`x7`"],
        );
        let path = bench.file("ids.csv", "101\n");
        assert_failure(
            bench.run("budget", json!({ "ids_path": path, "first": 2 })),
            "ingest::too_few",
            &["holds 1"],
        );
        let path = bench.file("ids.csv", "");
        assert!(bench.run("budget", json!({ "ids_path": path })).is_err());
    }

    #[test]
    fn what_cannot_be_labelled_is_named() {
        for (ids, words) in [
            (json!([99]), "no such image"),
            (json!([105]), "`test` split"),
            (json!([101, 101]), "listed twice"),
            (json!([]), "no label"),
        ] {
            let failure = bench().run("budget", json!({ "ids": ids })).unwrap_err();
            assert!(failure.message.contains(words), "{failure:?}");
        }
    }

    #[test]
    fn representatives_of_clusters() {
        let mut bench = bench();
        let clusters = Clusters {
            id: vec![101, 102, 103],
            cluster: vec![0, 0, 1],
            distance: vec![0.0; 3],
            percentile: vec![0.0; 3],
            is_representative: vec![false, true, true],
        };
        bench.wire("clusters", Empty {}, clusters);
        assert_eq!(run(&bench, json!({})), [102, 103]);
        assert_failure(
            bench.run("budget", json!({ "random": 2 })),
            "ingest::request",
            &["`random` and `clusters`"],
        );
    }

    #[test]
    fn queries_by_rank() {
        let mut bench = bench();
        let queries = Queries {
            id: vec![101, 102, 103],
            rank: vec![2, 0, 1],
            score: vec![0.0; 3],
            strategy: vec!["entropy".to_owned(); 3],
        };
        bench.wire("queries", Empty {}, queries);
        assert_eq!(run(&bench, json!({ "first": 2 })), [102, 103]);
        assert_eq!(run(&bench, json!({})), [101, 102, 103]);
    }
}

#[test]
fn there_is_exactly_one_way_of_choosing() {
    let bench = bench();
    assert_failure(bench.run("budget", json!({})), "ingest::request", &["exactly one"]);
    assert_failure(
        bench.run("budget", json!({ "random": 1, "per_class": 1 })),
        "ingest::request",
        &["`per_class` and `random`"],
    );
    assert!(bench.run("budget", json!({ "random": 1, "first": 1 })).is_err());
    assert!(bench.run("budget", json!({ "randon": 1 })).is_err());
}

#[test]
fn truth_without_images_or_of_other_images_is_refused() {
    let mut bench = Bench::new();
    bench.wire("truth", Classes::new(["a"]), Truth { id: vec![0], label: vec![0] });
    assert_failure(bench.run("budget", json!({ "random": 1 })), "ingest::request", &["`images`"]);
    let mut bench = super::tests::bench();
    bench.wire("truth", Classes::new(["a"]), Truth { id: vec![0], label: vec![0] });
    assert_failure(bench.run("budget", json!({ "random": 1 })), "ingest::request", &["id 0"]);
}
