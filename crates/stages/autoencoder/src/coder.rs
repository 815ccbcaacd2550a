//! Whatever makes codes of images.

use std::path::Path;

use scarce_artifact::{EmbeddingsMeta, Metric, ModelCard, Shape};
use scarce_nn::tch::Tensor;
use scarce_nn::{self as nn, Mode, Variables};

use crate::views::{self, Sketch, Views};
use crate::{Blueprint, Encoder, Error};

/// A network of this crate, as a saved model's card describes it.
pub(crate) enum Plan {
    Autoencoder(Blueprint),
    Contrastive(Sketch),
}

impl Plan {
    /// Reads it off a saved model's card; `path` names the model in messages.
    pub(crate) fn of_card(card: &ModelCard, path: &Path) -> Result<Self, Error> {
        if card.kind != views::KIND {
            return Ok(Self::Autoencoder(Blueprint::of_card(card, path)?));
        }
        let sketch = serde_json::from_value(card.architecture.clone());
        let sketch = sketch.map_err(|error| Error::NotAnAutoencoder {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        Ok(Self::Contrastive(sketch))
    }

    /// The shape of the images it is for.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Autoencoder(blueprint) => blueprint.shape,
            Self::Contrastive(sketch) => sketch.shape,
        }
    }

    /// Numbers in a code.
    pub(crate) fn latent(&self) -> usize {
        match self {
            Self::Autoencoder(blueprint) => blueprint.latent,
            Self::Contrastive(sketch) => sketch.latent,
        }
    }

    /// What the codes are, and how they are meant to be compared.
    pub(crate) fn meta(&self) -> EmbeddingsMeta {
        let (origin, metric) = match self {
            Self::Autoencoder(_) => ("autoencoder", Metric::Euclidean),
            Self::Contrastive(_) => (views::KIND, Metric::Cosine),
        };
        EmbeddingsMeta { origin: origin.to_owned(), metric }
    }
}

/// Such a network.
pub(crate) enum Coder {
    Autoencoder(Encoder),
    Contrastive(Views),
}

impl Coder {
    pub(crate) fn new(variables: &Variables, plan: &Plan) -> Result<Self, nn::Error> {
        Ok(match plan {
            Plan::Autoencoder(blueprint) => Self::Autoencoder(Encoder::new(variables, blueprint)?),
            Plan::Contrastive(sketch) => Self::Contrastive(Views::new(variables, sketch)?),
        })
    }

    /// `x: [n, H·W·C]` in `[0, 1]` to codes `[n, latent]`.
    pub(crate) fn code(&self, x: &Tensor) -> Result<Tensor, nn::Error> {
        match self {
            Self::Autoencoder(encoder) => encoder.forward(x),
            Self::Contrastive(views) => views.code(x, &mut Mode::Applied),
        }
    }
}
