//! Convolutions that look for patterns, and pooling between them.

use scarce_artifact::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Activation, BatchNorm, Error, Mode, Variables};

/// What lies beyond the border of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Padding {
    /// Nothing: a convolution of a kernel of `k` makes each side `k − 1` shorter.
    #[default]
    Valid,
    /// Zeros: a convolution keeps the sides.
    Same,
}

/// Everything about a [`ConvStack`] but its weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planes {
    /// Channels after each convolution.
    pub channels: Vec<usize>,
    /// Side of the kernels.
    pub kernel: usize,
    /// What lies beyond the border.
    pub padding: Padding,
    /// Steps that the kernels move on at a time; 2 halves each side. Cards from before there was a
    /// choice do not say.
    #[serde(default = "one")]
    pub stride: usize,
    /// Side of the squares of which only the largest number is kept, after each convolution; 1
    /// keeps all.
    pub pool: usize,
}

impl Planes {
    /// Numbers that come out for each image of `shape`.
    ///
    /// # Errors
    /// When a kernel or a pool is larger than what is left of the image.
    pub fn width(&self, shape: Shape) -> Result<usize, Error> {
        let &Self { ref channels, kernel, padding, stride, pool } = self;
        if stride > 1 && padding == Padding::Same && kernel % 2 == 0 {
            return Err(Error::Parameter(format!(
                "`padding = \"same\"` with `stride = {stride}` needs an odd `kernel`, not {kernel}"
            )));
        }
        let (mut height, mut width) = (shape.height, shape.width);
        for layer in 1..=channels.len() {
            let (before, wanted) = ((height, width), kernel.max(pool));
            let after = |side: usize| match padding {
                Padding::Valid => (side + 1).checked_sub(kernel).filter(|&side| side > 0),
                Padding::Same => Some(side),
            };
            let pooled = |side: usize| {
                let places = after(side)?.div_ceil(stride.max(1));
                places.checked_div(pool).filter(|&side| side > 0)
            };
            let (Some(down), Some(across)) = (pooled(height), pooled(width)) else {
                let (height, width) = before;
                return Err(Error::Parameter(format!(
                    "convolution {layer} sees {height} × {width} numbers, too few for `kernel = \
                     {kernel}` and `pool = {pool}`: smaller ones (now up to {wanted}), fewer \
                     `channels`, or `padding = \"same\"` will do"
                )));
            };
            (height, width) = (down, across);
        }
        let last = *channels.last().unwrap_or(&shape.channels);
        Ok(height.saturating_mul(width).saturating_mul(last))
    }
}

/// Convolutions, each followed by an activation and by max-pooling (`LeCun` and others, 1998).
pub struct ConvStack {
    /// Weight `[out, in, k, k]` and bias `[out]` of each layer.
    layers: Vec<(Tensor, Tensor)>,
    /// Before each activation; empty if there are none.
    norms: Vec<BatchNorm>,
    activation: Activation,
    planes: Planes,
    shape: Shape,
}

impl ConvStack {
    /// Layers for images of `shape`. Weights are named `name.LAYER.weight` and `.bias`; fresh ones
    /// are uniform in ±1/√(k² in).
    ///
    /// # Errors
    /// When the image is too small, a weight is too large or the saved model has another.
    pub fn new(
        variables: &Variables,
        name: &str,
        shape: Shape,
        planes: &Planes,
        activation: Activation,
    ) -> Result<Self, Error> {
        planes.width(shape)?;
        let k = planes.kernel;
        let mut layers = Vec::new();
        let mut inner = shape.channels;
        for (at, &outer) in planes.channels.iter().enumerate() {
            let area = k.saturating_mul(k);
            let fan = (inner.saturating_mul(area), outer.saturating_mul(area));
            let shape = [outer, inner, k, k];
            layers.push(variables.layer(&format!("{name}.{at}"), &shape, outer, fan)?);
            inner = outer;
        }
        Ok(Self { layers, norms: Vec::new(), activation, planes: planes.clone(), shape })
    }

    /// The same, with batch normalisation before each activation, named `name.LAYER.norm.…`.
    ///
    /// # Errors
    /// When the saved model has other weights.
    pub fn with_batch_norm(mut self, variables: &Variables, name: &str) -> Result<Self, Error> {
        let norms = self.layers.iter().enumerate().map(|(at, (_, bias))| {
            BatchNorm::new(variables, &format!("{name}.{at}.norm"), bias.numel())
        });
        self.norms = norms.collect::<Result<_, Error>>()?;
        Ok(self)
    }

    /// `x: [n, H·W·C]`, channels innermost, to `[n, width]`, channels outermost.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
        let Shape { height, width, channels } = self.shape;
        let sizes = [-1, height as i64, width as i64, channels as i64];
        let mut x = x.f_reshape(sizes)?.f_permute([0, 3, 1, 2])?;
        let Planes { kernel, padding, stride, pool, .. } = self.planes;
        let (stride, pool) = (stride.max(1) as i64, pool as i64);
        for (at, (weight, bias)) in self.layers.iter().enumerate() {
            x = match padding {
                // libtorch takes the word only without a stride, and pads even kernels on one side
                Padding::Same if stride == 1 => {
                    x.f_conv2d_padding(weight, Some(bias), 1, "same", 1, 1)?
                }
                Padding::Same => {
                    x.f_conv2d(weight, Some(bias), stride, (kernel / 2) as i64, 1, 1)?
                }
                Padding::Valid => x.f_conv2d(weight, Some(bias), stride, 0, 1, 1)?,
            };
            if let Some(norm) = self.norms.get(at) {
                x = norm.forward(&x, mode)?;
            }
            // The largest number is where the largest activation is, if that never falls: pooling
            // first leaves fewer numbers to activate.
            let pooled = |x: &Tensor| x.f_max_pool2d(pool, pool, 0, 1, false);
            x = match (pool > 1, self.activation.rises()) {
                (false, _) => self.activation.apply(x)?,
                (true, true) => self.activation.apply(pooled(&x)?)?,
                (true, false) => pooled(&self.activation.apply(x)?)?,
            };
        }
        Ok(x.f_flatten(1, -1)?)
    }
}

fn one() -> usize {
    1
}
