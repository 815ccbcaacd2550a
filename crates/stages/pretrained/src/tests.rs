//! Tests of the stage as a whole. Those that run a network want ONNX Runtime and the models of
//! `SCARCE_TEST_MODELS` or `../shared/models`, and say so when they skip.

mod known_answers;
mod refusals;
mod sameness;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scarce_artifact::{
    Embeddings, EmbeddingsMeta, Images, ImagesMeta, Reader, Shape, Split, Vectors, Writer,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::{Value, json};

/// The fixtures of this crate.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The folder of a model; says that the test is skipped if it, or ONNX Runtime, is nowhere.
fn model(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("SCARCE_TEST_MODELS").map(PathBuf::from);
    let folder = named
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/models"));
    let model = folder.join(name);
    let reason = match crate::runtime::find(&[]) {
        Err(error) => error.to_string(),
        Ok(_) if !model.is_dir() => format!("set SCARCE_TEST_MODELS to a folder with `{name}`"),
        Ok(_) => return Some(model),
    };
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: {reason}");
    }
    None
}

/// A folder of its own for tables.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An images table of these names, with the same grey pixels of 28 × 28 for each unless given.
    fn images(&self, names: &[String], pixels: Option<Vec<u8>>) {
        let n = names.len();
        let shape = Shape { height: 28, width: 28, channels: 1 };
        let pixels = pixels.unwrap_or_else(|| vec![9; n * 28 * 28]);
        let images = Images {
            id: (0..n as u32).map(|i| i * 3).collect(),
            split: (0..n).map(|i| [Split::Train, Split::Test][i % 2]).collect(),
            source: names.to_vec(),
            pixels: Vectors::new(28 * 28, pixels),
        };
        let meta = ImagesMeta {
            shape,
            dataset: "own".to_owned(),
            max_value: 255,
            ..ImagesMeta::default()
        };
        Writer::write_all(&self.path("images.parquet"), meta, images).unwrap();
    }

    fn run_on(&self, threads: usize, params: Value) -> Result<Embeddings, Failure> {
        self.run_with(threads, params, None)
    }

    fn run_with(
        &self,
        threads: usize,
        params: Value,
        memo: Option<&Path>,
    ) -> Result<Embeddings, Failure> {
        let input = JobInput {
            stage: "images".to_owned(),
            port: "images".to_owned(),
            axes: Vec::new(),
            path: self.path("images"),
        };
        let job = json!({
            "protocol": PROTOCOL,
            "kind": "pretrained",
            "stage": "vectors",
            "params": params,
            "inputs": BTreeMap::from([("images", vec![input])]),
            "outputs": { "embeddings": self.path("out") },
            "threads": threads,
            "data": [],
            "memo": memo,
        });
        let job: Job = serde_json::from_value(job).unwrap();
        let kind = crate::kinds().remove(0);
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))?;
        Ok(self.reader().read().unwrap())
    }

    fn run(&self, params: Value) -> Result<Embeddings, Failure> {
        self.run_on(2, params)
    }

    fn reader(&self) -> Reader<Embeddings> {
        Reader::open(&self.path("out.parquet")).unwrap()
    }

    fn meta(&self) -> EmbeddingsMeta {
        self.reader().meta().clone()
    }

    fn bytes(&self) -> Vec<u8> {
        fs_err::read(self.path("out.parquet")).unwrap()
    }
}

/// The names of the twenty photographs.
fn photographs() -> Vec<String> {
    photographs_in("clothes")
}

fn photographs_in(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(fixture(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 20);
    names
}

/// A bench with the photographs, and the parameters that read them with this model.
fn clothes(model: &Path) -> (Bench, serde_json::Map<String, Value>) {
    folder(model, "clothes")
}

/// The same with another folder of the fixtures.
fn folder(model: &Path, folder: &str) -> (Bench, serde_json::Map<String, Value>) {
    let bench = Bench::new();
    bench.images(&photographs_in(folder), None);
    let params = json!({ "model": model, "path": fixture(folder) });
    (bench, params.as_object().unwrap().clone())
}

/// The same parameters with one more.
fn with(params: &serde_json::Map<String, Value>, more: Value) -> Value {
    let mut params = params.clone();
    params.extend(more.as_object().unwrap().clone());
    Value::Object(params)
}
