//! The kind `cnn`.

use scarce_artifact::Images;
use scarce_nn::Planes;
use scarce_stage::{Context, Description, Failure, Port, Stage};

use crate::{
    Blueprint, CnnParams,
    fit::{fit, fitting_kind},
    source::Source,
    start::Start,
};

const DOC: &str = "\
Convolutions with so many `channels` each, an `activation` and max-pooling after each, then fully \
connected layers of the widths `hidden`, and one output per class (LeCun, Bottou, Bengio and Haffner \
1998). Pixels are scaled to [0, 1]; images may have any size, grey or RGB. Probabilities are the \
softmax of the outputs; a class without a labelled image has no output and gets probability 0. \
Weights start uniform in ±1/√(numbers that enter a unit) and are trained on shuffled mini-batches \
of the labelled images.

`augmentation` shows every image turned, stretched, slanted, moved, bent or mirrored a little, anew in \
each epoch. With few labels, or with propagated ones of which some are wrong, it is worth more than \
anything else here; so are `loss = \"generalised-cross-entropy\"` and `dropout = 0.5`.

With `start`, an encoder of kind `contrastive`, the network begins with the convolutions that it has \
learnt from all images, without labels, their batch normalisation included, and learns on from there: a \
few epochs do. `channels`, `kernel`, `padding`, `stride` and `pool` are then that encoder's, and \
`batch_norm` holds, whatever the parameters say.

With `early_stopping` a share of the labelled images is set aside, of every class in proportion, the \
weights of the epoch with the lowest loss on them are kept, and training stops once that loss has not \
fallen for `patience` epochs.

The model keeps `planes.LAYER.weight: [out, in, k, k]`, `dense.LAYER.weight: [out, in]` and their \
`.bias: [out]`. The same seed gives the same bytes on the same device, whatever the number of threads.";

/// Trains a convolutional network.
pub struct Cnn;

impl Stage for Cnn {
    type Params = CnnParams;

    fn describe() -> Description {
        let sees = Port::table::<Images>("images", "The images");
        let start = Port::model("start", "encoder", "The network to begin with").optional();
        fitting_kind("cnn", "A convolutional network on images, small or deep", DOC, sees)
            .input(start)
    }

    fn run(params: CnnParams, context: &Context) -> Result<(), Failure> {
        let source = Source::Images(context.input::<Images>("images")?);
        let mut fitting = params.fitting();
        fitting.augmentation = params.augmentation;
        let CnnParams { channels, kernel, padding, stride, pool, .. } = params;
        let CnnParams { hidden, activation, dropout, .. } = params;
        let start = Start::wired(context, &source)?;
        let batch_norm = params.batch_norm || start.is_some();
        let planes = match &start {
            Some(start) => start.planes.clone(),
            None => Planes { channels, kernel, padding, stride, pool },
        };
        fit(context, &source, &fitting, start, |input, learnt| Blueprint {
            input,
            planes: Some(planes),
            hidden,
            activation,
            batch_norm,
            dropout,
            learnt,
        })
    }
}
