//! The one training loop.

use std::{fmt, ops::Range};

use scarce_artifact::History;
use tch::{Device, Tensor};

use crate::optimiser::Steps;
use crate::{Error, ManualBackward, Optimiser, Replicas, Rows, Schedule, Stream, Variables};
use best::Best;
use losses::Losses;
use manual::Manual;

mod best;
mod losses;
mod manual;

/// Mini-batches that [`Training::epochs_for`] aims at.
const STEPS: usize = 3000;
/// The epochs that it gives lie between these.
const EPOCHS: std::ops::RangeInclusive<usize> = 10..=300;
/// Pieces that a mini-batch is cut into, at most.
const PIECES: usize = 8;
/// Losses are read off the device so many at a time: each reading waits for all work in flight.
const READ_EVERY: usize = 32;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Passes over the training images, at most.
    pub epochs: usize,
    /// Images in a mini-batch.
    pub batch: usize,
    /// Images that are worth a thread of their own: a mini-batch is cut into pieces of at least so
    /// many, at most eight, whatever the number of threads.
    pub piece: usize,
    /// What turns gradients into steps.
    pub optimiser: Optimiser,
    /// Its step size.
    pub learning_rate: f64,
    /// How that changes in the course of training.
    pub schedule: Schedule,
    /// Its weight decay: the pull of all weights towards zero.
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
            piece: 64,
            optimiser: Optimiser::Adam,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
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
/// noise) draws from the stream of the piece of a mini-batch, which is ours and not libtorch's.
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
/// `learner` builds the network, whose loss is sought, on variables that it is given. It is called
/// several times, so that pieces of a mini-batch can pass through networks in different threads.
/// The loss is the mean (a scalar) over the rows
/// numbered in a tensor `[b]` of `i64`; it is computed with gradients in [`Mode::Training`], and
/// without in [`Mode::Applied`] for validation. `progress` is called before every mini-batch. A last
/// mini-batch of a single row is joined to the one before it.
///
/// # Errors
/// When there are no training rows, the loss diverges, or the learner fails.
pub fn train<L>(
    variables: &Variables,
    rows: Rows,
    training: &Training,
    progress: &mut (dyn FnMut(&Progress) + Send),
    learner: impl Fn(&Variables) -> Result<L, Error>,
) -> Result<Vec<Epoch>, Error>
where
    L: Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error> + Send,
{
    let batches = batches(rows.train.len(), training.batch);
    let mut learning = Learning::new(variables, training, &batches, learner)?;
    course(variables, rows, training, &batches, progress, &mut learning)
}

/// Does what [`train`] does, to rounding, where `network` is the same as the learner with its gradients
/// written out: on a processor that takes less time for small networks. On other devices and
/// with optimisers other than Adam without weight decay it is [`train`].
///
/// # Errors
/// When there are no training rows, the loss diverges, or the learner fails.
pub fn train_by_hand<L>(
    variables: &Variables,
    rows: Rows,
    training: &Training,
    progress: &mut (dyn FnMut(&Progress) + Send),
    learner: impl Fn(&Variables) -> Result<L, Error>,
    network: &impl ManualBackward,
) -> Result<Vec<Epoch>, Error>
where
    L: Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error> + Send,
{
    let plain = training.optimiser == Optimiser::Adam && training.weight_decay == 0.0;
    if variables.device().is_cuda() || !plain {
        return train(variables, rows, training, progress, learner);
    }
    let batches = batches(rows.train.len(), training.batch);
    let applied = Learning::new(variables, training, &batches, learner)?;
    let mut hands = Manual::new(network, variables, applied, &batches)?;
    course(variables, rows, training, &batches, progress, &mut hands)
}

/// Something that learns from mini-batches.
trait Learns {
    /// Learns from all mini-batches, each of them rows of `order`, and tells before each how many came
    /// before it. Gives the mean loss over the rows.
    fn learn(
        &mut self,
        epoch: usize,
        order: &[i64],
        batches: &[Range<usize>],
        tell: &mut (dyn FnMut(usize) + Send),
    ) -> Result<f64, Error>;

    /// Mean loss over `rows`; none if there are none.
    fn validate(&mut self, epoch: usize, rows: &[i64]) -> Result<Option<f64>, Error>;
}

/// All epochs.
fn course(
    variables: &Variables,
    rows: Rows,
    training: &Training,
    batches: &[Range<usize>],
    progress: &mut (dyn FnMut(&Progress) + Send),
    learning: &mut impl Learns,
) -> Result<Vec<Epoch>, Error> {
    let Rows { train: mut order, validation } = rows;
    if order.is_empty() {
        return Err(Error::TooFew { rows: 0, why: String::new() });
    }
    let mut best = Best::new(training.patience);
    let mut epochs: Vec<Epoch> = Vec::new();
    for epoch in 1..=training.epochs {
        Stream::new(training.seed, &format!("shuffle {epoch}")).shuffle(&mut order);
        let last = epochs.last().copied();
        let mut tell = |step| {
            progress(&Progress {
                done: (epoch - 1) * batches.len() + step,
                total: training.epochs * batches.len(),
                epoch,
                epochs: training.epochs,
                last,
            });
        };
        let train_loss = learning.learn(epoch, &order, batches, &mut tell)?;
        let validation_loss = learning.validate(epoch, &validation)?;
        epochs.push(Epoch { epoch, train_loss, validation_loss });
        if best.stops_after(validation_loss, variables)? {
            break;
        }
    }
    best.restore(variables)?;
    Ok(epochs)
}

