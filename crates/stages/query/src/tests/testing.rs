//! A folder of small tables, and the kind run on them.

use std::{collections::BTreeMap, path::PathBuf};

use scarce_artifact::{Queries, Reader, Table, Writer};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; the output goes to `out`.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, Vec<JobInput>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), inputs: BTreeMap::new() }
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Wires a table to a port, in place of what was there.
    pub(crate) fn wire<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        self.inputs.remove(port);
        self.also(port, meta, table);
    }

    /// Wires one more table to a port.
    pub(crate) fn also<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        let wired = self.inputs.get(port).map_or(0, Vec::len);
        let (stage, path) = (format!("{port}-{wired}"), self.stem(&format!("{port}-{wired}")));
        Writer::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let input = JobInput { stage, port: port.to_owned(), axes: Vec::new(), path };
        self.inputs.entry(port.to_owned()).or_default().push(input);
    }

    /// Runs `query`.
    pub(crate) fn run(&self, params: Value) -> Result<(), Failure> {
        self.run_kind("query", params)
    }

    pub(crate) fn run_kind(&self, kind: &str, params: Value) -> Result<(), Failure> {
        let kinds = crate::kinds();
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: self.inputs.clone(),
            outputs: BTreeMap::from([("queries".to_owned(), self.stem("out"))]),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn read(&self) -> Queries {
        Reader::open(&self.stem("out.parquet")).unwrap().read().unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs_err::read(self.stem("out.parquet")).unwrap()
    }
}
