//! Known answers from Pillow (`fixtures/make.py`), folders as they come, damage.

mod folders;
mod pictures;
mod resizing;
mod sources;

use std::{path::Path, sync::LazyLock};

use serde_json::Value;

static EXPECTED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/expected.json")).unwrap());

/// The bytes of a fixture.
fn fixture(name: &str) -> Vec<u8> {
    fs_err::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

fn numbers(value: &Value) -> Vec<u16> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as u16).collect()
}
