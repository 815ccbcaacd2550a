//! For tests: a folder of small tables, and kinds run on them.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{
    Classes, Distributions, Embeddings, EmbeddingsMeta, LabelSource, Labels, RawWriter, Reader,
    Split, Table, Vectors,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; the outputs go to `out` and `distributions`.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self) -> Reader<Labels> {
        Reader::open(&self.stem("out.parquet")).unwrap()
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub(crate) fn write<T: Table>(&self, name: &str, meta: T::Meta, table: T) {
        let path = self.stem(name).with_extension("parquet");
        let schema = Schema::new(table.fields());
        let mut writer = RawWriter::create(&path, T::NAME, T::VERSION, schema, &meta).unwrap();
        writer.write(table.into_arrays()).unwrap();
        writer.finish().unwrap();
    }

    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: [(&str, &str); 2],
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let input = |(port, name): (&str, &str)| {
            let (stage, axes) = (name.to_owned(), Vec::new());
            let made = JobInput { stage, port: port.to_owned(), axes, path: self.stem(name) };
            (port.to_owned(), vec![made])
        };
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: inputs.into_iter().map(input).collect(),
            outputs: BTreeMap::from([
                ("labels".to_owned(), self.stem("out")),
                ("distributions".to_owned(), self.stem("distributions")),
            ]),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn read(&self) -> Labels {
        self.output().read().unwrap()
    }

    pub(crate) fn distributions(&self) -> Distributions {
        Reader::open(&self.stem("distributions.parquet")).unwrap().read().unwrap()
    }

    pub(crate) fn meta(&self) -> Classes {
        self.output().meta().clone()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let of = |name: &str| fs_err::read(self.stem(name)).unwrap_or_default();
        [of("out.parquet"), of("distributions.parquet")].concat()
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

/// Given labels.
pub(crate) fn labels(labels: &[(u32, i32)]) -> Labels {
    Labels {
        id: labels.iter().map(|label| label.0).collect(),
        label: labels.iter().map(|label| label.1).collect(),
        source: vec![LabelSource::Given; labels.len()],
        confidence: vec![1.0; labels.len()],
    }
}

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Labels of several sources.
pub(crate) fn mixed(rows: &[(u32, i32, LabelSource)]) -> Labels {
    Labels {
        source: rows.iter().map(|row| row.2).collect(),
        ..labels(&rows.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>())
    }
}
