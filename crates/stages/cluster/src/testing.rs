//! For tests: a folder of small tables, and kinds run on them.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{Embeddings, EmbeddingsMeta, RawWriter, Reader, Split, Table, Vectors};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; outputs are called as their ports.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.stem(name).with_extension("parquet")
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn write<T: Table>(&self, name: &str, meta: &T::Meta, table: T) {
        let schema = Schema::new(table.fields());
        let path = self.file(name);
        let mut writer = RawWriter::create(&path, T::NAME, T::VERSION, schema, meta).unwrap();
        writer.write(table.into_arrays()).unwrap();
        writer.finish().unwrap();
    }

    pub(crate) fn features(&self, name: &str, table: Embeddings) {
        self.write(name, &EmbeddingsMeta::default(), table);
    }

    /// Runs a kind on the tables that are wired to its ports.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let input = |(port, name): &(&str, &str)| {
            let (stage, axes) = ((*name).to_owned(), Vec::new());
            let made = JobInput { stage, port: (*port).to_owned(), axes, path: self.stem(name) };
            ((*port).to_owned(), vec![made])
        };
        let output = |port: &str| (port.to_owned(), self.stem(port));
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: inputs.iter().map(input).collect(),
            outputs: BTreeMap::from([output("clusters"), output("centroids")]),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    /// Clusters features.
    pub(crate) fn fit(
        &self,
        kind: &str,
        features: &Embeddings,
        params: Value,
    ) -> Result<(), Failure> {
        self.features("features", features.clone());
        self.run(kind, params, &[("features", "features")])
    }

    pub(crate) fn open<T: Table>(&self, name: &str) -> Reader<T> {
        Reader::open(&self.file(name)).unwrap()
    }

    pub(crate) fn read<T: Table>(&self, name: &str) -> T {
        self.open(name).read().unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.file(name)).unwrap()
    }

    /// Keeps an output of the last run under another name.
    pub(crate) fn keep(&self, output: &str, name: &str) {
        fs_err::copy(self.file(output), self.file(name)).unwrap();
    }
}

/// `n` images in 4 clumps, the last tenth of them test images, in a scrambled order.
pub(crate) fn clumps(n: u32) -> Embeddings {
    // 7 has no factor in common with the numbers of rows used here.
    let id: Vec<u32> = (0..n).map(|i| i * 7 % n).collect();
    let place = |&id: &u32| {
        let corner = (id % 4) as f32 * 10.0;
        [corner + (id as f32 * 0.37).sin(), -corner + (id as f32 * 1.91).cos()]
    };
    Embeddings {
        split: id
            .iter()
            .map(|id| if id * 10 < n * 9 { Split::Pool } else { Split::Test })
            .collect(),
        embedding: Vectors::new(2, id.iter().flat_map(place).collect()),
        id,
    }
}

/// The same rows the other way round.
pub(crate) fn reversed(mut features: Embeddings) -> Embeddings {
    features.id.reverse();
    features.split.reverse();
    let width = features.embedding.width;
    let rows = features.embedding.values.rchunks_exact(width).flatten().copied().collect();
    features.embedding = Vectors::new(width, rows);
    features
}

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
