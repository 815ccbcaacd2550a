use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{TchError, Tensor};

/// What is done to each number between two layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Activation {
    /// Nothing.
    None,
    /// `max(0, x)`.
    #[default]
    Relu,
    /// `x` above zero, `0.01 x` below.
    LeakyRelu,
    /// `x` above zero, `exp(x) − 1` below.
    Elu,
    /// `x Φ(x)`, with Φ the normal distribution function.
    Gelu,
    /// The hyperbolic tangent: between −1 and 1.
    Tanh,
    /// `1 / (1 + exp(−x))`: between 0 and 1.
    Sigmoid,
}

impl Activation {
    /// Whether a larger number never becomes a smaller one.
    pub(crate) fn rises(self) -> bool {
        self != Self::Gelu
    }

    /// Applies it to every number of `x`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn apply(self, x: Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::None => Ok(x),
            Self::Relu => x.f_relu(),
            Self::LeakyRelu => x.f_leaky_relu(),
            Self::Elu => x.f_elu(),
            Self::Gelu => x.f_gelu("none"),
            Self::Tanh => x.f_tanh(),
            Self::Sigmoid => x.f_sigmoid(),
        }
    }
}
