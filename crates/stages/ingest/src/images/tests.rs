use std::{path::PathBuf, sync::Arc};

use ::image::ImageFormat;
use arrow::{
    array::{
        ArrayRef, BinaryArray, FixedSizeListArray, Int64Array, StringArray, StructArray, UInt8Array,
    },
    datatypes::{DataType, Field, Fields, Schema},
};
use scarce_artifact::{Classes, Empty, ImagesMeta, RawWriter, Shape, digest_file};
use serde_json::{Value, json};

use self::made::{bomb, encode, folder_of, grey, rgb};
use super::{
    idx::tests::{gzip, idx_bytes},
    *,
};
use crate::testing::{Bench, assert_failure};

pub(crate) mod made;
mod photographs;

fn run(bench: &Bench, params: Value) -> (Images, ImagesMeta) {
    bench.run("ingest", params).unwrap();
    let (images, meta) = bench.output::<Images>("images");
    assert!(images.id.is_sorted_by(|a, b| a < b));
    assert_eq!(images.pixels.width, meta.shape.pixels());
    (images, meta)
}

/// Where the real data sets lie, if anywhere.
pub(crate) fn test_data() -> Option<PathBuf> {
    let beside = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../..");
        Some(root.join("shared/data"))
    };
    let found = std::env::var_os("SCARCE_TEST_DATA").map(PathBuf::from).or_else(beside)?;
    found.join("mnist").is_dir().then_some(found)
}

mod digits_are {
    use super::*;

