//! Running a kind in a temporary folder, as a host would.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use scarce_artifact::{Reader, Table, Writer};
use scarce_stage::{Context, Failure, Job, JobInput, Kind, PROTOCOL};
use serde_json::{Map, Value};

/// A folder with inputs and outputs of one stage.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, Vec<JobInput>>,
    data: Vec<PathBuf>,
}

/// Progress events go here.
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), inputs: BTreeMap::new(), data: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, bytes).unwrap();
        path
    }

    /// Wires a table to a port.
    pub(crate) fn wire<T: Table>(&mut self, port: &str, meta: T::Meta, table: T) {
        let path = self.path().join(format!("input-{port}"));
        Writer::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let input =
            JobInput { stage: "above".to_owned(), port: port.to_owned(), axes: Vec::new(), path };
        self.inputs.insert(port.to_owned(), vec![input]);
    }

    /// Wires one more table to a port that takes many, from another stage.
    pub(crate) fn also<T: Table>(&mut self, port: &str, stage: &str, meta: T::Meta, table: T) {
        let path = self.path().join(format!("input-{port}-{stage}"));
        Writer::write_all(&path.with_extension("parquet"), meta, table).unwrap();
        let (stage, name) = (stage.to_owned(), port.to_owned());
        let input = JobInput { stage, port: name.clone(), axes: Vec::new(), path };
        self.inputs.entry(name).or_default().push(input);
    }

    /// A folder where data sets lie.
    pub(crate) fn data(&mut self, path: &Path) {
        self.data.push(path.to_owned());
    }

    /// Runs a kind with parameters given as a JSON object.
    pub(crate) fn run(&self, kind: &str, params: Value) -> Result<(), Failure> {
        let kind = crate::kinds().into_iter().find(|k| k.description().kind == kind).unwrap();
        self.run_kind(&kind, params)
    }

    fn run_kind(&self, kind: &Kind, params: Value) -> Result<(), Failure> {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        let outputs = kind.description().outputs.iter();
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: Map::new(),
            inputs: self.inputs.clone(),
            outputs: outputs
                .map(|port| (port.name.clone(), self.output_stem(&port.name)))
                .collect(),
            threads: 1,
            data: self.data.clone(),
            ..Job::default()
        };
        let events = Arc::new(Mutex::new(Vec::new()));
        kind.run(params, &Context::new(job, Sink(Arc::clone(&events))))
    }

    fn output_stem(&self, port: &str) -> PathBuf {
        self.path().join(format!("output-{port}"))
    }

    /// The file of an output.
    pub(crate) fn output_path(&self, port: &str) -> PathBuf {
        self.output_stem(port).with_extension("parquet")
    }

    /// An output table with its metadata.
    pub(crate) fn output<T: Table>(&self, port: &str) -> (T, T::Meta) {
        let reader = Reader::<T>::open(&self.output_path(port)).unwrap();
        (reader.read().unwrap(), reader.meta().clone())
    }

    /// Whether an output was written.
    pub(crate) fn wrote(&self, port: &str) -> bool {
        self.output_path(port).exists()
    }
}

/// Asserts that a failure has a code and that its message and help hold these words.
#[track_caller]
pub(crate) fn assert_failure(result: Result<(), Failure>, code: &str, words: &[&str]) {
    let failure = result.expect_err("it went through");
    assert_eq!(failure.code, code, "{failure:?}");
    let text = format!("{} {}", failure.message, failure.help.unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}
