//! What training minimises.

use scarce_nn::tch::{Kind, Tensor};
use scarce_nn::{self as nn};

use crate::{Error, Loss, params::Fitting};

/// A loss with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Objective {
    /// −log p, with a share of the label spread over all classes.
    CrossEntropy { smoothing: f64 },
    /// (1 − pᵠ) / q (Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural
    /// networks with noisy labels", 2018, equation 6).
    Generalised { q: f64 },
}

impl Objective {
    pub(crate) fn new(fitting: &Fitting) -> Result<Self, Error> {
        let &Fitting { loss, q, label_smoothing: smoothing, .. } = fitting;
        match loss {
            Loss::CrossEntropy => Ok(Self::CrossEntropy { smoothing }),
            Loss::GeneralisedCrossEntropy if smoothing > 0.0 => Err(Error::Smoothing),
            Loss::GeneralisedCrossEntropy => Ok(Self::Generalised { q }),
        }
    }

    /// Mean over images with these outputs `[n, learnt]` and targets `[n]`, each times its weight
    /// `[n]` where there are weights.
    pub(crate) fn mean(
        self,
        outputs: &Tensor,
        targets: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<Tensor, nn::Error> {
        let log = outputs.f_log_softmax(1, Kind::Float)?;
        let own = log.f_gather(1, &targets.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
        let each = match self {
            Self::CrossEntropy { smoothing: 0.0 } => own.f_neg()?,
            Self::CrossEntropy { smoothing } => {
                let all = log.f_mean_dim(1, false, Kind::Float)?;
                own.f_mul_scalar(smoothing - 1.0)?.f_sub(&all.f_mul_scalar(smoothing)?)?
            }
            // as a power of e, which log p = 0 and log p → −∞ leave whole
            Self::Generalised { q } => {
                own.f_mul_scalar(q)?.f_exp()?.f_neg()?.f_add_scalar(1.0)?.f_div_scalar(q)?
            }
        };
        let each = match weights {
            Some(weights) => each.f_mul(weights)?,
            None => each,
        };
        Ok(each.f_mean(Kind::Float)?)
    }
}
