//! For tests: a folder of small tables, and kinds run on them.

use scarce_artifact::{
    Classes, Distributions, Embeddings, EmbeddingsMeta, LabelSource, Labels, Split, Table, Vectors,
};
use scarce_stage::Failure;
use scarce_stage_testing::Folder;
pub(crate) use scarce_stage_testing::{given as labels, on_threads};
use serde_json::Value;

/// A folder; the outputs go to `out` and `distributions`.
pub(crate) struct Bench(Folder);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        self.0.write(name, &meta, table);
    }

    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: [(&str, &str); 2],
    ) -> Result<(), Failure> {
        let outputs = [("labels", "out"), ("distributions", "distributions")];
        self.0.run(&crate::kinds(), kind, params, inputs, outputs)
    }

    pub(crate) fn read(&self) -> Labels {
        self.0.read("out")
    }

    pub(crate) fn distributions(&self) -> Distributions {
        self.0.read("distributions")
    }

    pub(crate) fn meta(&self) -> Classes {
        self.0.meta::<Labels>("out")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.0.bytes("out"), self.0.bytes("distributions")].concat()
    }

    /// Features `x`, the rows of `values` in the pool, with ids counted from 0.
    pub(crate) fn features(&self, width: usize, values: &[f32]) {
        let rows = values.len() / width;
        let embedding = Vectors::new(width, values.to_vec());
        let id = (0..rows as u32).collect();
        let table = Embeddings { id, split: vec![Split::Pool; rows], embedding };
        self.write("x", EmbeddingsMeta::default(), table);
    }

    /// Labels `y`, of classes `a`, `b` and so on.
    pub(crate) fn labels(&self, classes: usize, table: Labels) {
        let names = (b'a'..).take(classes).map(|name| char::from(name).to_string());
        self.write("y", Classes::new(names), table);
    }

    /// Runs a kind on `x` and `y`.
    pub(crate) fn spread(&self, kind: &str, params: Value) -> Result<Labels, Failure> {
        self.run(kind, params, [("features", "x"), ("labels", "y")])?;
        Ok(self.read())
    }
}

/// Labels of several sources.
pub(crate) fn mixed(rows: &[(u32, i32, LabelSource)]) -> Labels {
    Labels {
        source: rows.iter().map(|row| row.2).collect(),
        ..labels(&rows.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>())
    }
}
