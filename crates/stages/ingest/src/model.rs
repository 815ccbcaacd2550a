//! The kind `ingest-model`: a trained model out of files.

use std::path::PathBuf;

use scarce_artifact::Model;
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Of `logistic-regression`, `knn`, `propagate-logistic` and other classifiers; for `predict`.
    Classifier,
    /// Of `autoencoder` and `contrastive`; for `encode`.
    Encoder,
    /// Of `pca`; for `project`.
    Projection,
    /// Of `mlp` and `cnn`; for `neural-predict` and `neural-features`.
    Network,
}

impl Role {
    fn port(self) -> &'static str {
        match self {
            Self::Classifier => "classifier",
            Self::Encoder => "encoder",
            Self::Projection => "projection",
            Self::Network => "network",
        }
    }
}

/// Parameters of `ingest-model`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The folder that holds `model.safetensors` and `model.json`, as a stage of another run or a
    /// bundle has it.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// What the model is for: the output of that name is written.
    pub role: Role,
}

/// The kind `ingest-model`.
pub(crate) struct IngestModel;

impl Stage for IngestModel {
    type Params = Params;

    fn describe() -> Description {
        Description::new("ingest-model", "A trained model out of files")
            .needs(Needs::light())
            .learns(Learns::nothing().from_elsewhere())
            .doc(
                "Takes a model that another run trained, or that came in a bundle, into a pipeline: \
                 wire its output to `predict`, `encode`, `project`, `neural-predict` or \
                 `neural-features`. What it was learnt from nobody here knows, and reports say so.",
            )
            .output(Port::model("classifier", "classifier", "A fitted classifier").optional())
            .output(Port::model("encoder", "encoder", "A trained encoder").optional())
            .output(Port::model("projection", "projection", "A fitted projection").optional())
            .output(Port::model("network", "network", "A trained network").optional())
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let stem = params.path.join("model");
        let missing = Model::files(&stem).into_iter().find(|file| !file.is_file());
        if let Some(file) = missing {
            let message = format!("there is no `{}`", file.display());
            let help = "name the folder of a stage that trained a model, for instance \
                        `artifacts/runs/PIPELINE/STAGE`";
            return Err(Error::request(message, help).into());
        }
        context.write_model(params.role.port(), &Model::read(&stem).map_err(Error::from)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use scarce_artifact::{ModelCard, Tensor};
    use serde_json::json;

    use super::*;
    use crate::testing::{Bench, assert_failure};

    #[test]
    fn the_model_comes_out_of_the_port_of_its_role() {
        let bench = Bench::new();
        let model = Model {
            card: ModelCard {
                kind: "knn".to_owned(),
                classes: vec!["cat".to_owned()],
                architecture: json!({ "k": 1 }),
                preprocessing: json!({}),
            },
            tensors: BTreeMap::from([(
                "x".to_owned(),
                Tensor { shape: vec![2], values: vec![1.0, -2.0] },
            )]),
        };
        let folder = bench.path().join("saved");
        fs_err::create_dir(&folder).unwrap();
        model.write(&folder.join("model")).unwrap();
        bench.run("ingest-model", json!({ "path": folder, "role": "classifier" })).unwrap();
        let read = Model::read(&bench.path().join("output-classifier")).unwrap();
        assert_eq!(read, model);
        assert!(!bench.path().join("output-encoder.json").exists());
    }

    #[test]
    fn a_folder_without_a_model_is_refused() {
        let bench = Bench::new();
        let params = json!({ "path": bench.path(), "role": "encoder" });
        let result = bench.run("ingest-model", params);
        assert_failure(result, "ingest::request", &["model.safetensors", "artifacts/runs"]);
    }
}
