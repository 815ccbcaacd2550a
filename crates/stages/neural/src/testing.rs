//! For tests: a folder of small tables, and kinds run on them.

use std::path::PathBuf;

use scarce_artifact::{
    Classes, Embeddings, EmbeddingsMeta, History, Images, ImagesMeta, LabelSource, Labels, Model,
    Predictions, Reader, Shape, Split, Table, Vectors, Writer,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::{Value, json};

/// A folder; what lies in it has names.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        Writer::write_all(&self.stem(name).with_extension("parquet"), meta, table).unwrap();
    }

    fn read<T: Table>(&self, name: &str) -> T {
        Reader::open(&self.stem(name).with_extension("parquet")).unwrap().read().unwrap()
    }

    /// Features with these ids and vectors; ids from 1000 on are test images.
    pub(crate) fn features(&self, name: &str, rows: impl IntoIterator<Item = (u32, Vec<f32>)>) {
        let (id, vectors): (Vec<u32>, Vec<Vec<f32>>) = rows.into_iter().unzip();
        let width = vectors[0].len();
        let table = Embeddings {
            split: id.iter().map(|&id| split(id)).collect(),
            id,
            embedding: Vectors::new(width, vectors.concat()),
        };
        let meta = EmbeddingsMeta { origin: "points".to_owned(), ..EmbeddingsMeta::default() };
        self.write(name, meta, table);
    }

    /// Images of `shape` with these ids and bytes, of which 255 is the brightest; ids from 1000 on
    /// are test images.
    pub(crate) fn images(
        &self,
        name: &str,
        shape: Shape,
        rows: impl IntoIterator<Item = (u32, Vec<u8>)>,
    ) {
        let (id, pixels): (Vec<u32>, Vec<Vec<u8>>) = rows.into_iter().unzip();
        let table = Images {
            split: id.iter().map(|&id| split(id)).collect(),
            source: id.iter().map(ToString::to_string).collect(),
            id,
            pixels: Vectors::new(shape.pixels(), pixels.concat()),
        };
        self.write(
            name,
            ImagesMeta { shape, dataset: "drawn".to_owned(), max_value: 255, ..Default::default() },
            table,
        );
    }

    pub(crate) fn embeddings(&self, output: &str) -> Embeddings {
        self.read(&format!("{output}-embeddings"))
    }

    pub(crate) fn labels(&self, name: &str, classes: &[&str], labels: &[(u32, i32)]) {
        let sure: Vec<(u32, i32, f32)> = labels.iter().map(|&(id, l)| (id, l, 1.0)).collect();
        self.labels_with(name, classes, &sure);
    }

    /// Labels with a confidence each.
    pub(crate) fn labels_with(&self, name: &str, classes: &[&str], labels: &[(u32, i32, f32)]) {
        let table = Labels {
            id: labels.iter().map(|label| label.0).collect(),
            label: labels.iter().map(|label| label.1).collect(),
            source: vec![LabelSource::Given; labels.len()],
            confidence: labels.iter().map(|label| label.2).collect(),
        };
        self.write(name, Classes::new(classes.iter().copied()), table);
    }

    /// Runs a kind; its inputs are `port, name` pairs, its outputs lie under `output-PORT`.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
        output: &str,
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let Value::Object(mut params) = params else { panic!("parameters are an object") };
        params.entry("device").or_insert(json!("cpu"));
        let input = |&(port, name): &(&str, &str)| {
            let (stage, axes) = (name.to_owned(), Vec::new());
            let made = JobInput { stage, port: port.to_owned(), axes, path: self.stem(name) };
            (port.to_owned(), vec![made])
        };
        let made = |port: &str| (port.to_owned(), self.stem(&format!("{output}-{port}")));
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.clone(),
            inputs: inputs.iter().map(input).collect(),
            outputs: ["predictions", "model", "history", "embeddings"]
                .map(made)
                .into_iter()
                .collect(),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn predictions(&self, output: &str) -> Predictions {
        self.read(&format!("{output}-predictions"))
    }

    pub(crate) fn history(&self, output: &str) -> History {
        self.read(&format!("{output}-history"))
    }

    pub(crate) fn model(&self, output: &str) -> Model {
        Model::read(&self.stem(&format!("{output}-model"))).unwrap()
    }

    /// Changes the model that came with `output`.
    pub(crate) fn change_model(&self, output: &str, change: impl FnOnce(&mut Model)) {
        let mut model = self.model(output);
        change(&mut model);
        model.write(&self.stem(&format!("{output}-model"))).unwrap();
    }

    /// The bytes of an output.
    pub(crate) fn bytes(&self, output: &str, file: &str) -> Vec<u8> {
        fs_err::read(self.stem(&format!("{output}-{file}"))).unwrap()
    }
}

pub(crate) fn split(id: u32) -> Split {
    if id < 1000 { Split::Train } else { Split::Test }
}

/// A number in `[0, 1)` that looks random (the fraction of a large sine).
pub(crate) fn unit(id: u32, column: u32) -> f32 {
    let wave = (f64::from(id) * 12.9898 + f64::from(column) * 78.233 + 1.0).sin() * 43_758.545_3;
    (wave - wave.floor()) as f32
}
