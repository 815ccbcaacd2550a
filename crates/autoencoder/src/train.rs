//! The kind `autoencoder`.

use scarce_artifact::{Empty, History, Images, ImagesMeta, Reconstructions, Vectors};
use scarce_nn::tch::{self, Kind as Number, Tensor};
use scarce_nn::{Activation, Device, LIBTORCH, Mode, Pixels, Rows, Training, Variables};
use scarce_stage::{Context, Description, Failure, Needs, Port, Stage};

use crate::data::{Data, Samples};
use crate::{Autoencoder, Blueprint, Error, Loss, TrainParams};

const DOC: &str = "\
An autoencoder squeezes each image through a code of `latent` numbers and learns to make the image \
again from them (Hinton and Salakhutdinov 2006). No label is used.

Pixels are scaled to [0, 1]. `linear` leads from the H·W·C pixels through fully connected layers of \
the widths `hidden` to the code; `conv` first halves the image once per entry of `channels` by 3×3 \
convolutions of stride 2, for images of any size, grey or RGB. The decoder mirrors the encoder. \
Weights are trained by Adam (Kingma and Ba 2015) on shuffled mini-batches.

With `early_stopping` the weights of the epoch with the lowest validation loss are kept, and \
training stops once that loss has not fallen for `patience` epochs. It is measured on a share of the \
images, which is set aside, or with `validation_split` on another part of the data; if that is \
`test`, what follows is transductive.

The same seed gives the same bytes on the same device with the same number of threads.";

/// Trains an autoencoder.
pub struct Train;

impl Stage for Train {
    type Params = TrainParams;

    fn describe() -> Description {
        Description::new("autoencoder", "Learn a short code for images, without labels")
            .doc(DOC)
            .input(Port::table::<Images>("images", "The images"))
            .output(Port::model("model", "encoder", "The trained network"))
            .output(Port::table::<History>("history", "Losses by epoch"))
            .output(Port::table::<Reconstructions>(
                "reconstructions",
                "A few images, their codes, and what the decoder makes of them",
            ))
            .needs(Needs { gpu: true, fixed_threads: true })
            .environment("libtorch", LIBTORCH)
            .environment("device", Device::default_class())
    }

    fn run(params: TrainParams, context: &Context) -> Result<(), Failure> {
        let images = context.input::<Images>("images")?;
        let meta = images.meta().clone();
        if params.loss == Loss::Bce && params.output_activation != Activation::Sigmoid {
            return Err(Error::LossNeedsSigmoid.into());
        }
        let Data { bytes, rows, samples } = Data::read(&images, &params)?;
        let trained = Trained::new(&params, &meta, &bytes, rows, context)?;
        let samples = trained.reconstruct(samples, &meta)?;
        context.write_model("model", &trained.blueprint.model(&trained.variables)?)?;
        context.write("history", Empty {}, trained.history)?;
        context.write("reconstructions", meta, samples)
    }
}

/// A network after training.
struct Trained {
    blueprint: Blueprint,
    variables: Variables,
    network: Autoencoder,
    history: History,
}

impl Trained {
    fn new(
        params: &TrainParams,
        meta: &ImagesMeta,
        bytes: &[u8],
        rows: Rows,
        context: &Context,
    ) -> Result<Self, Error> {
        let device = params.device.open(context.threads())?;
        let pixels = Pixels::new(device, bytes, meta.shape, meta.max_value)?;
        let blueprint = Blueprint::new(params, meta.shape);
        let variables = Variables::fresh(device, params.seed);
        let network = Autoencoder::new(&variables, &blueprint)?;
        let training = training(params, rows.train.len());
        let mut progress = |at: &scarce_nn::Progress| {
            context.progress(at.done as u64, at.total as u64, "steps", &at.to_string());
        };
        let loss =
            |rows: &Tensor, _: &mut Mode<'_>| network.loss(&pixels.gather(rows)?, params.loss);
        let epochs = scarce_nn::train(&variables, rows, &training, &mut progress, loss)?;
        let history = scarce_nn::history(&epochs);
        Ok(Self { blueprint, variables, network, history })
    }

    /// Passes the samples through the network.
    fn reconstruct(&self, samples: Samples, meta: &ImagesMeta) -> Result<Reconstructions, Error> {
        let Samples { id, bytes } = samples;
        let pixels = Pixels::new(self.variables.device(), &bytes, meta.shape, meta.max_value)?;
        let (code, back) = tch::no_grad(|| -> Result<_, Error> {
            let code = self.network.encoder().forward(&pixels.range(0, pixels.len())?)?;
            let back = self.network.decode(&code)?;
            Ok((code, back))
        })?;
        // back to bytes, as bright as the source's own
        let scale = f64::from(meta.max_value.max(1));
        let back = back.f_clamp(0.0, 1.0)?.f_mul_scalar(scale)?.f_round()?;
        let width = meta.shape.pixels();
        Ok(Reconstructions {
            id,
            original: Vectors::new(width, bytes),
            code: Vectors::new(self.blueprint.latent, scarce_nn::numbers::<f32>(&code)?),
            reconstruction: Vectors::new(
                width,
                scarce_nn::numbers::<u8>(&back.f_to_kind(Number::Uint8)?)?,
            ),
        })
    }
}

fn training(params: &TrainParams, images: usize) -> Training {
    let TrainParams { epochs, batch, learning_rate, seed, .. } = *params;
    Training {
        epochs: epochs.unwrap_or_else(|| Training::epochs_for(images, batch)),
        batch,
        learning_rate,
        patience: params.early_stopping.map(|stopping| stopping.patience),
        seed,
        ..Training::default()
    }
}
