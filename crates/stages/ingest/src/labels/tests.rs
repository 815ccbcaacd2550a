use scarce_artifact::{Classes, EmbeddingsMeta, ImagesMeta, Shape, Vectors};
use serde_json::json;

use super::*;
use crate::testing::{Bench, assert_failure};

mod tools;

const SOURCES: [&str; 5] = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/3.png", "dog/4.png"];

/// Five images with ids 10, 11, …; the last is for testing.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let mut split = vec![Split::Pool; 5];
    split[4] = Split::Test;
    let images = Images {
        id: (10..15).collect(),
        split,
        source: SOURCES.map(str::to_owned).to_vec(),
        pixels: Vectors::new(1, vec![0; 5]),
    };
    let shape = Shape { height: 1, width: 1, channels: 1 };
    bench.wire("images", ImagesMeta { shape, ..ImagesMeta::default() }, images);
    bench
}

fn run(bench: &Bench, params: serde_json::Value) -> (Vec<(u32, i32)>, Vec<String>) {
    bench.run("labels", params).unwrap();
    let (labels, Classes { classes }) = bench.output::<Labels>("labels");
    assert!(labels.source.iter().all(|&source| source == LabelSource::Given));
    (labels.id.into_iter().zip(labels.label).collect(), classes)
}

#[test]
fn csv_json_lines_and_parquet_say_the_same() {
    let bench = bench();
    let csv = bench.file("l.csv", "file,label\ncat/2.png,cat\n\"3.png\",dog\ndog/1.png,\n");
    let excel =
        bench.file("l2.csv", "\u{feff}class;note;path\r\ndog;x;dog/3.png\r\ncat;y;2.png\r\n");
    let json = bench.file(
        "l.jsonl",
        "{\"image\": \"2.png\", \"label\": \"cat\"}\n\n{\"image\": \"3.png\", \"label\": \"dog\"}\n{\"image\": \"1.png\", \"label\": null}",
    );
    let parquet = bench.path().join("l.parquet");
    let schema = arrow::datatypes::Schema::new(vec![
        arrow::datatypes::Field::new("filename", arrow::datatypes::DataType::Utf8, true),
        arrow::datatypes::Field::new("label", arrow::datatypes::DataType::Utf8, true),
    ]);
    let column = |words: &[&str]| -> arrow::array::ArrayRef {
        std::sync::Arc::new(arrow::array::StringArray::from(words.to_vec()))
    };
    let columns = vec![column(&["cat/2.png", "dog/3.png"]), column(&["cat", "dog"])];
    let mut writer =
        scarce_artifact::RawWriter::create(&parquet, "own", 1, schema, &Classes::default())
            .unwrap();
    writer.write(columns).unwrap();
    writer.finish().unwrap();
    for path in [csv, excel, json, parquet] {
        let (labels, classes) = run(&bench, json!({ "path": path }));
        assert_eq!(labels, [(11, 0), (13, 1)], "{}", path.display());
        assert_eq!(classes, ["cat", "dog"]);
    }
}

