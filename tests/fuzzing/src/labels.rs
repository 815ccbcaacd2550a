//! Files of labels as people and labelling tools write them.

use scarce_artifact::{Classes, Images, ImagesMeta, Labels, Shape, Split, Vectors};
use serde_json::json;

use crate::bench::{Bench, assert_names};

/// Names of the images that may be labelled.
const SOURCES: [&str; 8] =
    ["a.png", "b.png", "c/a.png", "c/1.jpg", "2.jpg", "10.jpg", "é.png", "test/t.png"];

/// Bytes as CSV.
pub fn labels_csv(bytes: &[u8]) {
    labels("input.csv", bytes);
}

/// Bytes as JSON: lines, an array, or what Label Studio, COCO and `FiftyOne` write.
pub fn labels_json(bytes: &[u8]) {
    labels("input.json", bytes);
}

fn bench() -> Bench {
    let count = SOURCES.len();
    let mut split = vec![Split::Pool; count];
    split[count - 1] = Split::Test;
    let images = Images {
        id: (0..count as u32).collect(),
        split,
        source: SOURCES.map(str::to_owned).to_vec(),
        pixels: Vectors::new(1, vec![0; count]),
    };
    let shape = Shape { height: 1, width: 1, channels: 1 };
    let mut bench = Bench::new();
    bench.wire("images", ImagesMeta { shape, ..ImagesMeta::default() }, images);
    bench
}

fn labels(name: &str, bytes: &[u8]) {
    let bench = bench();
    let path = bench.file(name, bytes);
    let done = bench.run("labels", json!({ "path": path }));
    assert_names(&done, name);
    if done.is_err() {
        return;
    }
    let (found, meta) = bench.output::<Labels>("labels");
    assert!(found.id.iter().all(|&id| (id as usize) < SOURCES.len() - 1));
    // What was read, written down plainly, reads the same.
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "label"]).unwrap();
    for (id, &label) in found.id.iter().zip(&found.label) {
        writer.write_record([&id.to_string(), &meta.classes[label as usize]]).unwrap();
    }
    let path = bench.file("plain.csv", &writer.into_inner().unwrap());
    let params = json!({ "path": path, "match_by": "id", "classes": meta.classes });
    bench.run("labels", params).expect("what was written is read");
    let (again, Classes { classes }) = bench.output::<Labels>("labels");
    assert_eq!((found, meta.classes), (again, classes));
}
