//! A fitted projection: to a model file and back, and over a table.

use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Embeddings, EmbeddingsMeta, Metric, Model, ModelCard, Tensor, Vectors};
use scarce_linear::FittedPca;
use scarce_numeric::Matrix;
use scarce_stage::{Context, Failure};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Error, source::Source};

#[derive(Serialize, Deserialize)]
struct Architecture {
    /// Numbers per image, d.
    width: usize,
    /// Numbers kept, k.
    components: usize,
    whiten: f64,
}

/// A projection as a model; `origin` says what made the vectors that it was fitted on.
pub(crate) fn save(pca: &FittedPca, origin: &str) -> Model {
    let (k, d) = (pca.len(), pca.cols);
    let shape = Architecture { width: d, components: k, whiten: pca.whiten };
    let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect();
    let tensor = |name: &str, shape: &[usize], values: Vec<f32>| {
        (name.to_owned(), Tensor { shape: shape.to_vec(), values })
    };
    Model {
        card: ModelCard {
            kind: "pca".to_owned(),
            classes: Vec::new(),
            architecture: serde_json::to_value(shape).unwrap_or_default(),
            preprocessing: json!({ "features": origin }),
        },
        tensors: BTreeMap::from([
            tensor("mean", &[d], pca.mean.clone()),
            tensor("components", &[k, d], pca.components.clone()),
            tensor("variance", &[k], narrow(&pca.explained_variance)),
            tensor("ratio", &[k], narrow(&pca.explained_ratio)),
        ]),
    }
}

/// The projection that [`save`] made a model of. `path` names it in messages.
pub(crate) fn load(model: &Model, path: &Path) -> Result<FittedPca, Error> {
    let damaged = |message: String| {
        Error::Table(scarce_artifact::Error::Model { path: path.to_owned(), message })
    };
    if model.card.kind != "pca" {
        return Err(damaged(format!("it is of kind `{}`, expected `pca`", model.card.kind)));
    }
    let Architecture { width, components, whiten } =
        serde_json::from_value(model.card.architecture.clone())
            .map_err(|error| damaged(format!("its architecture is wrong: {error}")))?;
    if width == 0 || components == 0 {
        return Err(damaged(format!("it has {components} components of {width} numbers")));
    }
    let take = |name: &str, shape: &[usize]| -> Result<Vec<f32>, Error> {
        Ok(model.tensor(path, name, shape)?.values.clone())
    };
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    Ok(FittedPca {
        cols: width,
        mean: take("mean", &[width])?,
        components: take("components", &[components, width])?,
        explained_variance: wide(take("variance", &[components])?),
        explained_ratio: wide(take("ratio", &[components])?),
        whiten,
    })
}

/// Writes `embeddings`: every vector of the source projected.
pub(crate) fn apply(context: &Context, pca: &FittedPca, source: &Source) -> Result<(), Failure> {
    let features = source.width()?;
    if features != pca.cols {
        return Err(Error::Width { model: pca.cols, features }.into());
    }
    let meta = EmbeddingsMeta { origin: "pca".to_owned(), metric: Metric::Euclidean };
    let mut writer = context.writer::<Embeddings>("embeddings", meta)?;
    let mut done = 0;
    for batch in source.batches()? {
        let Embeddings { id, split, embedding } = batch?;
        done += id.len() as u64;
        let x = Matrix::new(&embedding.values, id.len(), embedding.width).map_err(Error::from)?;
        let embedding = Vectors::new(pca.len(), pca.transform(x).map_err(Error::from)?);
        writer.write(Embeddings { id, split, embedding })?;
        context.progress(done, source.rows() as u64, "images", "projecting");
    }
    writer.finish()?;
    Ok(())
}
