//! What each fuzzing target does with its bytes.
//!
//! A target hands bytes to the same function that the product calls, and holds the outcome to more than
//! "no panic":
//!
//! * what is accepted is what the bytes say, where a few lines can tell that independently;
//! * what is written and read again is the same;
//! * what is refused is refused in words, with a code, and the file is named;
//! * memory and time stay bounded: the fuzzer sets limits, and so does the test below.
//!
//! | target | bytes | handed to |
//! | --- | --- | --- |
//! | [`idx`] | IDX, gzip or not | the kind `ingest`, as images and as truth |
//! | [`npy`] | `NumPy` arrays | the kind `ingest-embeddings`, as vectors and as truth |
//! | [`labels_csv`], [`labels_json`] | files of labels; Label Studio, COCO, `FiftyOne` | the kind `labels` |
//! | [`picture`] | PNG, JPEG, WebP, TIFF, BMP, GIF, PNM | `scarce_pictures::decode` |
//! | [`parquet`] | footers and pages | `open_parquet`, [`Reader`](scarce_artifact::Reader) |
//! | [`weights`], [`card`] | safetensors; the JSON beside them | [`Model::read`](scarce_artifact::Model::read) |
//! | [`host`], [`events`] | what `describe` and `exec` print | `scarce_orchestrator` |
//! | [`pipeline`] | TOML: parsed, checked, expanded, drawn | `scarce_pipeline` |
//! | [`preprocessor`], [`network`] | `preprocessor_config.json`; ONNX | `scarce_pretrained::check_model` |
//!
//! `cargo xtask fuzz` runs them under libFuzzer with the address sanitizer, from a corpus that grows.
//! `fuzz/seeds/TARGET/` is what is kept: files of each format, and inputs that once did harm. The test
//! `the_kept_corpus_does_no_harm` runs those through the same functions, and some damage done to them,
//! wherever `cargo test` runs.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a panic is how a target speaks"
)]

mod bench;
mod hosts;
mod images;
mod labels;
mod models;
mod parquet;
mod pipeline;
mod vectors;

pub use hosts::{events, host};
pub use images::{idx, picture};
pub use labels::{labels_csv, labels_json};
pub use models::{card, network, preprocessor, weights};
pub use parquet::parquet;
pub use pipeline::pipeline;
pub use vectors::npy;

/// A target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 13] = [
    ("card", card),
    ("events", events),
    ("host", host),
    ("idx", idx),
    ("labels_csv", labels_csv),
    ("labels_json", labels_json),
    ("network", network),
    ("npy", npy),
    ("parquet", parquet),
    ("picture", picture),
    ("pipeline", pipeline),
    ("preprocessor", preprocessor),
    ("weights", weights),
];