    #[test]
    fn a_pool_with_truth() {
        let bench = Bench::new();
        let (images, meta) = run(&bench, json!({ "dataset": "digits" }));
        assert!(images.id.iter().copied().eq(0..1797));
        assert_eq!(images.source[1796], "1796");
        assert!(images.split.iter().all(|&split| split == Split::Pool));
        assert_eq!(images.pixels.row(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
        assert_eq!((meta.max_value, meta.dataset.as_str()), (16, "digits"));
        assert_eq!(meta.shape, Shape { height: 8, width: 8, channels: 1 });
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!(truth.label[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(classes.len(), 10);
    }

    #[test]
    fn split_and_thinned_out_on_request_with_the_same_bytes_each_time() {
        let digest = || {
            let bench = Bench::new();
            let params = json!({ "dataset": "digits", "test_fraction": 0.2, "limit": 100,
                "seed": 1 });
            let (images, _) = run(&bench, params);
            let test = images.split.iter().filter(|&&split| split == Split::Test).count();
            assert_eq!((test, images.id.len()), (100, 200));
            assert!(images.id.iter().copied().eq(0..200));
            digest_file(&bench.output_path("images")).unwrap()
        };
        assert_eq!(digest(), digest());
    }

    #[test]
    fn resized_and_coloured_on_request() {
        let bench = Bench::new();
        let params = json!({ "dataset": "digits", "limit": 20, "channels": "rgb",
            "resize": { "height": 16, "width": 12 } });
        let (images, meta) = run(&bench, params);
        assert_eq!(meta.shape, Shape { height: 16, width: 12, channels: 3 });
        let largest = images.pixels.values.iter().max();
        assert!(largest.is_some_and(|&value| (8..=16).contains(&value)), "{largest:?}");
    }
}

mod a_list_of_ids {
    use super::*;

    #[test]
    fn takes_just_those_images_and_leaves_their_numbers() {
        let bench = Bench::new();
        let list = bench.file("order.csv", "index\n1707\n3\n40\n5\n");
        let whole = Bench::new();
        let (all, _) = run(&whole, json!({ "dataset": "digits" }));
        let (truth, _) = whole.output::<Truth>("truth");
        for params in [
            json!({ "dataset": "digits", "ids": [1707, 3, 40] }),
            json!({ "dataset": "digits", "ids_path": list, "first": 3 }),
        ] {
            let (images, _) = run(&bench, params);
            assert_eq!(images.id, [3, 40, 1707]);
            assert_eq!(images.source, ["3", "40", "1707"]);
            for (row, &id) in images.id.iter().enumerate() {
                assert_eq!(images.pixels.row(row), all.pixels.row(id as usize));
            }
            let (found, _) = bench.output::<Truth>("truth");
            assert_eq!(found.id, images.id);
            assert_eq!(found.label, [3, 40, 1707].map(|id| truth.label[id]));
        }
    }

    #[test]
    fn may_be_split_among_themselves() {
        let ids: Vec<u32> = (100..140).rev().collect();
        let bench = Bench::new();
        let params = json!({ "dataset": "digits", "ids": ids, "test_fraction": 0.25 });
        let (images, _) = run(&bench, params);
        assert!(images.id.iter().copied().eq(100..140));
        assert_eq!(images.split.iter().filter(|&&split| split == Split::Test).count(), 10);
    }

    #[test]
    fn counts_through_train_and_test() {
        let bench = Bench::new();
        let train = bench.file("train", idx_bytes(&[3, 1, 1], &[1, 2, 3]));
        let test = bench.file("test", idx_bytes(&[2, 1, 1], &[4, 5]));
        let params = json!({ "path": train, "test_path": test, "ids": [4, 1] });
        let (images, _) = run(&bench, params);
        assert_eq!(images.id, [1, 4]);
        assert_eq!(images.source, ["train/1", "test/1"]);
        assert_eq!(images.pixels.values, [2, 5]);
    }

    #[test]
    fn reaches_into_folders_and_past_what_cannot_be_read() {
        let folder = folder_of(&["a.png", "c.png", "d.png"]);
        fs_err::write(folder.path().join("b.png"), "no image").unwrap();
        let bench = Bench::new();
        let (all, _) = run(&bench, json!({ "path": folder.path(), "skip_unreadable": true }));
        assert_eq!(all.id, [0, 2, 3]);
        // The broken one is not even opened.
        let (images, _) = run(&bench, json!({ "path": folder.path(), "ids": [3, 2] }));
        assert_eq!((images.id, images.source), (vec![2, 3], vec!["c.png".into(), "d.png".into()]));
    }

    #[test]
    fn serves_the_budget_as_well() {
        let mut bench = Bench::new();
        let list = bench.file("order.csv", "1707\n3\n40\n5\n");
        run(&bench, json!({ "dataset": "digits", "ids_path": list, "first": 3 }));
        let (images, meta) = bench.output::<Images>("images");
        let (truth, classes) = bench.output::<Truth>("truth");
        bench.wire("images", meta, images);
        bench.wire("truth", classes, truth);
        bench.run("budget", json!({ "ids_path": list, "first": 2 })).unwrap();
        assert_eq!(bench.output::<scarce_artifact::Labels>("labels").0.id, [3, 1707]);
        // The fourth of the list is not among the images.
        let failure = bench.run("budget", json!({ "ids_path": list }));
        assert_failure(failure, "ingest::request", &["id 5", "no such image"]);
    }

    #[test]
    fn that_cannot_be_followed_is_refused() {
        let bench = Bench::new();
        let list = bench.file("order.csv", "3\n");
        for (params, code, word) in [
            (json!({ "ids": [1797] }), "ingest::request", "id 1797"),
            (json!({ "ids": [3, 3] }), "ingest::request", "listed twice"),
            (json!({ "ids": [] }), "ingest::request", "lists no image"),
            (json!({ "ids": [3], "ids_path": list }), "ingest::request", "`ids_path`"),
            (json!({ "ids": [3], "limit": 3 }), "ingest::request", "`limit`"),
            (json!({ "ids": [3], "first": 2 }), "ingest::too_few", "holds 1"),
            (json!({ "first": 2 }), "ingest::request", "`first`"),
        ] {
            let mut params = params;
            params["dataset"] = "digits".into();
            assert_failure(bench.run("ingest", params), code, &[word]);
        }
    }
}

#[test]
fn fashion_mnist_is_found_in_a_data_folder_and_thinned_out() {
    let Some(data) = test_data() else { return };
    let mut bench = Bench::new();
    bench.data(&data);
    let (images, _) = run(&bench, json!({ "dataset": "fashion-mnist", "limit": 30 }));
    assert_eq!(images.id.len(), 60);
    let (truth, Classes { classes }) = bench.output::<Truth>("truth");
    assert_eq!(truth.id.len(), 60);
    assert_eq!(classes[9], "Ankle boot");
}

#[test]
fn mnist_is_what_is_published() {
    let Some(data) = test_data() else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: set SCARCE_TEST_DATA to a folder with `mnist`");
        }
        return;
    };
    let bench = Bench::new();
    let params = json!({ "dataset": "mnist", "path": data.join("mnist") });
    let (images, meta) = run(&bench, params);
    assert_eq!(meta.shape, Shape { height: 28, width: 28, channels: 1 });
    let train = images.split.iter().filter(|&&split| split == Split::Train).count();
    assert_eq!((train, images.id.len()), (60_000, 70_000));
    assert_eq!((images.source[3].as_str(), images.source[60_000].as_str()), ("train/3", "test/0"));
    // Row 5 of the first image, a five.
    let row = &images.pixels.row(0)[5 * 28 + 12..6 * 28 - 4];
    assert_eq!(row, [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]);
    // The mean that everybody normalises with: 0.1307.
    let sum: u64 = images.pixels.values[..60_000 * 784].iter().map(|&v| u64::from(v)).sum();
    let mean = sum as f64 / (60_000.0 * 784.0 * 255.0);
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
    let (truth, _) = bench.output::<Truth>("truth");
    assert_eq!(truth.label[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(truth.label[60_000..60_005], [7, 2, 1, 0, 4]);
}

mod from_idx {
    use super::*;

    fn pixels(count: usize) -> Vec<u8> {
        (0..count).map(|i| i as u8).collect()
    }

    #[test]
    fn train_test_and_truth() {
        let bench = Bench::new();
        let params = json!({
            "path": bench.file("train.gz", gzip(&idx_bytes(&[3, 2, 2], &pixels(12)))),
            "truth": bench.file("labels", idx_bytes(&[3], &[1, 0, 1])),
            "test_path": bench.file("test", idx_bytes(&[1, 2, 2], &[9; 4])),
            "classes": ["zero", "one"],
        });
        let (images, _) = run(&bench, params);
        assert_eq!(images.source, ["train/0", "train/1", "train/2", "test/0"]);
        assert_eq!(images.pixels.row(2), [8, 9, 10, 11]);
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!((truth.id, truth.label), (vec![0, 1, 2], vec![1, 0, 1]));
        assert_eq!(classes, ["zero", "one"]);
    }

    #[test]
    fn alone_it_is_a_pool_without_truth() {
        let bench = Bench::new();
        let path = bench.file("a.idx", idx_bytes(&[3, 2, 2], &pixels(12)));
        let (images, _) = run(&bench, json!({ "path": path, "limit": 2 }));
        assert_eq!(images.split, [Split::Pool; 2]);
        assert!(!bench.wrote("truth"));
    }

    #[test]
    fn every_lie_is_named() {
        let bench = Bench::new();
        let whole = idx_bytes(&[3, 2, 2], &pixels(12));
        let packed = gzip(&whole);
        for (name, bytes, code) in [
            ("short", whole[..20].to_vec(), "ingest::truncated"),
            ("long", [&whole[..], b"x"].concat(), "ingest::trailing"),
            ("short.gz", packed[..packed.len() - 9].to_vec(), "ingest::gzip"),
            ("absurd", idx_bytes(&[u32::MAX; 3], &pixels(12)), "ingest::truncated"),
            ("wide", idx_bytes(&[2, u32::MAX, 28], &pixels(12)), "ingest::truncated"),
            ("none", idx_bytes(&[0, 2, 2], &[]), "ingest::empty"),
            ("pixelless", idx_bytes(&[3, 0, 2], &[]), "ingest::header"),
            ("labels", idx_bytes(&[3], &[1, 2, 3]), "ingest::header"),
            ("nothing", Vec::new(), "ingest::format"),
            ("text", b"hello, world".to_vec(), "ingest::format"),
            ("image.png", encode(&grey(2, 2, 0), ImageFormat::Png), "ingest::format"),
        ] {
            let path = bench.file(name, bytes);
            assert_failure(bench.run("ingest", json!({ "path": path })), code, &[name]);
        }
        let missing = bench.path().join("missing");
        assert_failure(bench.run("ingest", json!({ "path": missing })), "ingest::io", &["missing"]);
    }

    #[test]
    fn files_that_do_not_belong_together_are_named() {
        let bench = Bench::new();
        let path = bench.file("a", idx_bytes(&[3, 2, 2], &pixels(12)));
        let truth = bench.file("b", idx_bytes(&[2], &[0, 1]));
        assert_failure(
            bench.run("ingest", json!({ "path": path, "truth": truth })),
            "ingest::counts",
            &["3 rows", "2 labels"],
        );
        let test = bench.file("c", idx_bytes(&[1, 3, 2], &pixels(6)));
        assert_failure(
            bench.run("ingest", json!({ "path": path, "test_path": test })),
            "ingest::mixed_shapes",
            &["`train/0` is 2 × 2 grey", "`test/0` is 3 × 2 grey"],
        );
        let truth = bench.file("b", idx_bytes(&[3], &[0, 1, 2]));
        assert_failure(
            bench.run("ingest", json!({ "path": path, "truth": truth, "classes": ["a", "b"] })),
            "ingest::value",
            &["row 2", "label 2"],
        );
    }
}

mod from_a_folder {
    use super::*;

    #[test]
    fn with_classes() {
        let folder = folder_of(&["dog/1.png", "cat/2.jpg", "cat/1.png"]);
        let bench = Bench::new();
        let (images, meta) = run(&bench, json!({ "path": folder.path() }));
        assert_eq!(images.source, ["cat/1.png", "cat/2.jpg", "dog/1.png"]);
        assert_eq!(images.pixels.row(0), [20; 16]);
        assert_eq!((meta.max_value, meta.dataset.as_str()), (255, "own"));
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!(truth.label, [0, 0, 1]);
        assert_eq!(classes, ["cat", "dog"]);
    }

    #[test]
    fn flat_it_has_no_truth() {
        let folder = folder_of(&["b.png", "a.png"]);
        let bench = Bench::new();
        let (images, _) = run(&bench, json!({ "path": folder.path() }));
        assert_eq!(images.source, ["a.png", "b.png"]);
        assert!(!bench.wrote("truth"));
    }

    #[test]
    fn more_images_than_are_read_at_once_keep_their_order() {
        let names: Vec<String> = (0..261).map(|i| format!("{i:04}.png")).collect();
        let folder = folder_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let (images, _) = run(&Bench::new(), json!({ "path": folder.path() }));
        assert_eq!(images.source, names);
        assert!(images.pixels.iter_rows().enumerate().all(|(i, row)| row[0] == (i * 10) as u8));
    }

    #[test]
    fn mixed_shapes_are_named_with_the_way_out() {
        let folder = folder_of(&["a.png", "b.png"]);
        let odd = encode(&rgb(3, 5, [9, 9, 9]), ImageFormat::Png);
        fs_err::write(folder.path().join("c.png"), odd).unwrap();
        let bench = Bench::new();
        assert_failure(
            bench.run("ingest", json!({ "path": folder.path() })),
            "ingest::mixed_shapes",
            &["`a.png` is 4 × 4 grey", "`c.png` is 3 × 5 rgb", "resize", "channels"],
        );
        let params = json!({ "path": folder.path(), "channels": "grey",
            "resize": { "height": 2, "width": 2 } });
        let (images, _) = run(&bench, params);
        assert_eq!(images.pixels.values.len(), 3 * 4);
    }

    #[test]
    fn unreadable_images_are_named_or_left_out() {
        let folder = folder_of(&["a.png", "b.png"]);
        let whole = encode(&grey(4, 4, 7), ImageFormat::Png);
        let bench = Bench::new();
        for (bytes, word) in [
            (whole[..whole.len() / 2].to_vec(), "`aa.png`"),
            (bomb(1_000_000), "`aa.png`"),
            (b"not an image".to_vec(), "none of PNG"),
            (Vec::new(), "`aa.png`"),
        ] {
            fs_err::write(folder.path().join("aa.png"), bytes).unwrap();
            assert_failure(
                bench.run("ingest", json!({ "path": folder.path() })),
                "ingest::image",
                &[word, "skip_unreadable"],
            );
            let (images, _) =
                run(&bench, json!({ "path": folder.path(), "skip_unreadable": true }));
            assert_eq!(images.source, ["a.png", "b.png"]);
            // The others keep their numbers.
            assert_eq!(images.id, [0, 2]);
        }
    }

    #[test]
    fn an_empty_one_is_an_error() {
        let folder = folder_of(&["readme.txt"]);
        assert_failure(
            Bench::new().run("ingest", json!({ "path": folder.path() })),
            "ingest::empty",
            &[".png"],
        );
    }
}

mod from_parquet {
    use super::*;

    fn parquet(bench: &Bench, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let path = bench.path().join("images.pq");
        let field =
            |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        let mut writer = RawWriter::create(&path, "own", 1, schema, &Empty {}).unwrap();
        writer.write(columns.into_iter().map(|(_, array)| array).collect()).unwrap();
        writer.finish().unwrap();
        path
    }

    fn pngs() -> Vec<Vec<u8>> {
        (0..3).map(|i| encode(&grey(2, 2, i * 50), ImageFormat::Png)).collect()
    }

    #[test]
    fn encoded_with_labels_splits_and_names() {
        let bench = Bench::new();
        let pngs = pngs();
        let image = BinaryArray::from_vec(pngs.iter().map(Vec::as_slice).collect());
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("image", Arc::new(image)),
            ("label", Arc::new(Int64Array::from(vec![Some(2), None, Some(0)]))),
            ("split", Arc::new(StringArray::from(vec!["train", "test", "pool"]))),
            ("file", Arc::new(StringArray::from(vec!["a.png", "b.png", "c.png"]))),
        ];
        let path = parquet(&bench, columns);
        let params = json!({ "path": path, "label_column": "label", "split_column": "split",
            "name_column": "file" });
        let (images, _) = run(&bench, params);
        assert_eq!(images.source, ["a.png", "b.png", "c.png"]);
        assert_eq!(images.split, [Split::Train, Split::Test, Split::Pool]);
        assert_eq!(images.pixels.row(2), [100; 4]);
        let (truth, Classes { classes }) = bench.output::<Truth>("truth");
        assert_eq!((truth.id, truth.label), (vec![0, 2], vec![2, 0]));
        assert_eq!(classes, ["0", "1", "2"]);
    }

    #[test]
    fn the_struct_of_hugging_face() {
        let bench = Bench::new();
        let pngs = pngs();
        let bytes: ArrayRef =
            Arc::new(BinaryArray::from_vec(pngs.iter().map(Vec::as_slice).collect()));
        let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("x.png"), None, Some("z.png")]));
        let fields = Fields::from(vec![
            Field::new("bytes", DataType::Binary, true),
            Field::new("path", DataType::Utf8, true),
        ]);
        let image = StructArray::new(fields, vec![bytes, paths], None);
        let path = parquet(&bench, vec![("img", Arc::new(image))]);
        let (images, _) = run(&bench, json!({ "path": path, "image_column": "img" }));
        assert_eq!(images.source, ["x.png", "1", "z.png"]);
        assert_eq!(images.pixels.row(1), [50; 4]);
    }

