//! Convolutions that halve and double images of any size.

use scarce_artifact::Shape;
use tch::Tensor;

use crate::{Activation, Error, Variables};

const KERNEL: usize = 3;
const STRIDE: i64 = 2;
const PADDING: i64 = 1;

/// Halves an image as often as there are entries in `channels`.
///
/// Each layer is a 3×3 convolution of stride 2 with padding 1, which leads from a side of
/// `s` to one of ⌈s/2⌉, so that no side is too short and none need be even. An activation
/// follows each layer.
pub struct ConvEncoder {
    layers: Vec<(Tensor, Tensor)>,
    activation: Activation,
    shape: Shape,
}

impl ConvEncoder {
    /// Layers for images of `shape`, with so many channels after each. Weights are named
    /// `name.LAYER.weight` (`[out, in, 3, 3]`) and `.bias`; fresh ones are as the variables'
    /// [`Initialisation`](crate::Initialisation) says.
    ///
    /// # Errors
    /// When a weight is too large or the saved model has another.
    pub fn new(
        variables: &Variables,
        name: &str,
        shape: Shape,
        channels: &[usize],
        activation: Activation,
    ) -> Result<Self, Error> {
        let mut layers = Vec::new();
        let mut inner = shape.channels;
        for (at, &outer) in channels.iter().enumerate() {
            let shape = [outer, inner, KERNEL, KERNEL];
            layers.push(pair(variables, &format!("{name}.{at}"), shape, outer, inner)?);
            inner = outer;
        }
        Ok(Self { layers, activation, shape })
    }

    /// Numbers that come out for each image.
    pub fn width(shape: Shape, channels: &[usize]) -> usize {
        let (height, width) = halved(shape, channels.len());
        height.saturating_mul(width).saturating_mul(*channels.last().unwrap_or(&shape.channels))
    }

    /// `x: [n, H·W·C]`, channels innermost, to `[n, width]`, channels outermost.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        let Shape { height, width, channels } = self.shape;
        let sizes = [-1, height as i64, width as i64, channels as i64];
        let mut x = x.f_reshape(sizes)?.f_permute([0, 3, 1, 2])?;
        for (weight, bias) in &self.layers {
            x = x.f_conv2d(weight, Some(bias), STRIDE, PADDING, 1, 1)?;
            x = self.activation.apply(x)?;
        }
        Ok(x.f_flatten(1, -1)?)
    }
}

/// The way back: doubles what a [`ConvEncoder`] of the same arguments has halved.
pub struct ConvDecoder {
    layers: Vec<(Tensor, Tensor)>,
    activation: Activation,
    /// Height and width before each layer, and after the last.
    sides: Vec<(usize, usize)>,
    /// Channels that come in.
    inner: usize,
}

impl ConvDecoder {
    /// Layers that lead back to images of `shape`. Weights are named `name.LAYER.weight`
    /// (`[in, out, 3, 3]`) and `.bias`; fresh ones are as the variables'
    /// [`Initialisation`](crate::Initialisation) says.
    ///
    /// # Errors
    /// When a weight is too large or the saved model has another.
    pub fn new(
        variables: &Variables,
        name: &str,
        shape: Shape,
        channels: &[usize],
        activation: Activation,
    ) -> Result<Self, Error> {
        let first = *channels.last().unwrap_or(&shape.channels);
        let mut layers = Vec::new();
        let mut inner = first;
        let outers = channels.iter().rev().skip(1).chain([&shape.channels]);
        for (at, &outer) in outers.take(channels.len()).enumerate() {
            let shape = [inner, outer, KERNEL, KERNEL];
            layers.push(pair(variables, &format!("{name}.{at}"), shape, outer, inner)?);
            inner = outer;
        }
        let sides = (0..=channels.len()).rev().map(|times| halved(shape, times)).collect();
        Ok(Self { layers, activation, sides, inner: first })
    }

    /// `x: [n, width]`, channels outermost, to `[n, H·W·C]`, channels innermost. No
    /// activation follows the last layer.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        let (height, width) = self.sides[0];
        let mut x = x.f_reshape([-1, self.inner as i64, height as i64, width as i64])?;
        for (at, (weight, bias)) in self.layers.iter().enumerate() {
            if at > 0 {
                x = self.activation.apply(x)?;
            }
            // a side of s comes back as 2s − 1 and needs one more where it was even
            let (before, after) = (self.sides[at], self.sides[at + 1]);
            let missing = |before: usize, after: usize| (after + 1 - 2 * before) as i64;
            let more = [missing(before.0, after.0), missing(before.1, after.1)];
            x = x.f_conv_transpose2d(weight, Some(bias), STRIDE, PADDING, more, 1, 1)?;
        }
        Ok(x.f_permute([0, 2, 3, 1])?.f_flatten(1, -1)?)
    }
}

/// Weight and bias of one convolution.
fn pair(
    variables: &Variables,
    name: &str,
    shape: [usize; 4],
    outer: usize,
    inner: usize,
) -> Result<(Tensor, Tensor), Error> {
    let area = KERNEL * KERNEL;
    variables.layer(name, &shape, outer, (inner.saturating_mul(area), outer.saturating_mul(area)))
}

/// Height and width after being halved, rounding up, so many times.
fn halved(shape: Shape, times: usize) -> (usize, usize) {
    let half = |side: usize| (0..times).fold(side, |side, _| side.div_ceil(2));
    (half(shape.height), half(shape.width))
}
