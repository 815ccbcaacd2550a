//! For tests: a folder of small tables, and kinds run on them.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Split, Table, Vectors};
use scarce_numeric::random;
use scarce_stage::Failure;
pub(crate) use scarce_stage_testing::on_threads;
use scarce_stage_testing::{Folder, classes, given};
use serde_json::Value;

/// A folder.
pub(crate) struct Bench(Folder);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        self.0.write(name, &meta, table);
    }

    pub(crate) fn read<T: Table>(&self, name: &str) -> (T, T::Meta) {
        (self.0.read(name), self.0.meta::<T>(name))
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.0.bytes(name)
    }

    /// Runs a kind; every output is written under the name of its port and `-out`.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let description =
            kinds.iter().map(scarce_stage::Kind::description).find(|known| known.kind == kind);
        let ports = description.unwrap().outputs.iter().map(|port| port.name.clone());
        let names: Vec<(String, String)> =
            ports.map(|port| (port.clone(), format!("{port}-out"))).collect();
        let outputs = names.iter().map(|(port, name)| (port.as_str(), name.as_str()));
        self.0.run(&kinds, kind, params, inputs.iter().copied(), outputs)
    }

    /// Makes a graph of the features `x`.
    pub(crate) fn graph(&self, params: Value) -> Result<(), Failure> {
        self.run("neighbour-graph", params, &[("features", "x")])
    }

    /// Lets the labels `y` flow over the graph made before.
    pub(crate) fn propagate(&self, params: Value) -> Result<(), Failure> {
        let inputs = [("nodes", "nodes-out"), ("edges", "edges-out"), ("labels", "y")];
        self.run("propagate-graph", params, &inputs)
    }

    /// Predicts the features `x` beside the distributions found before.
    pub(crate) fn predict(&self, params: Value) -> Result<(), Failure> {
        let inputs = [("features", "x"), ("distributions", "distributions-out")];
        self.run("graph-predict", params, &inputs)
    }

    pub(crate) fn features(&self, features: Embeddings) {
        self.write("x", EmbeddingsMeta::default(), features);
    }

    pub(crate) fn labels(&self, labels: &[(u32, i32)]) {
        self.write("y", classes(&["a", "b", "c"]), given(labels));
    }
}

/// Three round clouds around (0, 0), (8, 0) and (0, 8); the image i lies in cloud i modulo 3, and
/// every fifth is a test image.
pub(crate) fn clouds(images: u32) -> Embeddings {
    use rand::RngExt;
    let centres = [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]];
    let point = |id: u32| {
        let mut rng = random::stream(1, "clouds", u64::from(id));
        let centre: [f32; 2] = centres[id as usize % 3];
        centre.map(|at| at + (0..6).map(|_| rng.random_range(-1.0..1.0f32)).sum::<f32>())
    };
    let split = |id: u32| if id % 5 == 4 { Split::Test } else { Split::Train };
    Embeddings {
        id: (0..images).collect(),
        split: (0..images).map(split).collect(),
        embedding: Vectors::new(2, (0..images).flat_map(point).collect()),
    }
}

/// The same rows in another order.
pub(crate) fn turned(features: &Embeddings) -> Embeddings {
    let rows: Vec<usize> = (0..features.id.len()).rev().collect();
    Embeddings {
        id: rows.iter().map(|&row| features.id[row]).collect(),
        split: rows.iter().map(|&row| features.split[row]).collect(),
        embedding: Vectors::new(
            features.embedding.width,
            rows.iter().flat_map(|&row| features.embedding.row(row)).copied().collect(),
        ),
    }
}
