//! For tests: a folder of small tables, and kinds run on them.

use std::path::PathBuf;

use scarce_artifact::{
    Embeddings, EmbeddingsMeta, History, Images, ImagesMeta, Labels, Model, Predictions, Shape,
    Split, Table, Vectors,
};
use scarce_stage::Failure;
pub(crate) use scarce_stage_testing::unit;
use scarce_stage_testing::{Folder, given};
use serde_json::{Value, json};

/// A folder; what lies in it has names.
pub(crate) struct Bench(Folder);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
    }

    pub(crate) fn stem(&self, name: &str) -> PathBuf {
        self.0.stem(name)
    }

    fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        self.0.write(name, &meta, table);
    }

    fn read<T: Table>(&self, name: &str) -> T {
        self.0.read(name)
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
        let rows: Vec<(u32, i32)> = labels.iter().map(|label| (label.0, label.1)).collect();
        let confidence = labels.iter().map(|label| label.2).collect();
        let table = Labels { confidence, ..given(&rows) };
        self.write(name, scarce_stage_testing::classes(classes), table);
    }

    /// Runs a kind; its inputs are `port, name` pairs, its outputs lie under `output-PORT`.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
        output: &str,
    ) -> Result<(), Failure> {
        let Value::Object(mut params) = params else { panic!("parameters are an object") };
        params.entry("device").or_insert(json!("cpu"));
        let names = ["predictions", "model", "history", "embeddings"]
            .map(|port| (port, format!("{output}-{port}")));
        let outputs = names.iter().map(|(port, name)| (*port, name.as_str()));
        self.0.run(&crate::kinds(), kind, params.into(), inputs.iter().copied(), outputs)
    }

    pub(crate) fn predictions(&self, output: &str) -> Predictions {
        self.read(&format!("{output}-predictions"))
    }

    pub(crate) fn history(&self, output: &str) -> History {
        self.read(&format!("{output}-history"))
    }

    pub(crate) fn model(&self, output: &str) -> Model {
        self.0.model(&format!("{output}-model"))
    }

    /// Changes the model that came with `output`.
    pub(crate) fn change_model(&self, output: &str, change: impl FnOnce(&mut Model)) {
        self.0.change_model(&format!("{output}-model"), change);
    }

    /// The bytes of an output.
    pub(crate) fn bytes(&self, output: &str, file: &str) -> Vec<u8> {
        fs_err::read(self.stem(&format!("{output}-{file}"))).unwrap()
    }
}

pub(crate) fn split(id: u32) -> Split {
    if id < 1000 { Split::Train } else { Split::Test }
}
