//! For tests: a folder of small tables, and kinds run on them.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{
    Embeddings, EmbeddingsMeta, Images, ImagesMeta, Model, RawWriter, Reader, Shape, Split, Table,
    Vectors,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; outputs go to `out` and `model`.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self) -> Reader<Embeddings> {
        Reader::open(&self.stem("out.parquet")).unwrap()
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn table<T: Table>(&self, name: &str, meta: &T::Meta, table: T) {
        let path = self.stem(name).with_extension("parquet");
        let schema = Schema::new(table.fields());
        let mut writer = RawWriter::create(&path, T::NAME, T::VERSION, schema, meta).unwrap();
        writer.write(table.into_arrays()).unwrap();
        writer.finish().unwrap();
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
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let input = |(port, name): &(&str, &str)| {
            let (stage, axes) = ((*name).to_owned(), Vec::new());
            let made = JobInput { stage, port: (*port).to_owned(), axes, path: self.stem(name) };
            ((*port).to_owned(), vec![made])
        };
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: inputs.iter().map(input).collect(),
            outputs: BTreeMap::from([
                ("embeddings".to_owned(), self.stem("out")),
                ("model".to_owned(), self.stem("model")),
            ]),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn embeddings(&self) -> Embeddings {
        self.output().read().unwrap()
    }

    pub(crate) fn meta(&self) -> EmbeddingsMeta {
        self.output().meta().clone()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs_err::read(self.stem("out.parquet")).unwrap()
    }

    pub(crate) fn model(&self) -> Model {
        Model::read(&self.stem("model")).unwrap()
    }

    pub(crate) fn write_model(&self, name: &str, model: &Model) {
        model.write(&self.stem(name)).unwrap();
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

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
