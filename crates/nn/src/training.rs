//! The one training loop.

use std::fmt;

use scarce_artifact::History;
use tch::{Kind, Tensor};

use crate::{Error, Optimiser, Rows, Stream, Variables, numbers};

/// Mini-batches that [`Training::epochs_for`] aims at.
const STEPS: usize = 3000;
/// The epochs that it gives lie between these.
const EPOCHS: std::ops::RangeInclusive<usize> = 10..=300;
/// Losses are read off the device so many at a time: each reading waits for all work in flight.
const READ_EVERY: usize = 32;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Passes over the training images, at most.
    pub epochs: usize,
    /// Images in a mini-batch.
    pub batch: usize,
    /// What turns gradients into steps.
    pub optimiser: Optimiser,
    /// Its step size.
    pub learning_rate: f64,
    /// Its pull of all weights towards zero.
    pub weight_decay: f64,
    /// Epochs in a row without a better validation loss after which training stops. Where there
    /// are validation rows, the weights of the best epoch are kept in any case.
    pub patience: Option<usize>,
    /// What the order of the images is drawn from, and all that is random in a network.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 256,
            optimiser: Optimiser::Adam,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            patience: None,
            seed: 0,
        }
    }
}

impl Training {
    /// A sensible number of epochs for so many images in mini-batches of `batch`: about 3,000
    /// mini-batches, at least 10 epochs and at most 300.
    pub fn epochs_for(images: usize, batch: usize) -> usize {
        let steps = images.div_ceil(batch.max(1)).max(1);
        (STEPS / steps).clamp(*EPOCHS.start(), *EPOCHS.end())
    }
}

/// Whether a network learns or is only applied. While it learns, what is random in it (dropout,
/// noise) draws from the stream of the mini-batch, which is ours and not libtorch's.
pub enum Mode<'a> {
    /// It learns.
    Training(&'a mut Stream),
    /// It is applied: nothing is random.
    Applied,
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

/// Adjusts `variables` so that the loss over the training rows falls.
///
/// `loss` gives the mean loss (a scalar) of the rows numbered in a tensor `[b]` of `i64`; it is
/// called with gradients in [`Mode::Training`], and without in [`Mode::Applied`] for validation.
/// `progress` is called before every mini-batch. A last mini-batch of a single row is joined to
/// the one before it.
///
/// # Errors
/// When there are no training rows, the loss diverges, or `loss` fails.
pub fn train(
    variables: &Variables,
    rows: Rows,
    training: &Training,
    progress: &mut dyn FnMut(&Progress),
    loss: impl Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error>,
) -> Result<Vec<Epoch>, Error> {
    let Rows { mut train, validation } = rows;
    if train.is_empty() {
        return Err(Error::TooFew { rows: 0, why: String::new() });
    }
    let device = variables.device();
    let validation = Tensor::f_from_slice(&validation)?.f_to(device)?;
    let sizes = batches(train.len(), training.batch);
    let mut optimiser = training.optimiser.build(variables, training)?;
    let mut best = Best::new(training.patience);
    let mut epochs: Vec<Epoch> = Vec::new();

    for epoch in 1..=training.epochs {
        Stream::new(training.seed, &format!("shuffle {epoch}")).shuffle(&mut train);
        let order = Tensor::f_from_slice(&train)?.f_to(device)?;
        let mut losses = Losses::new(epoch);
        for (step, picked) in order.f_split_with_sizes(&sizes, 0)?.iter().enumerate() {
            progress(&Progress {
                done: (epoch - 1) * sizes.len() + step,
                total: training.epochs * sizes.len(),
                epoch,
                epochs: training.epochs,
                last: epochs.last().copied(),
            });
            let mut stream = Stream::new(training.seed, &format!("batch {epoch} {step}"));
            let mean = loss(picked, &mut Mode::Training(&mut stream))?;
            optimiser.step(&mean)?;
            losses.note(&mean, picked.numel())?;
        }
        let train_loss = losses.mean()?;
        let validation_loss =
            tch::no_grad(|| mean_loss(epoch, &validation, training.batch, &loss))?;
        epochs.push(Epoch { epoch, train_loss, validation_loss });
        if best.stops_after(validation_loss, variables)? {
            break;
        }
    }
    best.restore(variables)?;
    Ok(epochs)
}

/// Sizes of the mini-batches of an epoch.
fn batches(rows: usize, batch: usize) -> Vec<i64> {
    let batch = batch.clamp(1, rows.max(1));
    let mut sizes = vec![batch as i64; rows / batch];
    match (rows % batch, sizes.last_mut()) {
        (0, _) => {}
        (1, Some(last)) => *last += 1,
        (rest, _) => sizes.push(rest as i64),
    }
    sizes
}

/// Mean loss over `rows`; none if there are none.
fn mean_loss(
    epoch: usize,
    rows: &Tensor,
    batch: usize,
    loss: &impl Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error>,
) -> Result<Option<f64>, Error> {
    if rows.numel() == 0 {
        return Ok(None);
    }
    let mut losses = Losses::new(epoch);
    for picked in rows.f_split(batch.max(1) as i64, 0)? {
        losses.note(&loss(&picked, &mut Mode::Applied)?, picked.numel())?;
    }
    losses.mean().map(Some)
}

/// The mean losses of an epoch's mini-batches, read off the device a few at a time.
struct Losses {
    epoch: usize,
    /// Mean losses that were not read yet, and their rows.
    unread: Vec<(Tensor, usize)>,
    /// Mini-batches that were read.
    read: usize,
    sum: f64,
    rows: usize,
}

impl Losses {
    fn new(epoch: usize) -> Self {
        Self { epoch, unread: Vec::with_capacity(READ_EVERY), read: 0, sum: 0.0, rows: 0 }
    }

    /// Notes the mean loss of so many rows.
    fn note(&mut self, mean: &Tensor, rows: usize) -> Result<(), Error> {
        self.unread.push((mean.f_detach()?, rows));
        if self.unread.len() >= READ_EVERY { self.read() } else { Ok(()) }
    }

    fn read(&mut self) -> Result<(), Error> {
        let means: Vec<&Tensor> = self.unread.iter().map(|(mean, _)| mean).collect();
        if means.is_empty() {
            return Ok(());
        }
        let values: Vec<f64> = numbers(&Tensor::f_stack(&means, 0)?.f_to_kind(Kind::Double)?)?;
        for (loss, (_, rows)) in values.into_iter().zip(self.unread.drain(..)) {
            self.read += 1;
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch: self.epoch, step: self.read, loss });
            }
            self.sum += loss * rows as f64;
            self.rows += rows;
        }
        Ok(())
    }

    /// Mean over all rows.
    fn mean(mut self) -> Result<f64, Error> {
        self.read()?;
        Ok(self.sum / self.rows as f64)
    }
}

/// The best weights so far, where there is a validation loss to tell.
struct Best {
    patience: usize,
    loss: f64,
    weights: Vec<(String, Tensor)>,
    epochs_since: usize,
}

impl Best {
    fn new(patience: Option<usize>) -> Self {
        let patience = patience.map_or(usize::MAX, |patience| patience.max(1));
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
