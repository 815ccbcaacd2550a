//! Models as artifacts: weights as safetensors, everything else as a JSON card beside them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A tensor of 32-bit floats, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The values; their number is the product of the shape.
    pub values: Vec<f32>,
}

/// What a model is, beside its weights; enough to rebuild it and to predict with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The model family, for instance `logistic-regression` or `autoencoder`.
    pub kind: String,
    /// Class names in label order; empty where the model knows no classes.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Whatever the family needs to rebuild the model: layers, widths, k, metric.
    pub architecture: serde_json::Value,
    /// What was done to the input before the model saw it.
    #[serde(default)]
    pub preprocessing: serde_json::Value,
}

/// A model: card and weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What it is.
    pub card: ModelCard,
    /// Its weights by name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl Model {
    /// The two files of a model whose path is `stem`: weights, card.
    pub fn files(stem: &Path) -> [PathBuf; 2] {
        [stem.with_extension("safetensors"), stem.with_extension("json")]
    }

    /// Writes `stem.safetensors` and `stem.json`.
    ///
    /// # Errors
    /// When a number is not finite or the disk refuses.
    pub fn write(&self, stem: &Path) -> Result<()> {
        let [weights, card] = Self::files(stem);
        let error = |message: String| Error::Model { path: weights.clone(), message };
        let mut bytes = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            if tensor.values.iter().any(|value| !value.is_finite()) {
                let (path, weight) = (weights.clone(), name.clone());
                return Err(Error::NotFinite { path, weight });
            }
            let raw: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            bytes.insert(name, (tensor.shape.clone(), raw));
        }
        let mut views = Vec::with_capacity(bytes.len());
        for (name, (shape, raw)) in &bytes {
            let view = TensorView::new(Dtype::F32, shape.clone(), raw)
                .map_err(|e| error(format!("weight `{name}`: {e}")))?;
            views.push(((*name).clone(), view));
        }
        let packed = safetensors::serialize(views, None).map_err(|e| error(e.to_string()))?;
        write_synced(&weights, &packed)?;
        let text = serde_json::to_vec_pretty(&self.card).map_err(|e| error(e.to_string()))?;
        write_synced(&card, &text)
    }

    /// Reads both files back.
    ///
    /// # Errors
    /// When a file is missing, damaged or not of 32-bit floats.
    pub fn read(stem: &Path) -> Result<Self> {
        let [weights, card_path] = Self::files(stem);
        let text = fs_err::read(&card_path)?;
        let card = serde_json::from_slice(&text)
            .map_err(|e| Error::Model { path: card_path, message: e.to_string() })?;
        let error = |message: String| Error::Model { path: weights.clone(), message };
        let packed = fs_err::read(&weights)?;
        let views = SafeTensors::deserialize(&packed).map_err(|e| error(e.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in views.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(error(format!("weight `{name}` is {:?}, expected F32", view.dtype())));
            }
            let values: Vec<f32> = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            if values.iter().any(|value| !value.is_finite()) {
                return Err(error(format!("weight `{name}` holds a number that is not finite")));
            }
            tensors.insert(name, Tensor { shape: view.shape().to_vec(), values });
        }
        Ok(Self { card, tensors })
    }

    /// The named weight, checked against a shape.
    ///
    /// # Errors
    /// When it is missing or of another shape. `stem` names the model in the message.
    pub fn tensor(&self, stem: &Path, name: &str, shape: &[usize]) -> Result<&Tensor> {
        let error = |message: String| Error::Model { path: stem.to_owned(), message };
        let tensor =
            self.tensors.get(name).ok_or_else(|| error(format!("it has no weight `{name}`")))?;
        if tensor.shape != shape {
            let found = &tensor.shape;
            return Err(error(format!("weight `{name}` has shape {found:?}, expected {shape:?}")));
        }
        Ok(tensor)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}
