//! Fully connected layers whose backward pass is written by hand.

use std::ops::Range;

use crate::product::{a_b, add_a_bt, at_b};
use crate::sparse::Sparse;
use crate::vector::{sigmoid_all, vectorized};
use crate::{Activation, Variables};

/// Below this share of entries that are not 0, inputs are taken entry by entry. It pays for MNIST (0.19);
/// the time grows with the share, and an entry taken alone costs two to three times one in a product.
const SPARSE: f64 = 0.35;
/// For fewer outputs finding an entry would weigh too much beside multiplying by it.
const WIDE: usize = 64;
/// Slope of a leaky rectifier below zero, as libtorch has it.
const LEAK: f32 = 0.01;

/// A [`Dense`](crate::Dense) stack without batch normalisation and dropout, to be trained by
/// [`train_by_hand`](crate::train_by_hand): the same numbers from the same weights.
pub struct MlpCpu {
    layers: Vec<Layer>,
    activation: Activation,
    /// Whether what goes in is mostly 0, and the weights of the first layer lie `[inner, outer]`.
    sparse: bool,
}

/// Where the numbers of a layer lie among all weights.
struct Layer {
    /// `[outer, inner]`, unless the input is sparse.
    weight: Range<usize>,
    /// `[outer]`.
    bias: Range<usize>,
    inner: usize,
    outer: usize,
}

/// What a stack made of the rows that it was shown, and then the gradients. Its memory serves again.
#[derive(Default)]
pub struct Tape {
    /// What comes out of each layer, `[rows, outer]`, after the activation where there is one.
    outs: Vec<Vec<f32>>,
    /// The gradient of what goes into each layer, then of what comes out of the last.
    gradients: Vec<Vec<f32>>,
    /// What goes in, if it is mostly 0.
    input: Sparse,
}

impl Tape {
    /// What came out of the stack: `[rows, outer]`.
    pub fn output(&self) -> &[f32] {
        self.outs.last().map_or(&[], Vec::as_slice)
    }

    /// The same, to be turned into the gradient of the loss by it.
    pub fn output_mut(&mut self) -> &mut [f32] {
        self.outs.last_mut().map_or(&mut [], Vec::as_mut_slice)
    }

    /// The gradient of the loss by what went into the stack, if it was asked for: `[rows, inner]`.
    pub fn input_gradient(&self) -> &[f32] {
        self.gradients.first().map_or(&[], Vec::as_slice)
    }
}

impl MlpCpu {
    /// The layers that a stack called `name` has in `variables`; none if there is no such stack, or if
    /// the activation is one whose backward pass is not written by hand here.
    pub fn new(variables: &Variables, name: &str, activation: Activation) -> Option<Self> {
        if !has_slope(activation) {
            return None;
        }
        let mut layers = Vec::new();
        while let Some((bias, _)) = variables.place(&format!("{name}.{}.bias", layers.len())) {
            let (weight, shape) = variables.place(&format!("{name}.{}.weight", layers.len()))?;
            let [outer, inner] = shape[..] else { return None };
            layers.push(Layer { weight, bias, inner, outer });
        }
        (!layers.is_empty()).then_some(Self { layers, activation, sparse: false })
    }

    /// The same for inputs of which so little is not 0 (a share) that the first layer is faster with
    /// these entries alone. It then has its weights in another order; see [`MlpCpu::reorder`].
    #[must_use]
    pub fn for_inputs(mut self, filled: f64) -> Self {
        self.sparse = filled < SPARSE && self.layers[0].outer >= WIDE;
        self
    }

    /// Brings weights from the order that tensors have them in to that of the layers, or `back`.
    pub fn reorder(&self, weights: &mut [f32], back: bool) {
        let Layer { weight, inner, outer, .. } = &self.layers[0];
        if !self.sparse {
            return;
        }
        let weights = &mut weights[weight.clone()];
        let before = weights.to_vec();
        let (height, width) = if back { (*inner, *outer) } else { (*outer, *inner) };
        for (at, to) in weights.iter_mut().enumerate() {
            *to = before[at % height * width + at / height];
        }
    }

