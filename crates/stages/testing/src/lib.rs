//! For the tests of stage crates: a folder of small tables, and kinds run on them as a host would.
//!
//! A crate's own harness holds a [`Folder`] and adds what its tables look like.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests fail so")]

use std::path::PathBuf;

use arrow::datatypes::Schema;
use scarce_artifact::{Classes, LabelSource, Labels, Model, RawWriter, Reader, Table};
use scarce_stage::{Context, Failure, Job, JobInput, Kind, PROTOCOL};
use serde_json::Value;

/// A temporary folder in which tables and models have names.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where something lies, without extension.
    pub fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where a table lies.
    pub fn table(&self, name: &str) -> PathBuf {
        self.stem(name).with_extension("parquet")
    }

    /// Writes a table, which may hold what no typed writer would write.
    pub fn write<T: Table>(&self, name: &str, meta: &T::Meta, table: T) {
        let schema = Schema::new(table.fields());
        let path = self.table(name);
        let mut writer = RawWriter::create(&path, T::NAME, T::VERSION, schema, meta).unwrap();
        writer.write(table.into_arrays()).unwrap();
        writer.finish().unwrap();
    }

    /// A table, opened.
    pub fn open<T: Table>(&self, name: &str) -> Reader<T> {
        Reader::open(&self.table(name)).unwrap()
    }

    /// All rows of a table.
    pub fn read<T: Table>(&self, name: &str) -> T {
        self.open(name).read().unwrap()
    }

    /// What a table says of all its rows.
    pub fn meta<T: Table>(&self, name: &str) -> T::Meta {
        self.open::<T>(name).meta().clone()
    }

    /// The bytes of a table's file; none if it is not there.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.table(name)).unwrap_or_default()
    }

    /// A model.
    pub fn model(&self, name: &str) -> Model {
        Model::read(&self.stem(name)).unwrap()
    }

    /// Changes a model where it lies.
    pub fn change_model(&self, name: &str, change: impl FnOnce(&mut Model)) {
        let mut model = self.model(name);
        change(&mut model);
        model.write(&self.stem(name)).unwrap();
    }

    /// Runs one of `kinds` on what lies under these names, as `(port, name)`; `outputs` are called so too.
    ///
    /// # Errors
    /// What the stage fails with.
    pub fn run<'a>(
        &self,
        kinds: &[Kind],
        kind: &str,
        params: Value,
        inputs: impl IntoIterator<Item = (&'a str, &'a str)>,
        outputs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Failure> {
        let kind = kinds.iter().find(|known| known.description().kind == kind).unwrap();
        let params = params.as_object().cloned().unwrap_or_default();
        let input = |(port, name): (&str, &str)| {
            let (stage, axes) = (name.to_owned(), Vec::new());
            let made = JobInput { stage, port: port.to_owned(), axes, path: self.stem(name) };
            (port.to_owned(), vec![made])
        };
        let job = Job {
            protocol: PROTOCOL,
            kind: kind.description().kind.clone(),
            stage: "tested".to_owned(),
            params: params.clone(),
            inputs: inputs.into_iter().map(input).collect(),
            outputs: outputs
                .into_iter()
                .map(|(port, name)| (port.to_owned(), self.stem(name)))
                .collect(),
            threads: 1,
            ..Job::default()
        };
        kind.run(params, &Context::new(job, std::io::sink()))
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

/// Labels that were given.
pub fn given(labels: &[(u32, i32)]) -> Labels {
    Labels {
        id: labels.iter().map(|label| label.0).collect(),
        label: labels.iter().map(|label| label.1).collect(),
        source: vec![LabelSource::Given; labels.len()],
        confidence: vec![1.0; labels.len()],
    }
}

/// Classes of these names.
pub fn classes(names: &[&str]) -> Classes {
    Classes::new(names.iter().copied())
}

/// Runs `work` in a pool of so many threads.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// A number in `[0, 1)` that looks random (the fraction of a large sine).
pub fn unit(id: u32, column: u32) -> f32 {
    let wave = (f64::from(id) * 12.9898 + f64::from(column) * 78.233 + 1.0).sin() * 43_758.545_3;
    (wave - wave.floor()) as f32
}
