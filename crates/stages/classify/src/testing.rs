//! For tests: a folder of small tables, and kinds run on them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use arrow::datatypes::Schema;
use scarce_artifact::{
    Classes, Embeddings, EmbeddingsMeta, LabelSource, Labels, Metric, Model, Predictions,
    RawWriter, Reader, Split, Table, Vectors, Writer,
};
use scarce_stage::{Context, Failure, Job, JobInput, PROTOCOL};
use serde_json::Value;

/// A folder; tables in it have names.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn table(&self, name: &str) -> PathBuf {
        self.stem(name).with_extension("parquet")
    }

    /// Training images with these ids and vectors.
    pub(crate) fn features(
        &self,
        name: &str,
        width: usize,
        rows: impl IntoIterator<Item = (u32, Vec<f32>)>,
    ) {
        self.features_with(name, Metric::Euclidean, width, rows);
    }

    pub(crate) fn features_with(
        &self,
        name: &str,
        metric: Metric,
        width: usize,
        rows: impl IntoIterator<Item = (u32, Vec<f32>)>,
    ) {
        let (id, vectors): (Vec<u32>, Vec<Vec<f32>>) = rows.into_iter().unzip();
        let table = Embeddings {
            split: vec![Split::Train; id.len()],
            id,
            embedding: Vectors::new(width, vectors.concat()),
        };
        let meta = EmbeddingsMeta { origin: "points".to_owned(), metric };
        Writer::write_all(&self.table(name), meta, table).unwrap();
    }

    /// `rows` points of `width` numbers between 0 and 1.
    pub(crate) fn scattered(&self, name: &str, rows: u32, width: usize) {
        let point = |id| (id, (0..width as u32).map(|c| unit(id, c)).collect());
        self.features(name, width, (0..rows).map(point));
    }

    /// `rows` points, each within 1 of a corner, in turn.
    pub(crate) fn scattered_around(&self, name: &str, corners: &[[f32; 2]], rows: u32) {
        let point = |id: u32| {
            let [x, y] = corners[id as usize % corners.len()];
            (id, vec![x + unit(id, 0), y + unit(id, 1)])
        };
        self.features(name, 2, (0..rows).map(point));
    }

    /// Rewrites a table of features.
    fn rewrite(&self, name: &str, change: impl FnOnce(Embeddings) -> Embeddings) {
        let reader = Reader::<Embeddings>::open(&self.table(name)).unwrap();
        let (meta, rows) = (reader.meta().clone(), reader.read().unwrap());
        Writer::write_all(&self.table(name), meta, change(rows)).unwrap();
    }

    pub(crate) fn reverse_features(&self, name: &str) {
        self.rewrite(name, |mut rows| {
            let width = rows.embedding.width;
            let values = rows.embedding.values.rchunks_exact(width).flatten().copied().collect();
            rows.embedding = Vectors::new(width, values);
            rows.id.reverse();
            rows.split.reverse();
            rows
        });
    }

    /// Makes images with ids from `first` on test images.
    pub(crate) fn split_from(&self, name: &str, first: u32) {
        self.rewrite(name, |mut rows| {
            for (id, split) in rows.id.iter().zip(&mut rows.split) {
                *split = if *id < first { Split::Train } else { Split::Test };
            }
            rows
        });
    }

    pub(crate) fn map_features(&self, name: &str, map: impl Fn(&[f32]) -> Vec<f32>) {
        self.change_rows(name, |_, row| row.copy_from_slice(&map(row)));
    }

    pub(crate) fn change_rows(&self, name: &str, change: impl Fn(u32, &mut [f32])) {
        self.rewrite(name, |mut rows| {
            let width = rows.embedding.width;
            for (id, row) in rows.id.iter().zip(rows.embedding.values.chunks_mut(width)) {
                change(*id, row);
            }
            rows
        });
    }

    /// Features with a NaN, which no typed writer would write.
    pub(crate) fn write_nan(&self, name: &str) {
        let rows = Embeddings {
            id: vec![0, 1],
            split: vec![Split::Train; 2],
            embedding: Vectors::new(1, vec![0.0, f32::NAN]),
        };
        let (schema, meta) = (Schema::new(rows.fields()), EmbeddingsMeta::default());
        let (table, version) = (Embeddings::NAME, Embeddings::VERSION);
        let mut writer =
            RawWriter::create(&self.table(name), table, version, schema, &meta).unwrap();
        writer.write(rows.into_arrays()).unwrap();
        writer.finish().unwrap();
    }

    pub(crate) fn labels(&self, name: &str, classes: &[&str], labels: &[(u32, i32)]) {
        self.labels_with(name, classes, labels, &vec![1.0; labels.len()]);
    }

    pub(crate) fn labels_with(
        &self,
        name: &str,
        classes: &[&str],
        labels: &[(u32, i32)],
        confidence: &[f32],
    ) {
        let table = Labels {
            id: labels.iter().map(|label| label.0).collect(),
            label: labels.iter().map(|label| label.1).collect(),
            source: vec![LabelSource::Given; labels.len()],
            confidence: confidence.to_vec(),
        };
        let classes = Classes::new(classes.iter().copied());
        Writer::write_all(&self.table(name), classes, table).unwrap();
    }

    /// Fits: predictions go to `output`, the model to `output-model`.
    pub(crate) fn fit(
        &self,
        kind: &str,
        params: Value,
        features: &str,
        labels: &str,
        output: &str,
    ) -> Result<(), Failure> {
        self.run(kind, params, [("features", features), ("labels", labels)], output)
    }

    /// Applies the model that came with `fitted`.
    pub(crate) fn predict(
        &self,
        features: &str,
        fitted: &str,
        output: &str,
    ) -> Result<(), Failure> {
        let model = format!("{fitted}-model");
        let inputs = [("features", features), ("model", model.as_str())];
        self.run("predict", Value::Null, inputs, output)
    }

    fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: [(&str, &str); 2],
        output: &str,
    ) -> Result<(), Failure> {
        let kinds = crate::kinds();
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
            outputs: BTreeMap::from([
                ("predictions".to_owned(), self.stem(output)),
                ("model".to_owned(), self.stem(&format!("{output}-model"))),
            ]),
            threads: 1,
            data: Vec::new(),
            ..Job::default()
        };
        kind.run(params, &Context::new(job, std::io::sink()))
    }

    pub(crate) fn predictions(&self, name: &str) -> Predictions {
        Reader::<Predictions>::open(&self.table(name)).unwrap().read().unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.table(name)).unwrap()
    }

    /// Changes the model that came with `fitted`.
    pub(crate) fn change_model(&self, fitted: &str, change: impl FnOnce(&mut Model)) {
        let stem = self.stem(&format!("{fitted}-model"));
        let mut model = Model::read(Path::new(&stem)).unwrap();
        change(&mut model);
        model.write(&stem).unwrap();
    }
}

/// A number in `[0, 1)` that looks random (the fraction of a large sine).
fn unit(id: u32, column: u32) -> f32 {
    let wave = (f64::from(id) * 12.9898 + f64::from(column) * 78.233 + 1.0).sin() * 43_758.545_3;
    (wave - wave.floor()) as f32
}

/// Runs `work` in a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
