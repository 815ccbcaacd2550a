//! `.npy`.

use scarce_artifact::{Embeddings, Truth};
use serde_json::json;

use crate::bench::{Bench, assert_names};

/// Bytes as an array of vectors, and as one of labels for three vectors.
pub fn npy(bytes: &[u8]) {
    as_vectors(bytes);
    as_truth(bytes);
}

fn as_vectors(bytes: &[u8]) {
    let bench = Bench::new();
    let path = bench.file("input.npy", bytes);
    let done = bench.run("ingest-embeddings", json!({ "path": path }));
    assert_names(&done, "input.npy");
    let head = &bytes[..bytes.len().min(100)];
    let is = |descr: &[u8]| head.windows(descr.len()).any(|window| window == descr);
    if done.is_ok() && bytes.starts_with(b"\x93NUMPY") && is(b"'descr': '<f4'") && !is(b"\"") {
        let (table, _) = bench.output::<Embeddings>("embeddings");
        let found: Vec<u8> = table.embedding.values.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert!(bytes.ends_with(&found), "numbers are not those of the file");
    }
}

fn as_truth(bytes: &[u8]) {
    let bench = Bench::new();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1), }\n";
    let length = [header.len() as u8, 0];
    let values: Vec<u8> = [1_f32, 2.0, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let file = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &values].concat();
    let path = bench.file("vectors.npy", &file);
    let truth = bench.file("truth.npy", bytes);
    let done = bench.run("ingest-embeddings", json!({ "path": path, "truth": truth }));
    assert_names(&done, "truth.npy");
    if done.is_ok() {
        let (truth, meta) = bench.output::<Truth>("truth");
        assert!(truth.label.iter().all(|&label| (label as usize) < meta.classes.len()));
    }
}