    #[test]
    fn raw_bytes_of_a_given_shape() {
        let bench = Bench::new();
        let item = Arc::new(Field::new("item", DataType::UInt8, true));
        let values = Arc::new(UInt8Array::from_iter_values(0..24));
        let image = FixedSizeListArray::new(item, 12, values, None);
        let path = parquet(&bench, vec![("image", Arc::new(image))]);
        let shape = json!({ "height": 2, "width": 2, "channels": 3 });
        let (images, meta) = run(&bench, json!({ "path": path, "shape": shape }));
        assert_eq!(meta.shape, Shape { height: 2, width: 2, channels: 3 });
        assert_eq!(images.pixels.row(1)[..3], [12, 13, 14]);
        assert_failure(
            bench.run("ingest", json!({ "path": path })),
            "pictures::column",
            &["`image`", "`shape = {"],
        );
        assert_failure(
            bench.run("ingest", json!({ "path": path, "shape": { "height": 3, "width": 3 } })),
            "ingest::value",
            &["row 0", "12 bytes, not 9"],
        );
        let absurd = json!({ "height": u32::MAX, "width": u32::MAX });
        assert!(bench.run("ingest", json!({ "path": path, "shape": absurd })).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_by_row() {
        let bench = Bench::new();
        let png = encode(&grey(2, 2, 1), ImageFormat::Png);
        let cells = vec![Some(&png[..]), Some(&b"junk"[..]), None];
        let image = || Arc::new(BinaryArray::from_opt_vec(cells.clone()));
        let path = parquet(&bench, vec![("image", image())]);
        assert_failure(
            bench.run("ingest", json!({ "path": path })),
            "ingest::image",
            &["2 of 3 images", "`1`: it is none of", "`2`: the image is missing"],
        );
        let (images, _) = run(&bench, json!({ "path": path, "skip_unreadable": true }));
        assert_eq!(images.id, [0]);
        assert_failure(
            bench.run("ingest", json!({ "path": path, "image_column": "picture" })),
            "ingest::column",
            &["`picture`", "`image`"],
        );
        let whole = fs_err::read(&path).unwrap();
        let cut = bench.file("cut.pq", &whole[..whole.len() - 7]);
        assert_failure(
            bench.run("ingest", json!({ "path": cut })),
            "artifact::parquet",
            &["cut.pq"],
        );
    }
}

#[test]
fn parameters_that_say_nothing_are_refused() {
    let bench = Bench::new();
    let folder = folder_of(&["a.png"]);
    for (params, word) in [
        (json!({}), "neither `dataset` nor `path`"),
        (json!({ "dataset": "digits", "label_column": "x" }), "`label_column`"),
        (json!({ "path": folder.path(), "truth": "x" }), "`truth`"),
        (json!({ "path": folder.path(), "test_fraction": 2.0 }), "`test_fraction`"),
        (json!({ "dataset": "digits", "resize": { "height": 0, "width": 3 } }), "`resize`"),
    ] {
        assert_failure(bench.run("ingest", params), "ingest::request", &[word]);
    }
    assert!(bench.run("ingest", json!({ "dataset": "cifar" })).is_err());
    assert!(bench.run("ingest", json!({ "dataset": "digits", "sed": 1 })).is_err());
}
