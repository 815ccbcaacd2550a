//! For tests: a folder of small tables, and kinds run on them.

use std::{collections::BTreeMap, path::PathBuf};

use arrow::datatypes::Schema;
use scarce_artifact::{Classes, LabelSource, Labels, RawWriter, Reader, Table};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; the output goes to `out`.
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
            outputs: BTreeMap::from([("labels".to_owned(), self.stem("out"))]),
            threads: 1,
            data: Vec::new(),
            lineage: Vec::new(),
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn read(&self) -> Labels {
        self.output().read().unwrap()
    }

    pub(crate) fn meta(&self) -> Classes {
        self.output().meta().clone()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs_err::read(self.stem("out.parquet")).unwrap()
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
