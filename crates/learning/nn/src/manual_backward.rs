//! Networks whose backward pass is written by hand, for training without autograd.

use crate::Stream;

/// A network that computes the gradient of its loss itself, from plain numbers.
pub trait ManualBackward: Sync {
    /// Memory that serves from one piece of a mini-batch to the next.
    type Scratch: Default + Send;

    /// The sum of the losses of a piece's rows times [`Piece::scale`]; sets `gradient` to its gradient
    /// by each of the `weights`, which are all weights of the network, in its [order](Self::reorder).
    fn learn(
        &self,
        weights: &[f32],
        piece: Piece<'_>,
        scratch: &mut Self::Scratch,
        gradient: &mut [f32],
    ) -> f64;

    /// Brings weights from the order of their names, each as its tensor has it, to that of the network,
    /// or `back`.
    fn reorder(&self, weights: &mut [f32], back: bool);
}

/// A part of a mini-batch.
pub struct Piece<'a> {
    /// The rows' numbers.
    pub rows: &'a [i64],
    /// What a row's loss counts: one over the rows of the mini-batch.
    pub scale: f64,
    /// What all that is random in the network is drawn from.
    pub stream: &'a mut Stream,
}
