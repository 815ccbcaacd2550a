//! What turns gradients into steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::{Adam, AdamW, Optimizer, OptimizerConfig, Sgd};

use crate::{Error, Training, Variables};

/// A rule that turns the gradients of the weights into their next step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Optimiser {
    /// Adam with β = (0.9, 0.999), ε = 1e-8 (Kingma and Ba 2015, algorithm 1). Weight decay is
    /// added to the gradient.
    #[default]
    Adam,
    /// Adam, with weight decay apart from the gradient (Loshchilov and Hutter 2019, algorithm 2).
    AdamW,
    /// Gradient descent. Weight decay is added to the gradient.
    Sgd {
        /// Share of the last step that goes into the next one (Polyak 1964).
        momentum: f64,
    },
}

impl Optimiser {
    /// Makes it ready for the weights of `variables`.
    pub(crate) fn build(self, variables: &Variables, training: &Training) -> Result<Steps, Error> {
        let &Training { learning_rate, weight_decay: wd, .. } = training;
        let store = variables.store();
        let optimizer = match self {
            Self::Adam => Adam { wd, ..Adam::default() }.build(store, learning_rate),
            Self::AdamW => AdamW { wd, ..AdamW::default() }.build(store, learning_rate),
            Self::Sgd { momentum } => {
                Sgd { momentum, wd, ..Sgd::default() }.build(store, learning_rate)
            }
        };
        Ok(Steps(optimizer?))
    }
}

/// An optimiser at work.
pub(crate) struct Steps(Optimizer);

impl Steps {
    /// Moves the weights down the gradient of `loss`.
    pub(crate) fn step(&mut self, loss: &Tensor) -> Result<(), Error> {
        self.0.zero_grad();
        loss.f_backward()?;
        self.0.step();
        Ok(())
    }
}
