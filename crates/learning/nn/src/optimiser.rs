//! What turns gradients into steps.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Error, Training, Variables, replicas::alone, vector::vectorized};

/// β₁ and β₂ of Adam: how slowly the means of gradients and of their squares change.
const BETA: (f64, f64) = (0.9, 0.999);
/// ε of Adam.
const EPSILON: f64 = 1e-8;

/// A rule that turns the gradients of the weights into their next step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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

/// How the step size changes in the course of training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// It falls along half a cosine to 0 at the last epoch's end (Loshchilov and Hutter 2017,
    /// equation 5, without restarts).
    Cosine,
}

impl Schedule {
    /// Share of the step size after `done` of `total` steps.
    pub(crate) fn share(self, done: usize, total: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => {
                let part = done as f64 / total.max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * part).cos())
            }
        }
    }
}

/// An optimiser at work on some weights.
pub(crate) struct Steps {
    optimiser: Optimiser,
    learning_rate: f64,
    weight_decay: f64,
    weights: Vec<Weight>,
    /// Steps taken.
    taken: i32,
}

/// A weight and what is remembered of its gradients.
struct Weight {
    value: Tensor,
    /// Running mean of the gradients, or the last step.
    mean: Tensor,
    /// Running mean of their squares.
    square: Tensor,
    /// Room for the gradient.
    gradient: Tensor,
    /// Room for what is computed on the way.
    room: Tensor,
}

impl Steps {
    pub(crate) fn new(variables: &Variables, training: &Training) -> Result<Self, Error> {
        let weight = |value: Tensor| {
            let value = value.f_detach()?;
            let zeros = || value.f_zeros_like();
            let (mean, square, gradient, room) = (zeros()?, zeros()?, zeros()?, zeros()?);
            Ok(Weight { value, mean, square, gradient, room })
        };
        let &Training { optimiser, learning_rate, weight_decay, .. } = training;
        let weights = variables.learnt().into_iter().map(weight).collect::<Result<_, Error>>()?;
        Ok(Self { optimiser, learning_rate, weight_decay, weights, taken: 0 })
    }

    /// Moves the weights against the sum of some gradients; each is a list with one gradient per
    /// weight, in the order of [`Variables::learnt`]. The step is `share` of the usual.
    pub(crate) fn step(&mut self, gradients: Vec<Vec<Tensor>>, share: f64) -> Result<(), Error> {
        self.taken += 1;
        let mut parts: Vec<Vec<Tensor>> = self.weights.iter().map(|_| Vec::new()).collect();
        for gradients in gradients {
            for (parts, gradient) in parts.iter_mut().zip(gradients) {
                parts.push(gradient);
            }
        }
        let rule = Rule {
            optimiser: self.optimiser,
            learning_rate: self.learning_rate * share,
            weight_decay: self.weight_decay,
            taken: self.taken,
        };
        let jobs: Vec<_> = self.weights.iter_mut().zip(parts).collect();
        let worth = |(weight, _): &(&mut Weight, _)| {
            weight.value.numel() >= WORTH_A_THREAD && !weight.value.device().is_cuda()
        };
        if jobs.iter().filter(|job| worth(job)).count() < 2 {
            return jobs.into_iter().try_for_each(|(weight, parts)| rule.step(weight, &parts));
        }
        jobs.into_par_iter().try_for_each(|(weight, parts)| {
            alone();
            rule.step(weight, &parts)
        })
    }
}

/// Waking a thread takes as long as a step of so many numbers.
const WORTH_A_THREAD: usize = 1 << 14;

#[derive(Clone, Copy)]
struct Rule {
    optimiser: Optimiser,
    learning_rate: f64,
    weight_decay: f64,
    taken: i32,
}

