//! For tests: a folder of small tables, and kinds run on them.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Split, Vectors};
use scarce_stage::Failure;
use scarce_stage_testing::Folder;
pub(crate) use scarce_stage_testing::on_threads;
use serde_json::Value;

/// A folder; outputs are called as their ports.
pub(crate) struct Bench(Folder);

impl std::ops::Deref for Bench {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.0
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self(Folder::new())
    }

    pub(crate) fn features(&self, name: &str, table: Embeddings) {
        self.write(name, &EmbeddingsMeta::default(), table);
    }

    /// Runs a kind on the tables that are wired to its ports.
    pub(crate) fn run(
        &self,
        kind: &str,
        params: Value,
        inputs: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let outputs = ["clusters", "centroids"].map(|port| (port, port));
        self.0.run(&crate::kinds(), kind, params, inputs.iter().copied(), outputs)
    }

    /// Clusters features.
    pub(crate) fn fit(
        &self,
        kind: &str,
        features: &Embeddings,
        params: Value,
    ) -> Result<(), Failure> {
        self.features("features", features.clone());
        self.run(kind, params, &[("features", "features")])
    }

    /// Keeps an output of the last run under another name.
    pub(crate) fn keep(&self, output: &str, name: &str) {
        fs_err::copy(self.table(output), self.table(name)).unwrap();
    }
}

/// `n` images in 4 clumps, the last tenth of them test images, in a scrambled order.
pub(crate) fn clumps(n: u32) -> Embeddings {
    // 7 has no factor in common with the numbers of rows used here.
    let id: Vec<u32> = (0..n).map(|i| i * 7 % n).collect();
    let place = |&id: &u32| {
        let corner = (id % 4) as f32 * 10.0;
        [corner + (id as f32 * 0.37).sin(), -corner + (id as f32 * 1.91).cos()]
    };
    Embeddings {
        split: id
            .iter()
            .map(|id| if id * 10 < n * 9 { Split::Pool } else { Split::Test })
            .collect(),
        embedding: Vectors::new(2, id.iter().flat_map(place).collect()),
        id,
    }
}

/// The same rows the other way round.
pub(crate) fn reversed(mut features: Embeddings) -> Embeddings {
    features.id.reverse();
    features.split.reverse();
    let width = features.embedding.width;
    let rows = features.embedding.values.rchunks_exact(width).flatten().copied().collect();
    features.embedding = Vectors::new(width, rows);
    features
}
