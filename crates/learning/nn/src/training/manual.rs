//! Training with a manual backward pass.
//!
//! The weights lie in one vector, one behind the other, as does all that goes with them, and threads
//! meet twice in a step: when each has its piece's gradient, and when each has moved its part of the
//! weights. Tensors get the weights at the end of an epoch, for validation and for who comes after.

use std::ops::Range;

use rayon::prelude::*;
use tch::Tensor;

use super::{Learning, Learns, Mode, Training, most_pieces, pieces};
use crate::manual_backward::{ManualBackward, Piece};
use crate::optimiser::AdamStep;
use crate::{Error, Stream, Variables, numbers};

/// Numbers that a thread moves at a time.
const SHARE: usize = 1 << 14;

/// All that a training step needs.
pub(super) struct Manual<'a, N: ManualBackward, L> {
    network: &'a N,
    /// Where validation takes place, and the tensors that the weights go to.
    applied: Learning<'a, L>,
    tensors: Vec<Tensor>,
    state: State<N::Scratch>,
}

struct State<R> {
    weights: Vec<f32>,
    /// Running means of the gradients and of their squares.
    mean: Vec<f32>,
    square: Vec<f32>,
    /// Each piece's memory and gradient.
    pieces: Vec<(R, Vec<f32>)>,
    /// Steps taken.
    taken: usize,
    /// Steps in all, unless training stops early.
    total: usize,
}

impl<'a, N: ManualBackward, L> Manual<'a, N, L> {
    pub(super) fn new(
        network: &'a N,
        variables: &Variables,
        applied: Learning<'a, L>,
        batches: &[Range<usize>],
    ) -> Result<Self, Error> {
        let tensors: Vec<Tensor> = variables.learnt();
        let mut weights = Vec::new();
        for tensor in &tensors {
            weights.extend(numbers::<f32>(tensor)?);
        }
        network.reorder(&mut weights, false);
        let most = most_pieces(applied.training, variables, batches);
        let zeros = vec![0.0; weights.len()];
        let piece = |_| (N::Scratch::default(), zeros.clone());
        let state = State {
            mean: zeros.clone(),
            square: zeros.clone(),
            pieces: (0..most).map(piece).collect(),
            weights,
            taken: 0,
            total: applied.total,
        };
        Ok(Self { network, applied, tensors, state })
    }

    /// Gives the tensors the weights.
    fn hand_over(&self) -> Result<(), Error> {
        let mut weights = self.state.weights.clone();
        self.network.reorder(&mut weights, true);
        let mut rest = weights.as_slice();
        for tensor in &self.tensors {
            let (values, after) = rest.split_at(tensor.numel());
            let values = Tensor::f_from_slice(values)?.f_view(tensor.size().as_slice())?;
            tch::no_grad(|| tensor.shallow_clone().f_copy_(&values))?;
            rest = after;
        }
        Ok(())
    }
}

impl<N: ManualBackward, L> Learns for Manual<'_, N, L>
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
        let (network, training, state) = (self.network, self.applied.training, &mut self.state);
        // all steps within the pool of threads: coming to it from outside takes a while each time
        let sum = rayon::scope(|_| {
            let mut sum = 0.0;
            for (step, batch) in batches.iter().enumerate() {
                tell(step);
                let rows = &order[batch.clone()];
                let loss = state.step(network, training, (epoch, step), rows);
                if !loss.is_finite() {
                    return Err(Error::Diverged { epoch, step: step + 1, loss });
                }
                sum += loss * rows.len() as f64;
            }
            Ok(sum)
        })?;
        self.hand_over()?;
        Ok(sum / order.len() as f64)
    }

    fn validate(&mut self, epoch: usize, rows: &[i64]) -> Result<Option<f64>, Error> {
        self.applied.validate(epoch, rows)
    }
}

impl<R: Send> State<R> {
    /// Learns from a mini-batch; gives its mean loss.
    fn step<N: ManualBackward<Scratch = R>>(
        &mut self,
        network: &N,
        training: &Training,
        (epoch, step): (usize, usize),
        rows: &[i64],
    ) -> f64 {
        let Self { weights, mean, square, pieces: memory, taken, total } = self;
        let pieces = pieces(rows.len(), training);
        let memory = &mut memory[..pieces.len()];
        let learn = |(at, (scratch, gradient)): (usize, &mut (R, Vec<f32>))| {
            let mut stream = Stream::new(training.seed, &format!("batch {epoch} {step} {at}"));
            let rows_of = &rows[pieces[at].clone()];
            let scale = 1.0 / rows.len() as f64;
            let piece = Piece { rows: rows_of, scale, stream: &mut stream };
            network.learn(weights, piece, scratch, gradient)
        };
        let losses: Vec<f64> =
            memory.par_iter_mut().with_max_len(1).enumerate().map(learn).collect();

        let share = training.schedule.share(*taken, *total);
        *taken += 1;
        let adam = AdamStep::new(training.learning_rate * share, *taken as i32);
        let gradients: Vec<&[f32]> =
            memory.iter().map(|(_, gradient)| gradient.as_slice()).collect();
        let shares = weights
            .par_chunks_mut(SHARE)
            .zip(mean.par_chunks_mut(SHARE))
            .zip(square.par_chunks_mut(SHARE));
        shares.enumerate().for_each(|(at, ((weights, mean), square))| {
            let part = at * SHARE..at * SHARE + weights.len();
            let parts: Vec<&[f32]> =
                gradients.iter().map(|gradient| &gradient[part.clone()]).collect();
            adam.take(weights, mean, square, &parts);
        });
        losses.iter().sum()
    }
}
