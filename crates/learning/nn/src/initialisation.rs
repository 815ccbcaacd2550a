use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the weights of dense and convolutional layers start, as uniform random numbers.
///
/// A weight of a convolution reaches `kernel area × channels` numbers on either side, which is what
/// `in` and `out` mean then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Initialisation {
    /// Weights and biases within ±1/√in, as in PyTorch's layers.
    #[default]
    FanIn,
    /// Weights within ±√(6/(in + out)), biases zero (Glorot and Bengio 2010), as in Keras's layers.
    Glorot,
}

impl Initialisation {
    /// The bound of a layer's weights.
    pub(crate) fn of_weights(self, fan_in: usize, fan_out: usize) -> f64 {
        match self {
            Self::FanIn => 1.0 / (fan_in as f64).sqrt(),
            Self::Glorot => (6.0 / (fan_in as f64 + fan_out as f64)).sqrt(),
        }
    }

    /// The bound of its biases; none if they are zero.
    pub(crate) fn of_biases(self, fan_in: usize) -> Option<f64> {
        match self {
            Self::FanIn => Some(1.0 / (fan_in as f64).sqrt()),
            Self::Glorot => None,
        }
    }
}
