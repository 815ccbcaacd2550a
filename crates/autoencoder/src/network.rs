//! The network, its description, and the model that is saved of both.

use std::path::Path;

use scarce_artifact::{Model, ModelCard, Shape};
use scarce_nn::tch::{Device, Reduction, Tensor};
use scarce_nn::{self as nn, Activation, ConvDecoder, ConvEncoder, Dense, Mode, Variables};
use serde::{Deserialize, Serialize};

use crate::{Architecture, Error, Loss, TrainParams};

/// The model family on the card.
const KIND: &str = "autoencoder";

/// Everything about a network but its weights. It is what a saved model's card holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blueprint {
    /// The images it is for.
    pub shape: Shape,
    /// The family.
    pub architecture: Architecture,
    /// Numbers in the code.
    pub latent: usize,
    /// Widths of the fully connected layers before the code.
    pub hidden: Vec<usize>,
    /// Channels after each halving; empty for `linear`.
    pub channels: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// On the code.
    pub code_activation: Activation,
    /// On the reconstruction.
    pub output_activation: Activation,
}

impl Blueprint {
    /// What the parameters ask for, for images of `shape`.
    pub fn new(params: &TrainParams, shape: Shape) -> Self {
        let channels = match params.architecture {
            Architecture::Linear => Vec::new(),
            Architecture::Conv => params.channels.clone(),
        };
        Self {
            shape,
            architecture: params.architecture,
            latent: params.latent,
            hidden: params.hidden.clone(),
            channels,
            activation: params.activation,
            code_activation: params.code_activation,
            output_activation: params.output_activation,
        }
    }

    /// Reads it off a saved model's card; `path` names the model in messages.
    ///
    /// # Errors
    /// When the model is of another family or the card makes no sense.
    pub fn of_card(card: &ModelCard, path: &Path) -> Result<Self, Error> {
        let wrong = |message| Error::NotAnAutoencoder { path: path.to_owned(), message };
        if card.kind != KIND {
            return Err(wrong(format!("it is a `{}`", card.kind)));
        }
        serde_json::from_value(card.architecture.clone()).map_err(|error| wrong(error.to_string()))
    }

    /// The model to save.
    ///
    /// # Errors
    /// When the weights cannot be read from the device.
    pub fn model(&self, variables: &Variables) -> Result<Model, Error> {
        let card = ModelCard {
            kind: KIND.to_owned(),
            classes: Vec::new(),
            architecture: serde_json::json!(self),
            preprocessing: serde_json::json!({
                "pixels": "divided by the largest possible value",
                "order": "rows, columns, channels",
            }),
        };
        Ok(Model { card, tensors: variables.save()? })
    }

    /// Widths from what enters the fully connected layers to the code.
    fn widths(&self) -> Vec<usize> {
        let first = ConvEncoder::width(self.shape, &self.channels);
        let mut widths = vec![first];
        widths.extend(&self.hidden);
        widths.push(self.latent);
        widths
    }
}

/// The half that makes codes of images.
pub struct Encoder {
    planes: ConvEncoder,
    dense: Dense,
    code_activation: Activation,
}

impl Encoder {
    /// Builds it with weights named `encoder.…`.
    ///
    /// # Errors
    /// When a weight is too large or the saved model has another.
    pub fn new(variables: &Variables, blueprint: &Blueprint) -> Result<Self, nn::Error> {
        let Blueprint { shape, channels, activation, .. } = blueprint;
        let planes = ConvEncoder::new(variables, "encoder.planes", *shape, channels, *activation)?;
        let dense = Dense::new(variables, "encoder.dense", &blueprint.widths(), *activation)?;
        Ok(Self { planes, dense, code_activation: blueprint.code_activation })
    }

    /// The encoder of a saved model, which was read from `stem`.
    ///
    /// # Errors
    /// When the model is not an autoencoder's or its weights do not fit.
    pub fn of_model(device: Device, model: Model, stem: &Path) -> Result<(Self, Blueprint), Error> {
        let blueprint = Blueprint::of_card(&model.card, stem)?;
        let variables = Variables::of_model(device, model, stem);
        Ok((Self::new(&variables, &blueprint)?, blueprint))
    }

    /// `x: [n, H·W·C]` in `[0, 1]` to codes `[n, latent]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, nn::Error> {
        let code = self.dense.forward(&self.planes.forward(x)?, &mut Mode::Applied)?;
        Ok(self.code_activation.apply(code)?)
    }
}

/// Encoder and decoder.
pub struct Autoencoder {
    encoder: Encoder,
    dense: Dense,
    /// Between the decoder's fully connected layers and its convolutions.
    between: Activation,
    planes: ConvDecoder,
    output_activation: Activation,
}

impl Autoencoder {
    /// Builds it with weights named `encoder.…` and `decoder.…`.
    ///
    /// # Errors
    /// When a weight is too large or the saved model has another.
    pub fn new(variables: &Variables, blueprint: &Blueprint) -> Result<Self, nn::Error> {
        let Blueprint { shape, channels, activation, .. } = blueprint;
        let mut widths = blueprint.widths();
        widths.reverse();
        Ok(Self {
            encoder: Encoder::new(variables, blueprint)?,
            dense: Dense::new(variables, "decoder.dense", &widths, *activation)?,
            between: if channels.is_empty() { Activation::None } else { *activation },
            planes: ConvDecoder::new(variables, "decoder.planes", *shape, channels, *activation)?,
            output_activation: blueprint.output_activation,
        })
    }

    /// The half that makes codes.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Codes `[n, latent]` to images `[n, H·W·C]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn decode(&self, code: &Tensor) -> Result<Tensor, nn::Error> {
        Ok(self.output_activation.apply(self.before_output(code)?)?)
    }

    /// How badly `x: [n, H·W·C]` comes back, a mean over images and pixels.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn loss(&self, x: &Tensor, loss: Loss) -> Result<Tensor, nn::Error> {
        let raw = self.before_output(&self.encoder.forward(x)?)?;
        Ok(match loss {
            Loss::Mse => self.output_activation.apply(raw)?.f_mse_loss(x, Reduction::Mean)?,
            // sigmoid and logarithm in one, which does not overflow
            Loss::Bce => {
                let none = None::<Tensor>;
                raw.f_binary_cross_entropy_with_logits(
                    x,
                    none.as_ref(),
                    none.as_ref(),
                    Reduction::Mean,
                )?
            }
        })
    }

    fn before_output(&self, code: &Tensor) -> Result<Tensor, nn::Error> {
        let flat = self.between.apply(self.dense.forward(code, &mut Mode::Applied)?)?;
        self.planes.forward(&flat)
    }
}
