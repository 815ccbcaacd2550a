//! The kind `mlp`.

use scarce_artifact::Embeddings;
use scarce_stage::{Context, Description, Failure, Port, Stage};

use crate::{
    Blueprint, MlpParams,
    fit::{fit, fitting_kind},
    source::Source,
};

const DOC: &str = "\
Fully connected layers of the widths `hidden`, an `activation` after each, and one output per class \
(Goodfellow, Bengio and Courville, *Deep Learning*, 2016, chapter 6). Probabilities are the softmax \
of the outputs; a class without a labelled image has no output and gets probability 0. Weights start \
uniform in ±1/√(numbers that enter the layer) and are trained on shuffled mini-batches of the \
labelled images. Features are taken as they are: scale them before if they are large.

With `early_stopping` a share of the labelled images is set aside, of every class in proportion, the \
weights of the epoch with the lowest loss on them are kept, and training stops once that loss has not \
fallen for `patience` epochs. With few labels that share is better spent on learning.

The model keeps `dense.LAYER.weight: [out, in]` and `.bias: [out]`. The same seed gives the same bytes \
on the same device, whatever the number of threads.";

/// Trains a multilayer perceptron.
pub struct Mlp;

impl Stage for Mlp {
    type Params = MlpParams;

    fn describe() -> Description {
        let sees = Port::table::<Embeddings>("features", "One vector per image");
        fitting_kind("mlp", "A multilayer perceptron on features, of any depth", DOC, sees)
    }

    fn run(params: MlpParams, context: &Context) -> Result<(), Failure> {
        let source = Source::Features(context.input::<Embeddings>("features")?);
        let fitting = params.fitting();
        let MlpParams { hidden, activation, batch_norm, dropout, .. } = params;
        fit(context, &source, &fitting, None, |input, learnt| Blueprint {
            input,
            planes: None,
            hidden,
            activation,
            batch_norm,
            dropout,
            learnt,
        })
    }
}
