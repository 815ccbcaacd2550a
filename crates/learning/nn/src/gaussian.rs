//! Codes that are distributions.

use tch::{Kind, Tensor};

use crate::{Error, Mode};

/// A normal distribution with independent coordinates for each row, as the encoder of a variational
/// autoencoder gives it (Kingma and Welling 2014).
pub struct Gaussian {
    /// `[n, d]`.
    mean: Tensor,
    /// Logarithms of the variances, `[n, d]`.
    log_variance: Tensor,
}

impl Gaussian {
    /// From `[n, 2d]`: `d` means, then `d` logarithms of variances.
    ///
    /// # Errors
    /// When `both` is not a matrix.
    pub fn of_halves(both: &Tensor) -> Result<Self, Error> {
        let (_, width) = both.size2()?;
        let half = width / 2;
        Ok(Self { mean: both.f_narrow(1, 0, half)?, log_variance: both.f_narrow(1, half, half)? })
    }

    /// The means, `[n, d]`.
    pub fn mean(&self) -> &Tensor {
        &self.mean
    }

    /// While the network learns, one draw per row: mean + √variance · ε, through which gradients
    /// reach both. The ε are standard normal, from the stream of the mode. Else the means. `[n, d]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn draw(&self, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
        let Self { mean, log_variance } = self;
        let Mode::Training(stream) = mode else { return Ok(mean.shallow_clone()) };
        let noise = stream.normals(mean.numel());
        let noise = Tensor::f_from_slice(&noise)?.f_reshape(mean.size())?.f_to(mean.device())?;
        let deviation = log_variance.f_mul_scalar(0.5)?.f_exp()?;
        Ok(mean.f_addcmul(&deviation, &noise)?)
    }

    /// How far each row's distribution is from the standard normal one, as a Kullback–Leibler
    /// divergence in nats, summed over coordinates: ½ Σ (mean² + variance − 1 − log variance), `[n]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn divergence(&self) -> Result<Tensor, Error> {
        let Self { mean, log_variance } = self;
        let twice = mean.f_square()?.f_add(&log_variance.f_exp()?)?.f_sub(log_variance)?;
        let each = twice.f_sub_scalar(1.0)?.f_mul_scalar(0.5)?;
        Ok(each.f_sum_dim_intlist([1_i64].as_slice(), false, None::<Kind>)?)
    }
}
