//! Parameters of `ingest-embeddings`.

use std::path::PathBuf;

use scarce_artifact::Metric;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::Sampling;

/// Parameters of `ingest-embeddings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A Parquet file with a column of vectors, or a `.npy` file `[n, d]` in C order. Numbers are
    /// 16, 32 or 64 bits wide and become 32.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// A second file of the same form with the test rows; those of `path` are then `train`.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub test_path: Option<PathBuf>,
    /// With `.npy`: the true classes of `path`, one per row: `.npy` of whole numbers, or CSV with a
    /// column `label` or `class` (or a single column).
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub truth: Option<PathBuf>,
    /// With `.npy`: the true classes of `test_path`.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub test_truth: Option<PathBuf>,
    /// With Parquet: the column of vectors, all of one length.
    #[serde(default = "embedding")]
    pub embedding_column: String,
    /// With Parquet: the column of ids; otherwise rows are counted from 0, `path` before
    /// `test_path`.
    #[serde(default)]
    pub id_column: Option<String>,
    /// With Parquet: the column of true classes, words or numbers from 0 (with Hugging Face's
    /// `ClassLabel` the names are those of the file).
    #[serde(default)]
    pub label_column: Option<String>,
    /// With Parquet: the column that says `train`, `test` or `pool`.
    #[serde(default)]
    pub split_column: Option<String>,
    /// Names of the classes in label order; otherwise the sorted words or the numbers themselves.
    #[serde(default)]
    pub classes: Vec<String>,
    /// How distances between the vectors are meant.
    #[serde(default)]
    #[schemars(schema_with = "metric_schema")]
    pub metric: Metric,
    /// What made the vectors, for the record: `clip`, `dino`, …
    #[serde(default = "own")]
    pub origin: String,
    /// Keep so many rows of every split, at random, for trying things out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub limit: Option<u32>,
    /// Share of the rows to hold out as `test`, at random, where there is no test split; the rest
    /// is then `train`. With 0 all such rows are `pool`.
    #[serde(default)]
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub test_fraction: f64,
    /// Seed of `limit` and `test_fraction`.
    #[serde(default)]
    pub seed: u64,
    /// Leave out vectors that are missing or hold NaN or an infinity, with a warning, rather than
    /// stop. The others keep their numbers.
    #[serde(default)]
    pub skip_invalid: bool,
}

fn embedding() -> String {
    "embedding".to_owned()
}

fn own() -> String {
    "own".to_owned()
}

fn metric_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "enum": ["euclidean", "cosine"] })
}

impl Params {
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling { limit: self.limit, test_fraction: self.test_fraction, seed: self.seed }
    }
}
