//! For tests: a folder to run `kmeans` in.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{Embeddings, EmbeddingsMeta, RawWriter, Reader, Table};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `kmeans` on features, which may hold what no typed writer would write.
    pub(crate) fn run(&self, features: Embeddings, params: Value) -> Result<(), Failure> {
        let path = self.stem("features.parquet");
        let (schema, meta) = (Schema::new(features.fields()), EmbeddingsMeta::default());
        let (table, version) = (Embeddings::NAME, Embeddings::VERSION);
        let mut writer = RawWriter::create(&path, table, version, schema, &meta).unwrap();
        writer.write(features.into_arrays()).unwrap();
        writer.finish().unwrap();

        let (stage, port) = ("pixels".to_owned(), "embeddings".to_owned());
        let input = JobInput { stage, port, axes: Vec::new(), path: self.stem("features") };
        let output = |port: &str| (port.to_owned(), self.stem(port));
        let job = Job {
            protocol: PROTOCOL,
            kind: "kmeans".to_owned(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: BTreeMap::from([("features".to_owned(), vec![input])]),
            outputs: BTreeMap::from([output("clusters"), output("centroids")]),
            threads: 1,
            data: Vec::new(),
            lineage: Vec::new(),
        };
        let params = job.params.clone();
        crate::kinds()[0].run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn read<T: Table>(&self, name: &str) -> T {
        Reader::open(&self.stem(name).with_extension("parquet")).unwrap().read().unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.stem(name).with_extension("parquet")).unwrap()
    }
}

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
