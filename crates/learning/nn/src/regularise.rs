//! What keeps networks from overfitting: from learning their examples by heart.

use tch::Tensor;

use crate::{Error, Mode, Variables};

/// Weight of a batch in the running mean and variance, as is customary.
const MOMENTUM: f64 = 0.1;
/// Added to variances.
const EPSILON: f64 = 1e-5;

/// While the network learns, sets a `share` of the numbers of `x` to zero, at random, and divides
/// the others by `1 − share` (Srivastava et al. 2014); else nothing.
///
/// # Errors
/// When libtorch refuses, for instance for lack of memory.
pub fn dropout(x: Tensor, share: f64, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
    match mode {
        Mode::Training(stream) if share > 0.0 => {
            let kept = stream.kept(x.numel(), share);
            let mask = Tensor::f_from_slice(&kept)?.f_reshape(x.size())?.f_to(x.device())?;
            Ok(x.f_mul(&mask)?)
        }
        _ => Ok(x),
    }
}

/// Batch normalisation (Ioffe and Szegedy 2015): each channel is brought to mean 0 and variance 1
/// over the mini-batch, then scaled and shifted by weights that are learnt. When it is applied,
/// running means of the batches' means and variances take their place.
pub struct BatchNorm {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
}

impl BatchNorm {
    /// For `channels` channels, with weights named `name.weight`, `.bias`, `.mean` and
    /// `.variance`.
    ///
    /// # Errors
    /// When the saved model has other weights.
    pub fn new(variables: &Variables, name: &str, channels: usize) -> Result<Self, Error> {
        let one = |leaf: &str, value, learnt| {
            variables.constant(&format!("{name}.{leaf}"), &[channels], value, learnt)
        };
        Ok(Self {
            scale: one("weight", 1.0, true)?,
            shift: one("bias", 0.0, true)?,
            mean: one("mean", 0.0, false)?,
            variance: one("variance", 1.0, false)?,
        })
    }

    /// `x: [n, channels]` or `[n, channels, height, width]`.
    ///
    /// # Errors
    /// When it learns and there is a single number per channel.
    pub fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
        let training = matches!(mode, Mode::Training(_));
        let size = x.size();
        let each = size.iter().product::<i64>() / size.get(1).copied().unwrap_or(1).max(1);
        if training && each < 2 {
            let message = "`batch_norm` needs mini-batches of two images or more".to_owned();
            return Err(Error::Parameter(message));
        }
        Ok(x.f_batch_norm(
            Some(&self.scale),
            Some(&self.shift),
            Some(&self.mean),
            Some(&self.variance),
            training,
            MOMENTUM,
            EPSILON,
            false,
        )?)
    }
}
