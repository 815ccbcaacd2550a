//! A network that tells views of an image from views of others.

use scarce_artifact::{Model, ModelCard, Shape};
use scarce_nn::tch::{Kind, Reduction, Tensor};
use scarce_nn::{self as nn, Activation, ConvStack, Dense, Mode, Planes, Variables};
use serde::{Deserialize, Serialize};

/// The model family on the card.
pub(crate) const KIND: &str = "contrastive";
/// Keeps a projection of nothing but zeros from being divided by its length.
const SHORTEST: f64 = 1e-8;

/// Everything about a [`Views`] but its weights. It is what a saved model's card holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sketch {
    /// The images it is for.
    pub(crate) shape: Shape,
    /// The convolutions.
    pub(crate) planes: Planes,
    /// Widths of the fully connected layers before the code.
    pub(crate) hidden: Vec<usize>,
    /// Numbers in the code.
    pub(crate) latent: usize,
    /// Numbers that are compared while training.
    pub(crate) projection: usize,
}

impl Sketch {
    /// The model to save.
    pub(crate) fn model(&self, variables: &Variables) -> Result<Model, nn::Error> {
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
}

/// Convolutions, a code, and a projection of it.
pub(crate) struct Views {
    planes: ConvStack,
    dense: Dense,
    projection: Dense,
}

impl Views {
    /// Builds it with weights named `planes.…`, `dense.…` and `projection.…`.
    pub(crate) fn new(variables: &Variables, sketch: &Sketch) -> Result<Self, nn::Error> {
        let Sketch { shape, ref planes, ref hidden, latent, projection } = *sketch;
        let activation = Activation::Relu;
        let mut widths = vec![planes.width(shape)?];
        widths.extend(hidden);
        widths.push(latent);
        Ok(Self {
            planes: ConvStack::new(variables, "planes", shape, planes, activation)?
                .with_batch_norm(variables, "planes")?,
            dense: Dense::new(variables, "dense", &widths, activation)?
                .with_batch_norm(variables, "dense")?,
            projection: Dense::new(
                variables,
                "projection",
                &[latent, latent, projection],
                activation,
            )?
            .with_batch_norm(variables, "projection")?,
        })
    }

    /// `x: [n, H·W·C]` in `[0, 1]` to codes `[n, latent]`.
    pub(crate) fn code(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, nn::Error> {
        let x = self.planes.forward(x, mode)?;
        self.dense.forward(&x, mode)
    }

    /// How badly views are told apart: the first half of `x: [2b, H·W·C]` shows the same images as
    /// the second. The mean of Chen et al. 2020, equation 1, over all views.
    pub(crate) fn loss(
        &self,
        x: &Tensor,
        temperature: f64,
        mode: &mut Mode<'_>,
    ) -> Result<Tensor, nn::Error> {
        let code = self.code(x, mode)?;
        let z = self.projection.forward(&code, mode)?;
        told_apart(&z, temperature)
    }
}

/// The loss of projections `z: [2b, p]`.
pub(crate) fn told_apart(z: &Tensor, temperature: f64) -> Result<Tensor, nn::Error> {
    let views = z.size().first().copied().unwrap_or(0);
    let length = z.f_norm_scalaropt_dim(2.0, 1, true)?.f_clamp_min(SHORTEST)?;
    let z = z.f_div(&length)?;
    let alike = z.f_matmul(&z.f_transpose(0, 1)?)?.f_div_scalar(temperature)?;
    let itself = Tensor::f_eye(views, (Kind::Bool, z.device()))?;
    let alike = alike.f_masked_fill(&itself, f64::NEG_INFINITY)?;
    let other = Tensor::f_arange(views, (Kind::Int64, z.device()))?.f_roll(views / 2, 0)?;
    Ok(alike.f_cross_entropy_loss(&other, None::<Tensor>, Reduction::Mean, -100, 0.0)?)
}
