//! A folder of small tables, and the kind run on them.

use std::{collections::BTreeMap, path::PathBuf};

use scarce_artifact::{Queries, Reader, Table, Writer};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; the output goes to `out`.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, Vec<JobInput>>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), inputs: BTreeMap::new() }
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Wires a table to a port, in place of what was there.
    pub(super) fn wire<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        self.inputs.remove(port);
        self.also(port, meta, table);
    }

    /// Wires one more table to a port.
    pub(super) fn also<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        let wired = self.inputs.get(port).map_or(0, Vec::len);
        let (stage, path) = (format!("{port}-{wired}"), self.stem(&format!("{port}-{wired}")));
        Writer::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let input = JobInput { stage, port: port.to_owned(), axes: Vec::new(), path };
        self.inputs.entry(port.to_owned()).or_default().push(input);
    }

    pub(super) fn run(&self, params: Value) -> Result<(), Failure> {
        let kind = crate::kinds().remove(0);
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            inputs: self.inputs.clone(),
            outputs: BTreeMap::from([("queries".to_owned(), self.stem("out"))]),
            threads: 1,
            data: Vec::new(),
            lineage: Vec::new(),
        };
        let params = job.params.clone();
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(super) fn read(&self) -> Queries {
        Reader::open(&self.stem("out.parquet")).unwrap().read().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs_err::read(self.stem("out.parquet")).unwrap()
    }
}