/// Where the mini-batches of an epoch begin and end.
fn batches(rows: usize, batch: usize) -> Vec<Range<usize>> {
    let batch = batch.clamp(1, rows.max(1));
    let count = rows.div_ceil(batch);
    let alone = count > 1 && rows % batch == 1;
    let count = if alone { count - 1 } else { count };
    let end = |at| if at + 1 == count { rows } else { (at + 1) * batch };
    (0..count).map(|at| at * batch..end(at)).collect()
}

/// Cuts a mini-batch into pieces, the same on every machine.
fn pieces(rows: usize, training: &Training) -> Vec<Range<usize>> {
    let count = (rows / training.piece.max(1)).clamp(1, PIECES);
    (0..count).map(|at| rows * at / count..rows * (at + 1) / count).collect()
}

/// Pieces of the largest mini-batch. A GPU works on all of it at once.
fn most_pieces(training: &Training, variables: &Variables, batches: &[Range<usize>]) -> usize {
    if variables.device().is_cuda() {
        return 1;
    }
    batches.iter().map(|batch| pieces(batch.len(), training).len()).max().unwrap_or(1)
}

/// A network's loss, its weights as autograd knows them, and what its layers noted about their inputs
/// (running means and variances).
struct Learner<L> {
    loss: L,
    weights: Vec<Tensor>,
    observed: Vec<Tensor>,
}

/// All that a training step needs.
struct Learning<'a, L> {
    training: &'a Training,
    device: Device,
    replicas: Replicas<Learner<L>>,
    steps: Steps,
    /// Mini-batches in all, unless training stops early.
    total: usize,
    /// Mini-batches done.
    done: usize,
}

impl<'a, L> Learning<'a, L>
where
    L: Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error> + Send,
{
    fn new(
        variables: &Variables,
        training: &'a Training,
        batches: &[Range<usize>],
        learner: impl Fn(&Variables) -> Result<L, Error>,
    ) -> Result<Self, Error> {
        let members = most_pieces(training, variables, batches);
        let replicas = Replicas::new(variables, members, |replica| {
            let loss = learner(replica)?;
            Ok(Learner { loss, weights: replica.learnt(), observed: replica.observed() })
        })?;
        Ok(Self {
            training,
            device: variables.device(),
            replicas,
            steps: Steps::new(variables, training)?,
            total: training.epochs * batches.len(),
            done: 0,
        })
    }

    /// Learns from a mini-batch; gives its mean loss, as the sum of what the pieces add to it.
    fn step(&mut self, epoch: usize, step: usize, rows: &[i64]) -> Result<Vec<Tensor>, Error> {
        let &mut Self { training, device, .. } = self;
        let pieces = if device.is_cuda() {
            std::iter::once(0..rows.len()).collect()
        } else {
            pieces(rows.len(), training)
        };
        let learnt = self.replicas.map(pieces.len(), |learner, at| -> Result<_, Error> {
            let piece = &rows[pieces[at].clone()];
            let mut stream = Stream::new(training.seed, &format!("batch {epoch} {step} {at}"));
            let picked = Tensor::f_from_slice(piece)?.f_to(device)?;
            let mut loss = (learner.loss)(&picked, &mut Mode::Training(&mut stream))?;
            if piece.len() < rows.len() {
                loss = loss.f_mul_scalar(piece.len() as f64 / rows.len() as f64)?;
            }
            let gradients = Tensor::f_run_backward(&[&loss], &learner.weights, false, false)?;
            Ok((loss.f_detach()?, gradients))
        })?;
        let (losses, gradients) = learnt.into_iter().unzip();
        self.steps.step(gradients, training.schedule.share(self.done, self.total))?;
        self.done += 1;
        Ok(losses)
    }

    /// Gives all members the mean of what each of them observed. Until then, a member has seen only
    /// its own pieces of the mini-batches: were the memory shared, the order in which threads come
    /// to it would tell in the result.
    fn agree(&mut self) -> Result<(), Error> {
        let observed: Vec<&Vec<Tensor>> =
            self.replicas.members().map(|one| &one.observed).collect();
        let [first, others @ ..] = observed.as_slice() else { return Ok(()) };
        if others.is_empty() {
            return Ok(());
        }
        for (at, own) in first.iter().enumerate() {
            let all: Vec<&Tensor> = observed.iter().map(|observed| &observed[at]).collect();
            let mean = Tensor::f_stack(&all, 0)?.f_mean_dim(0, false, own.kind())?;
            for one in all {
                one.shallow_clone().f_copy_(&mean)?;
            }
        }
        Ok(())
    }
}

impl<L> Learns for Learning<'_, L>
where
    L: Fn(&Tensor, &mut Mode<'_>) -> Result<Tensor, Error> + Send,
{
    fn learn(
        &mut self,
        epoch: usize,
        order: &[i64],
        batches: &[Range<usize>],
        tell: &mut (dyn FnMut(usize) + Send),
    ) -> Result<f64, Error> {
        let mut losses = Losses::new(epoch);
        for (step, batch) in batches.iter().enumerate() {
            tell(step);
            let batch = &order[batch.clone()];
            losses.note(self.step(epoch, step, batch)?, batch.len())?;
        }
        self.agree()?;
        losses.mean()
    }

    fn validate(&mut self, epoch: usize, rows: &[i64]) -> Result<Option<f64>, Error> {
        if rows.is_empty() {
            return Ok(None);
        }
        let device = self.device;
        let batches: Vec<&[i64]> = rows.chunks(self.training.batch.max(1)).collect();
        let means = self.replicas.map(batches.len(), |learner, at| {
            let picked = Tensor::f_from_slice(batches[at])?.f_to(device)?;
            tch::no_grad(|| (learner.loss)(&picked, &mut Mode::Applied))
        })?;
        let mut losses = Losses::new(epoch);
        for (mean, batch) in means.into_iter().zip(batches) {
            losses.note(vec![mean], batch.len())?;
        }
        losses.mean().map(Some)
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