    /// `x: [rows, inner]` to [`Tape::output`].
    pub fn forward(&self, weights: &[f32], x: &[f32], rows: usize, tape: &mut Tape) {
        tape.outs.resize_with(self.layers.len(), Vec::new);
        for (at, layer) in self.layers.iter().enumerate() {
            let &Layer { ref weight, ref bias, inner, outer } = layer;
            let (before, out) = tape.outs.split_at_mut(at);
            let (x, out) = (before.last().map_or(x, Vec::as_slice), &mut out[0]);
            if at == 0 && self.sparse {
                tape.input.set(x, inner);
                out.resize(rows * outer, 0.0);
                tape.input.rows.product(&weights[weight.clone()], &weights[bias.clone()], out);
            } else {
                out.clear();
                (0..rows).for_each(|_| out.extend_from_slice(&weights[bias.clone()]));
                add_a_bt(x, &weights[weight.clone()], (rows, inner, outer), out);
            }
            if at + 1 < self.layers.len() {
                activate(self.activation, out);
            }
        }
    }

    /// Sets the weights' parts of `gradient` when [`Tape::output_mut`] was turned into the gradient of the
    /// loss by it, and [`Tape::input_gradient`] if it is wanted.
    pub fn backward(
        &self,
        weights: &[f32],
        x: &[f32],
        tape: &mut Tape,
        gradient: &mut [f32],
        input_wanted: bool,
    ) {
        let Tape { outs, gradients, input } = tape;
        gradients.resize_with(self.layers.len(), Vec::new);
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let &Layer { ref weight, ref bias, inner, outer } = layer;
            let (gradients, after) = gradients.split_at_mut(at + 1);
            let (outs, last) = outs.split_at(at);
            let after = after.first().unwrap_or(&last[0]);
            let x = outs.last().map_or(x, Vec::as_slice);
            let rows = after.len() / outer;
            let by_weight = &mut gradient[weight.clone()];
            if at == 0 && self.sparse {
                input.columns.product(after, &vec![0.0; outer], by_weight);
            } else {
                at_b(after, x, (outer, rows, inner), by_weight);
            }
            sum_rows(after, &mut gradient[bias.clone()]);
            if at > 0 || input_wanted {
                let before = &mut gradients[at];
                before.resize(rows * inner, 0.0);
                a_b(after, &weights[weight.clone()], (rows, outer, inner), before);
                if at > 0 {
                    times_slope(self.activation, x, before);
                }
            }
        }
    }
}

/// Whether the slope of an activation can be told from what comes out of it, by a simple rule.
pub fn has_slope(activation: Activation) -> bool {
    match activation {
        Activation::None | Activation::Relu | Activation::LeakyRelu | Activation::Sigmoid => true,
        Activation::Elu | Activation::Gelu | Activation::Tanh => false,
    }
}

/// Applies an activation that [has a slope](has_slope); another does nothing.
pub fn activate(activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Relu => each(x, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::LeakyRelu => each(x, |x| if x < 0.0 { LEAK * x } else { x }),
        Activation::Sigmoid => sigmoid_all(x),
        Activation::None | Activation::Elu | Activation::Gelu | Activation::Tanh => {}
    }
}

/// Turns the gradient of what came out of an activation, `out`, into that of what went in.
pub fn times_slope(activation: Activation, out: &[f32], gradient: &mut [f32]) {
    match activation {
        Activation::Relu => pairs(gradient, out, |g, out| if out > 0.0 { g } else { 0.0 }),
        Activation::LeakyRelu => {
            pairs(gradient, out, |g, out| if out > 0.0 { g } else { LEAK * g });
        }
        Activation::Sigmoid => pairs(gradient, out, |g, out| g * out * (1.0 - out)),
        Activation::None | Activation::Elu | Activation::Gelu | Activation::Tanh => {}
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "the function is inlined too")]
fn each(x: &mut [f32], function: impl Fn(f32) -> f32) {
    vectorized(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x = function(*x)),
    );
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "the function is inlined too")]
fn pairs(x: &mut [f32], y: &[f32], function: impl Fn(f32, f32) -> f32) {
    vectorized(
        #[inline(always)]
        || x.iter_mut().zip(y).for_each(|(x, &y)| *x = function(*x, y)),
    );
}

/// Sets `sum` to the sum of the rows of `x`.
fn sum_rows(x: &[f32], sum: &mut [f32]) {
    sum.fill(0.0);
    for row in x.chunks_exact(sum.len()) {
        pairs(sum, row, |sum, x| sum + x);
    }
}
