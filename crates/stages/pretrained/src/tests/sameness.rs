//! The same bytes, whatever the threads, the batch, or the form of the source.

use scarce_artifact::digest_bytes;
use scarce_stage::Memo;
use serde_json::json;

use super::{clothes, fixture, model, photographs, with};

#[test]
fn for_any_number_of_threads_and_any_batch() {
    for name in ["efficientnet-lite0", "vit-small-saliency-int8"] {
        let Some(model) = model(name) else { return };
        let (bench, params) = clothes(&model);
        let mut bytes = Vec::new();
        for (threads, batch) in [(1, 8), (2, 8), (4, 3), (2, 1), (1, 20)] {
            bench.run_on(threads, with(&params, json!({ "batch": batch }))).unwrap();
            bytes.push(bench.bytes());
        }
        let same = bytes.iter().all(|found| *found == bytes[0]);
        assert!(same, "{name}");
    }
}

#[test]
fn with_vectors_remembered_and_only_new_photographs_are_encoded() {
    let Some(model) = model("efficientnet-lite0") else { return };
    let (bench, params) = clothes(&model);
    bench.run(with(&params, json!({}))).unwrap();
    let fresh = bench.bytes();
    let memo = tempfile::tempdir().unwrap();
    let run = |bench: &super::Bench| {
        bench.run_with(2, with(&params, json!({ "batch": 3 })), Some(memo.path())).unwrap();
        bench.bytes()
    };
    let names = photographs();
    bench.images(&names[..19], None);
    run(&bench);
    assert_eq!(Memo::open(Some(memo.path())).len(), 19);
    // One added: one encoded, and the same bytes as without any memory.
    bench.images(&names, None);
    assert_eq!(run(&bench), fresh);
    assert_eq!(Memo::open(Some(memo.path())).len(), 20);
    assert_eq!(run(&bench), fresh);
    // That it is read at all shows a vector which no network would give.
    let other = tempfile::tempdir().unwrap();
    let picture = fs_err::read(fixture("clothes").join(&names[4])).unwrap();
    let vector: Vec<u8> = [0.5_f32; 1280].iter().flat_map(|x| x.to_le_bytes()).collect();
    Memo::open(Some(other.path())).put(&digest_bytes(&picture), &vector);
    let found = bench.run_with(2, params.into(), Some(other.path())).unwrap();
    assert_eq!(found.embedding.row(4), [0.5; 1280]);
    assert_ne!(found.embedding.row(5), [0.5; 1280]);
}
