//! The same bytes, whatever the threads, the batch, or the form of the source.

use serde_json::json;

use super::{clothes, model, with};

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
