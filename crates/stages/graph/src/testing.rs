//! For tests: a folder of small tables, and kinds run on them.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{
    Classes, Embeddings, EmbeddingsMeta, LabelSource, Labels, RawWriter, Reader, Split, Table,
    Vectors,
};
use scarce_numeric::random;
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        let path = self.stem(name).with_extension("parquet");
        let schema = Schema::new(table.fields());
        let mut writer = RawWriter::create(&path, T::NAME, T::VERSION, schema, &meta).unwrap();
        writer.write(table.into_arrays()).unwrap();
        writer.finish().unwrap();
    }

    pub(crate) fn read<T: Table>(&self, name: &str) -> (T, T::Meta) {
        let reader = Reader::<T>::open(&self.stem(name).with_extension("parquet")).unwrap();
        (reader.read().unwrap(), reader.meta().clone())
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.stem(name).with_extension("parquet")).unwrap()
    }

    /// Runs a kind; every output is written under the name of its port.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let input = |&(port, name): &(&str, &str)| {
            let (stage, axes) = (name.to_owned(), Vec::new());
            let made = JobInput { stage, port: port.to_owned(), axes, path: self.stem(name) };
            (port.to_owned(), vec![made])
        };
        let output = |port: &scarce_stage::Port| {
            (port.name.clone(), self.stem(&format!("{}-out", port.name)))
        };
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: inputs.iter().map(input).collect::<BTreeMap<_, _>>(),
            outputs: kind.description().outputs.iter().map(output).collect(),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
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
        let table = Labels {
            id: labels.iter().map(|label| label.0).collect(),
            label: labels.iter().map(|label| label.1).collect(),
            source: vec![LabelSource::Given; labels.len()],
            confidence: vec![1.0; labels.len()],
        };
        self.write("y", Classes::new(["a", "b", "c"]), table);
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

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
