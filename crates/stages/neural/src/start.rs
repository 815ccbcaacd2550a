//! An encoder whose convolutions a classifier begins with.

use std::path::PathBuf;

use scarce_artifact::{Model, Shape};
use scarce_nn::Planes;
use scarce_stage::{Context, Failure};
use serde::Deserialize;

use crate::{Error, source::Source};

/// What the weights of convolutions are called, in such an encoder and in a classifier.
pub(crate) const CONVOLUTIONS: &str = "planes.";
/// The family of encoders whose convolutions are of the same build as a classifier's.
const FAMILY: &str = "contrastive";

/// A trained encoder.
pub(crate) struct Start {
    pub(crate) model: Model,
    pub(crate) stem: PathBuf,
    pub(crate) planes: Planes,
}

/// What a card must say of the encoder.
#[derive(Deserialize)]
struct Card {
    shape: Shape,
    planes: Planes,
}

impl Start {
    /// The one that is wired to `start`, if any.
    pub(crate) fn wired(context: &Context, source: &Source) -> Result<Option<Self>, Failure> {
        let Some((model, stem)) = context.optional_model("start")? else { return Ok(None) };
        let stem = stem.to_owned();
        let wrong = |message| Error::Start { path: stem.clone(), message };
        if model.card.kind != FAMILY {
            return Err(wrong(format!("it is a `{}`", model.card.kind)).into());
        }
        let card: Result<Card, _> = serde_json::from_value(model.card.architecture.clone());
        let Card { shape, planes } = card.map_err(|error| wrong(error.to_string()))?;
        source.must_be(crate::Input::Images(shape))?;
        Ok(Some(Self { model, stem, planes }))
    }
}