#[test]
fn ids_may_stand_for_images() {
    let mut bench = bench();
    let path = bench.file("l.csv", "id,class\n13,b\n10,a\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(10, 0), (13, 1)]);
    let unknown = bench.file("m.csv", "id,class\n13,b\n9,a\n");
    assert_failure(
        bench.run("labels", json!({ "path": unknown })),
        "ingest::value",
        &["line 3", "no id `9`"],
    );
    bench = Bench::new();
    let embeddings = Embeddings {
        id: vec![5, 6],
        split: vec![Split::Pool; 2],
        embedding: Vectors::new(1, vec![0.0; 2]),
    };
    bench.wire("embeddings", EmbeddingsMeta::default(), embeddings);
    let path = bench.file("l.csv", "row,class\n6,b\n");
    let params = json!({ "path": path, "key_column": "row" });
    assert_eq!(run(&bench, params).0, [(6, 0)]);
}

#[test]
fn classes_fix_names_and_order() {
    let bench = bench();
    let path = bench.file("l.csv", "file,label\ncat/2.png,cat\n");
    let (labels, classes) = run(&bench, json!({ "path": path, "classes": ["dog", "cat", "bird"] }));
    assert_eq!(labels, [(11, 1)]);
    assert_eq!(classes, ["dog", "cat", "bird"]);
    assert_failure(
        bench.run("labels", json!({ "path": path, "classes": ["cats", "dog"] })),
        "ingest::value",
        &["line 2", "`cat`", "did you mean `cats`?"],
    );
    assert!(bench.run("labels", json!({ "path": path, "classes": ["cat", "cat"] })).is_err());
}

#[test]
fn an_unknown_image_gets_a_line_and_a_suggestion() {
    let bench = bench();
    let path = bench.file("l.csv", "file,label\ncat/2.png,cat\ncat/l.png,cat\n");
    assert_failure(
        bench.run("labels", json!({ "path": path })),
        "ingest::value",
        &["l.csv", "line 3", "`cat/l.png`", "did you mean `cat/1.png`?"],
    );
    let path = bench.file("l.csv", "file,label\n1.png,cat\n");
    assert_failure(
        bench.run("labels", json!({ "path": path })),
        "ingest::value",
        &["line 2", "`cat/1.png` or `dog/1.png`"],
    );
}

#[test]
fn one_image_with_two_classes_is_refused_with_both_lines() {
    let bench = bench();
    let path = bench.file("l.csv", "file,label\n2.png,cat\n3.png,dog\ncat/2.png,dog\n");
    assert_failure(
        bench.run("labels", json!({ "path": path })),
        "ingest::value",
        &["line 4", "`cat/2.png` is `cat` in line 2 and `dog` in line 4"],
    );
    let path = bench.file("l.csv", "file,label\n2.png,cat\ncat/2.png,cat\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(11, 0)]);
}

#[test]
fn labels_of_test_images_are_left_out() {
    let bench = bench();
    let path = bench.file("l.csv", "file,label\n2.png,cat\n4.png,dog\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(11, 0)]);
    let path = bench.file("l.csv", "file,label\n4.png,dog\n");
    assert_failure(bench.run("labels", json!({ "path": path })), "ingest::request", &["`test`"]);
}

#[test]
fn malformed_files_are_named_by_line() {
    let bench = bench();
    for (name, bytes, code, word) in [
        ("empty.csv", &b""[..], "ingest::empty", "empty.csv"),
        ("heading.csv", b"file,label\n", "ingest::empty", "no label"),
        ("ragged.csv", b"file,label\n2.png,cat\n3.png\n", "ingest::value", "line 3"),
        ("latin.csv", b"file,label\n2.png,caf\xe9\n", "ingest::value", "line 2"),
        ("nokey.csv", b"picture,label\n2.png,cat\n", "ingest::column", "`picture`, `label`"),
        ("nameless.csv", b"file,label\n,cat\n", "ingest::value", "line 2"),
        (
            "cut.jsonl",
            b"{\"file\": \"2.png\", \"label\": \"cat\"}\n{\"file\"",
            "ingest::value",
            "line 2",
        ),
        ("list.jsonl", b"[1]\n", "ingest::value", "row 0"),
        ("nested.jsonl", b"{\"file\": [1], \"label\": \"cat\"}\n", "ingest::value", "line 1"),
        ("cut.parquet", b"PAR1....", "artifact::parquet", "cut.parquet"),
    ] {
        let path = bench.file(name, bytes);
        assert_failure(bench.run("labels", json!({ "path": path })), code, &[word]);
    }
    let path = bench.file("l.csv", "file,label\n2.png,cat\n");
    assert_failure(
        bench.run("labels", json!({ "path": path, "label_column": "lable" })),
        "ingest::column",
        &["`lable`", "did you mean `label`?"],
    );
    assert_failure(
        bench.run("labels", json!({ "path": bench.path().join("none.csv") })),
        "ingest::io",
        &["none.csv"],
    );
}
