//! Early stopping.

use tch::Tensor;

use crate::{Error, Variables};

/// The best weights so far, where there is a validation loss to tell.
pub(super) struct Best {
    patience: usize,
    loss: f64,
    weights: Vec<Tensor>,
    epochs_since: usize,
}

impl Best {
    pub(super) fn new(patience: Option<usize>) -> Self {
        let patience = patience.map_or(usize::MAX, |patience| patience.max(1));
        Self { patience, loss: f64::INFINITY, weights: Vec::new(), epochs_since: 0 }
    }

    /// Notes an epoch's validation loss; whether patience is at its end.
    pub(super) fn stops_after(
        &mut self,
        loss: Option<f64>,
        variables: &Variables,
    ) -> Result<bool, Error> {
        let Some(loss) = loss else { return Ok(false) };
        if loss < self.loss {
            (self.loss, self.epochs_since) = (loss, 0);
            self.weights = variables.snapshot()?;
        } else {
            self.epochs_since += 1;
        }
        Ok(self.epochs_since >= self.patience)
    }

    pub(super) fn restore(&self, variables: &Variables) -> Result<(), Error> {
        variables.restore(&self.weights)
    }
}
