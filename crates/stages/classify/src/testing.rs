//! For tests: a folder of small tables, and kinds run on them.

use scarce_artifact::{
    Embeddings, EmbeddingsMeta, Labels, Metric, Model, Predictions, Split, Vectors,
};
use scarce_stage::Failure;
pub(crate) use scarce_stage_testing::on_threads;
use scarce_stage_testing::{Folder, classes, given, unit};
use serde_json::Value;

/// A folder; tables in it have names.
pub(crate) struct Bench(Folder);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
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
        self.0.write(name, &meta, table);
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
        let meta = self.0.meta::<Embeddings>(name);
        self.0.write(name, &meta, change(self.0.read(name)));
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
        self.0.write(name, &EmbeddingsMeta::default(), rows);
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
        let table = Labels { confidence: confidence.to_vec(), ..given(labels) };
        self.0.write(name, &self::classes(classes), table);
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
        let model = format!("{output}-model");
        let outputs = [("predictions", output), ("model", model.as_str())];
        self.0.run(&crate::kinds(), kind, params, inputs, outputs)
    }

    pub(crate) fn predictions(&self, name: &str) -> Predictions {
        self.0.read(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.0.bytes(name)
    }

    /// Changes the model that came with `fitted`.
    pub(crate) fn change_model(&self, fitted: &str, change: impl FnOnce(&mut Model)) {
        self.0.change_model(&format!("{fitted}-model"), change);
    }
}
