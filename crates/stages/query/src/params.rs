//! Parameters of `query`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How images are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Highest entropy of the distribution first.
    #[default]
    Entropy,
    /// Smallest difference between the two largest probabilities first.
    Margin,
    /// Smallest largest probability first.
    LeastConfidence,
    /// At random.
    Random,
    /// Smallest id first.
    InOrder,
}

impl Strategy {
    /// The word that the table holds.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Entropy => "entropy",
            Self::Margin => "margin",
            Self::LeastConfidence => "least-confidence",
            Self::Random => "random",
            Self::InOrder => "in-order",
        }
    }

    /// Whether it looks at distributions or predictions.
    pub(crate) fn needs_beliefs(self) -> bool {
        !matches!(self, Self::Random | Self::InOrder)
    }
}

/// Parameters of `query`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How images are chosen.
    pub strategy: Strategy,
    /// How many to ask for; fewer, with a warning, where there are not so many left.
    #[schemars(range(min = 1))]
    pub batch: u32,
    /// Whether the images of a batch shall differ: of the ten times `batch` most wanted, grouped by
    /// their `embeddings`, one of each group is asked for. For `entropy`, `margin` and
    /// `least-confidence`.
    pub diverse: bool,
    /// Seed of `random`. Every image draws its number once and for all: rounds with one seed go
    /// through one random order.
    pub seed: u64,
}

impl Params {
    /// What the table calls the strategy.
    pub(crate) fn word(&self) -> String {
        let name = self.strategy.name();
        if self.diverse { format!("diverse-{name}") } else { name.to_owned() }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self { strategy: Strategy::Entropy, batch: 10, diverse: false, seed: 0 }
    }
}
