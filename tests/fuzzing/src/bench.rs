//! One run of a kind in a folder of its own, as a host would run it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scarce_artifact::{Reader, Table, Writer};
use scarce_stage::{Context, Failure, Job, JobInput, Kind, PROTOCOL};
use serde_json::{Map, Value};

/// A folder with a stage's inputs and outputs.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, Vec<JobInput>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), inputs: BTreeMap::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs_err::write(&path, bytes).unwrap();
        path
    }

    /// Wires a table to a port.
    pub(crate) fn wire<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        let path = self.path().join(format!("input-{port}"));
        Writer::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let (stage, port) = ("above".to_owned(), port.to_owned());
        let input = JobInput { stage, port: port.clone(), axes: Vec::new(), path };
        self.inputs.insert(port, vec![input]);
    }

    /// Runs a kind of the crate that takes data in.
    pub(crate) fn run(&self, kind: &str, params: Value) -> Result<(), Failure> {
        let kinds = scarce_ingest::kinds();
        let kind: &Kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let Value::Object(params) = params else { unreachable!("parameters are an object") };
        let ports = kind.description().outputs.iter();
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "fuzzed".to_owned(),
            params: Map::new(),
            inputs: self.inputs.clone(),
            outputs: ports.map(|port| (port.name.clone(), self.stem(&port.name))).collect(),
            threads: 1,
            ..Job::default()
        };
        let done = kind.run(params, &Context::new(job, std::io::sink()));
        if let Err(failure) = &done {
            assert!(failure.code.contains("::"), "{failure:?}");
            assert!(!failure.message.trim().is_empty(), "{failure:?}");
        }
        done
    }

    fn stem(&self, port: &str) -> PathBuf {
        self.path().join(format!("output-{port}"))
    }

    /// An output, which must be there and keep what its table promises.
    pub(crate) fn output<T: Table>(&self, port: &str) -> (T, T::Meta) {
        let reader = Reader::<T>::open(&self.stem(port).with_extension("parquet")).unwrap();
        (reader.read().unwrap(), reader.meta().clone())
    }
}

/// Holds a failure to naming the file that it is about.
pub(crate) fn assert_names(done: &Result<(), Failure>, file: &str) {
    if let Err(failure) = done {
        assert!(failure.message.contains(file), "`{file}` is not named: {failure:?}");
    }
}
