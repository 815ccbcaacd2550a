//! The one training loop.

use std::fmt;

use scarce_artifact::History;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::{Adam, OptimizerConfig};

use crate::{Error, Stream, Variables};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Passes over the training images, at most.
    pub epochs: usize,
    /// Images in a mini-batch.
    pub batch: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// When to stop before the last epoch, if ever.
    pub early_stopping: Option<EarlyStopping>,
    /// What the order of the images and the validation split are drawn from.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self { epochs: 10, batch: 256, learning_rate: 1e-3, early_stopping: None, seed: 0 }
    }
}

/// When to stop early: after `patience` epochs in a row without a better validation loss. The
/// weights of the best epoch are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct EarlyStopping {
    /// Epochs in a row without improvement after which training stops.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Share of the training images that is set aside to measure the validation loss.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub validation: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, validation: 0.05 }
    }
}

/// The losses of one pass over the images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean over the training images, each taken as the weights were when it was seen.
    pub train_loss: f64,
    /// Mean over the validation images with the weights at the end of the epoch.
    pub validation_loss: Option<f64>,
}

/// How far the training is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Mini-batches done.
    pub done: usize,
    /// Mini-batches in all, unless training stops early.
    pub total: usize,
    /// The epoch at work, counted from 1.
    pub epoch: usize,
    /// Epochs in all, unless training stops early.
    pub epochs: usize,
    /// The last epoch that is over.
    pub last: Option<Epoch>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}/{}", self.epoch, self.epochs)?;
        if let Some(last) = self.last {
            write!(f, " · loss {:.5}", last.train_loss)?;
            if let Some(validation) = last.validation_loss {
                write!(f, " · validation {validation:.5}")?;
            }
        }
        Ok(())
    }
}

/// Adjusts `variables` so that the loss over `rows` rows falls.
///
/// `loss` gives the mean loss (a scalar) of the rows numbered in a tensor `[b]` of `i64`; it is
/// called with gradients for training and without for validation. `progress` is called
/// before every mini-batch. Adam with β = (0.9, 0.999), ε = 1e-8 (Kingma and Ba 2015, algorithm 1).
///
/// # Errors
/// When there are too few rows, the loss diverges, or `loss` fails.
pub fn train(
    variables: &Variables,
    rows: usize,
    training: &Training,
    progress: &mut dyn FnMut(&Progress),
    loss: impl Fn(&Tensor) -> Result<Tensor, Error>,
) -> Result<Vec<Epoch>, Error> {
    let (mut train, validation) = split(rows, training)?;
    let device = variables.device();
    let validation = Tensor::f_from_slice(&validation)?.f_to(device)?;
    let batch = training.batch.max(1);
    let mut optimizer = Adam::default().build(variables.store(), training.learning_rate)?;
    let mut best = Best::new(training.early_stopping);
    let mut epochs: Vec<Epoch> = Vec::new();
    let steps = train.len().div_ceil(batch);

    for epoch in 1..=training.epochs {
        Stream::new(training.seed, &format!("shuffle {epoch}")).shuffle(&mut train);
        let order = Tensor::f_from_slice(&train)?.f_to(device)?;
        let mut sum = 0.0;
        for (step, picked) in order.f_split(batch as i64, 0)?.iter().enumerate() {
            progress(&Progress {
                done: (epoch - 1) * steps + step,
                total: training.epochs * steps,
                epoch,
                epochs: training.epochs,
                last: epochs.last().copied(),
            });
            let mean = loss(picked)?;
            let value = mean.f_double_value(&[])?;
            if !value.is_finite() {
                return Err(Error::Diverged { epoch, step: step + 1, loss: value });
            }
            optimizer.backward_step(&mean);
            sum += value * picked.numel() as f64;
        }
        let train_loss = sum / train.len() as f64;
        let validation_loss = tch::no_grad(|| mean_loss(&validation, batch, &loss))?;
        if validation_loss.is_some_and(|value| !value.is_finite()) {
            let value = validation_loss.unwrap_or(f64::NAN);
            return Err(Error::Diverged { epoch, step: steps, loss: value });
        }
        epochs.push(Epoch { epoch, train_loss, validation_loss });
        if best.stops_after(validation_loss, variables)? {
            break;
        }
    }
    best.restore(variables)?;
    Ok(epochs)
}

/// Numbers of the rows to train on and of those to validate on.
fn split(rows: usize, training: &Training) -> Result<(Vec<i64>, Vec<i64>), Error> {
    let mut order: Vec<i64> = (0..rows as i64).collect();
    let Some(EarlyStopping { validation, .. }) = training.early_stopping else {
        let none = || Error::TooFew { rows, why: String::new() };
        return if order.is_empty() { Err(none()) } else { Ok((order, Vec::new())) };
    };
    Stream::new(training.seed, "validation split").shuffle(&mut order);
    let aside = ((rows as f64 * validation).round() as usize).max(1);
    if aside >= rows {
        let why = format!(": {aside} would be set aside for validation");
        return Err(Error::TooFew { rows, why });
    }
    let mut train = order.split_off(aside);
    // the order of an epoch is a permutation of this one
    train.sort_unstable();
    order.sort_unstable();
    Ok((train, order))
}

/// Mean loss over `rows`; none if there are none.
fn mean_loss(
    rows: &Tensor,
    batch: usize,
    loss: &impl Fn(&Tensor) -> Result<Tensor, Error>,
) -> Result<Option<f64>, Error> {
    if rows.numel() == 0 {
        return Ok(None);
    }
    let mut sum = 0.0;
    for picked in rows.f_split(batch as i64, 0)? {
        sum += loss(&picked)?.f_double_value(&[])? * picked.numel() as f64;
    }
    Ok(Some(sum / rows.numel() as f64))
}

/// The best weights so far, where there is a validation loss to tell.
struct Best {
    patience: usize,
    loss: f64,
    weights: Vec<(String, Tensor)>,
    epochs_since: usize,
}

impl Best {
    fn new(early_stopping: Option<EarlyStopping>) -> Self {
        let patience = early_stopping.map_or(usize::MAX, |stopping| stopping.patience.max(1));
        Self { patience, loss: f64::INFINITY, weights: Vec::new(), epochs_since: 0 }
    }

    /// Notes an epoch's validation loss; whether patience is at its end.
    fn stops_after(&mut self, loss: Option<f64>, variables: &Variables) -> Result<bool, Error> {
        let Some(loss) = loss else { return Ok(false) };
        if loss < self.loss {
            (self.loss, self.epochs_since) = (loss, 0);
            self.weights = variables.snapshot()?;
        } else {
            self.epochs_since += 1;
        }
        Ok(self.epochs_since >= self.patience)
    }

    fn restore(&self, variables: &Variables) -> Result<(), Error> {
        variables.restore(&self.weights)
    }
}

/// The epochs as the table that stages write.
pub fn history(epochs: &[Epoch]) -> History {
    History {
        epoch: epochs.iter().map(|epoch| epoch.epoch as u32).collect(),
        train_loss: epochs.iter().map(|epoch| epoch.train_loss).collect(),
        validation_loss: epochs.iter().map(|epoch| epoch.validation_loss).collect(),
    }
}
