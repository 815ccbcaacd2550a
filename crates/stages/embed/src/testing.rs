//! For tests: a folder of small tables, and kinds run on them.

use scarce_artifact::{
    Embeddings, EmbeddingsMeta, Images, ImagesMeta, Model, Shape, Split, Table, Vectors,
};
use scarce_stage::Failure;
use scarce_stage_testing::Folder;
pub(crate) use scarce_stage_testing::on_threads;
use serde_json::Value;

/// A folder; outputs go to `out` and `model`.
pub(crate) struct Bench(Folder);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn table<T: Table>(&self, name: &str, meta: &T::Meta, table: T) {
        self.0.write(name, meta, table);
    }

    pub(crate) fn features(&self, name: &str, table: Embeddings) {
        self.table(name, &EmbeddingsMeta::default(), table);
    }

    /// Images of 1 × 4 grey pixels.
    pub(crate) fn images(&self, name: &str, (table, max_value): (Images, u8)) {
        let shape = Shape { height: 1, width: 4, channels: 1 };
        self.table(
            name,
            &ImagesMeta { shape, dataset: "test".to_owned(), max_value, ..Default::default() },
            table,
        );
    }

    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let outputs = [("embeddings", "out"), ("model", "model")];
        self.0.run(&crate::kinds(), kind, params, inputs.iter().copied(), outputs)
    }

    pub(crate) fn embeddings(&self) -> Embeddings {
        self.0.read("out")
    }

    pub(crate) fn meta(&self) -> EmbeddingsMeta {
        self.0.meta::<Embeddings>("out")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.bytes("out")
    }

    pub(crate) fn model(&self) -> Model {
        self.0.model("model")
    }

    pub(crate) fn write_model(&self, name: &str, model: &Model) {
        model.write(&self.0.stem(name)).unwrap();
    }

    /// Copies the model of the last run.
    pub(crate) fn keep_model(&self, name: &str) {
        self.write_model(name, &self.model());
    }
}

/// `n` training images whose pixels are `value(id, pixel)`, and the largest value.
pub(crate) fn images(n: u32, max_value: u8, value: impl Fn(u32, u32) -> u8) -> (Images, u8) {
    let images = Images {
        id: (0..n).collect(),
        split: vec![Split::Train; n as usize],
        source: (0..n).map(|id| id.to_string()).collect(),
        pixels: Vectors::new(4, (0..n * 4).map(|at| value(at / 4, at % 4)).collect()),
    };
    (images, max_value)
}
