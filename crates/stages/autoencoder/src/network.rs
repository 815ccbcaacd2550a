//! The network, its description, and the model that is saved of both.

use std::path::Path;

use scarce_artifact::{Model, ModelCard, Shape};
use scarce_nn::tch::{Reduction, Tensor};
use scarce_nn::{
    self as nn, Activation, ConvDecoder, ConvEncoder, Dense, Gaussian, Mode, Variables,
};
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
    /// Whether the encoder gives a distribution of codes. Cards from before there were such do not
    /// say.
    #[serde(default)]
    pub variational: bool,
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
            variational: params.variational,
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
    variational: bool,
}

impl Encoder {
    /// Builds it with weights named `encoder.…`.
    ///
    /// # Errors
    /// When a weight is too large or the saved model has another.
    pub fn new(variables: &Variables, blueprint: &Blueprint) -> Result<Self, nn::Error> {
        let &Blueprint { shape, ref channels, activation, code_activation, variational, .. } =
            blueprint;
        let planes = ConvEncoder::new(variables, "encoder.planes", shape, channels, activation)?;
        let mut widths = blueprint.widths();
        if let Some(code) = widths.last_mut().filter(|_| variational) {
            // means, then logarithms of variances
            *code = code.saturating_mul(2);
        }
        let dense = Dense::new(variables, "encoder.dense", &widths, activation)?;
        Ok(Self { planes, dense, code_activation, variational })
    }

    /// `x: [n, H·W·C]` in `[0, 1]` to codes `[n, latent]`: the means, if it is variational.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, nn::Error> {
        match self.posterior(x)? {
            Some(posterior) => Ok(posterior.mean().shallow_clone()),
            None => Ok(self.code_activation.apply(self.before_code(x)?)?),
        }
    }

    /// The distributions of the codes of `x: [n, H·W·C]`, if it is variational.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn posterior(&self, x: &Tensor) -> Result<Option<Gaussian>, nn::Error> {
        self.variational.then(|| Gaussian::of_halves(&self.before_code(x)?)).transpose()
    }

    fn before_code(&self, x: &Tensor) -> Result<Tensor, nn::Error> {
        self.dense.forward(&self.planes.forward(x)?, &mut Mode::Applied)
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
    /// If it is variational, what is decoded is drawn by the mode, and the loss of an image is the
    /// negative logarithm of the likelihood, up to a constant, and `kl_weight` times the divergence
    /// of the code from the standard normal distribution: sums over pixels and over the numbers of
    /// the code, which are then divided by the number of pixels.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn loss(
        &self,
        x: &Tensor,
        loss: Loss,
        kl_weight: f64,
        mode: &mut Mode<'_>,
    ) -> Result<Tensor, nn::Error> {
        let Some(posterior) = self.encoder.posterior(x)? else {
            return self.reconstruction(x, &self.encoder.forward(x)?, loss);
        };
        let back = self.reconstruction(x, &posterior.draw(mode)?, loss)?;
        let back = match loss {
            // of a normal distribution with variance 1
            Loss::Mse => back.f_mul_scalar(0.5)?,
            Loss::Bce => back,
        };
        let (_, pixels) = x.size2()?;
        let divergence = posterior.divergence()?.f_mean(None)?;
        Ok(back.f_add(&divergence.f_mul_scalar(kl_weight / pixels as f64)?)?)
    }

    /// The mean loss of a pixel of `x: [n, H·W·C]`, decoded from `code: [n, latent]`.
    fn reconstruction(&self, x: &Tensor, code: &Tensor, loss: Loss) -> Result<Tensor, nn::Error> {
        let raw = self.before_output(code)?;
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