impl Rule {
    /// Moves a weight against the sum of `parts`. These are left as they are: autograd may have
    /// given the same memory out twice.
    fn step(self, weight: &mut Weight, parts: &[Tensor]) -> Result<(), Error> {
        tch::no_grad(|| {
            let parts: Vec<&Tensor> = parts.iter().filter(|part| part.defined()).collect();
            let decays = self.weight_decay > 0.0 && self.optimiser != Optimiser::AdamW;
            let Weight { value, gradient: sum, room, .. } = weight;
            let gradient = match parts[..] {
                // the loss does not depend on this weight
                [] => return Ok(()),
                [only] if !decays => only.shallow_clone(),
                [first, ref others @ ..] => {
                    sum.f_copy_(first)?;
                    for other in others {
                        let _ = sum.f_add_(other)?;
                    }
                    if decays {
                        let _ = value.f_mul_scalar_out(room, self.weight_decay)?;
                        let _ = sum.f_add_(room)?;
                    }
                    sum.shallow_clone()
                }
            };
            match self.optimiser {
                Optimiser::Adam => self.adam(weight, &gradient),
                Optimiser::AdamW => {
                    let kept = 1.0 - self.learning_rate * self.weight_decay;
                    let _ = weight.value.f_mul_scalar_(kept)?;
                    self.adam(weight, &gradient)
                }
                Optimiser::Sgd { momentum } => {
                    let Weight { value, mean, room, .. } = weight;
                    let _ = mean.f_mul_scalar_(momentum)?;
                    let _ = mean.f_add_(&gradient)?;
                    let _ = mean.f_mul_scalar_out(room, -self.learning_rate)?;
                    let _ = value.f_add_(room)?;
                    Ok(())
                }
            }
        })
    }

    /// θ ← θ − η/(1 − β₁ᵗ) m / (√(v/(1 − β₂ᵗ)) + ε). The factors that are the same for all
    /// numbers are put into the divisor, since each pass over the numbers costs the same.
    fn adam(self, weight: &mut Weight, gradient: &Tensor) -> Result<(), Error> {
        let Weight { value, mean, square, room, .. } = weight;
        let _ = mean.f_lerp_(gradient, 1.0 - BETA.0)?;
        let _ = gradient.f_square_out(room)?;
        let _ = square.f_lerp_(room, 1.0 - BETA.1)?;
        let step = self.learning_rate / (1.0 - BETA.0.powi(self.taken));
        let root = (1.0 - BETA.1.powi(self.taken)).sqrt();
        let _ = square.f_sqrt_out(room)?;
        let _ = room.f_mul_scalar_(-1.0 / (root * step))?;
        let _ = room.f_add_scalar_(-EPSILON / step)?;
        let _ = value.f_addcdiv_(mean, room)?;
        Ok(())
    }
}

/// A step of Adam for weights that are not tensors, in one pass over the numbers.
#[derive(Clone, Copy)]
pub(crate) struct AdamStep {
    /// What the root of the running mean of squares is multiplied by, in the divisor.
    root: f32,
    /// What is added there.
    epsilon: f32,
}

impl AdamStep {
    /// The step number `taken`, counted from 1. See [`Rule::adam`].
    pub(crate) fn new(learning_rate: f64, taken: i32) -> Self {
        let step = learning_rate / (1.0 - BETA.0.powi(taken));
        let root = (1.0 - BETA.1.powi(taken)).sqrt();
        Self { root: (-1.0 / (root * step)) as f32, epsilon: (-EPSILON / step) as f32 }
    }

    /// Moves `weights` against the sum of the `gradients`.
    pub(crate) fn take(
        self,
        weights: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
        gradients: &[&[f32]],
    ) {
        /// Gradients are added so many numbers at a time, which stay in the nearest cache.
        const BLOCK: usize = 1024;
        let Some((first, others)) = gradients.split_first() else { return };
        let kept = (1.0 - BETA.0) as f32;
        let kept_square = (1.0 - BETA.1) as f32;
        let mut room = [0.0_f32; BLOCK];
        let blocks = weights
            .chunks_mut(BLOCK)
            .zip(mean.chunks_mut(BLOCK))
            .zip(square.chunks_mut(BLOCK))
            .zip(first.chunks(BLOCK));
        for (at, (((weights, mean), square), first)) in blocks.enumerate() {
            let sum = &mut room[..first.len()];
            let part = at * BLOCK..at * BLOCK + first.len();
            vectorized(
                #[inline(always)]
                || {
                    sum.copy_from_slice(first);
                    for other in others {
                        for (sum, other) in sum.iter_mut().zip(&other[part.clone()]) {
                            *sum += other;
                        }
                    }
                    let moments = mean.iter_mut().zip(square);
                    for ((weight, (mean, square)), &gradient) in
                        weights.iter_mut().zip(moments).zip(&*sum)
                    {
                        *mean += kept * (gradient - *mean);
                        *square += kept_square * (gradient * gradient - *square);
                        *weight += *mean / (square.sqrt() * self.root + self.epsilon);
                    }
                },
            );
        }
    }
}
