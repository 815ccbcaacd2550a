//! The kind `autoencoder`.

use scarce_artifact::{Empty, History, Images, ImagesMeta, Reconstructions, Vectors};
use scarce_nn::tch::{self, Kind as Number, Tensor};
use scarce_nn::{Activation, Device, LIBTORCH, Mode, Pixels, Rows, Training, Variables};
use scarce_stage::{Context, Description, Failure, Knowledge, Learns, Needs, Port, Splits, Stage};

use crate::data::{Data, Samples};
use crate::manual_backward::ManualBackward;
use crate::{Autoencoder, Blueprint, Error, Loss, TrainParams};

const DOC: &str = "\
An autoencoder squeezes each image through a code of `latent` numbers and learns to make the image \
again from them (Hinton and Salakhutdinov 2006). No label is used.

Pixels are scaled to [0, 1]. `linear` leads from the H·W·C pixels through fully connected layers of \
the widths `hidden` to the code; `conv` first halves the image once per entry of `channels` by 3×3 \
convolutions of stride 2, for images of any size, grey or RGB. The decoder mirrors the encoder. \
Weights are trained by Adam (Kingma and Ba 2015) on shuffled mini-batches.

With `variational` (Kingma and Welling 2014) the encoder gives a mean and the logarithm of a variance \
for each number of the code. While training, the decoder is shown mean + √variance · ε, with ε \
standard normal; in all else, validation, reconstructions and `encode`, the code is the mean. The \
loss of an image is minus the logarithm of its likelihood, up to a constant, plus `kl_weight` times \
the Kullback–Leibler divergence of the code's distribution from the standard normal one (other \
weights than 1: Higgins et al. 2017). With `bce` the first is the cross-entropy summed over pixels. \
`mse` takes pixels to be normal around their reconstruction with variance 1, so it is half the \
squared difference summed over pixels; as pixels in [0, 1] differ by far less, a `kl_weight` well \
below 1 is then usual. The losses of the history are that sum divided by the number of pixels, so \
that they are as large as those of a plain autoencoder.

With `early_stopping` the weights of the epoch with the lowest validation loss are kept, and \
training stops once that loss has not fallen for `patience` epochs. It is measured on a share of the \
images, which is set aside, or with `validation_split` on another part of the data; if that is \
`test`, what follows is transductive.

The same seed gives the same bytes on the same device, whatever the number of threads.";

/// Trains an autoencoder.
pub struct Train;

/// From the images of two parameters.
fn learns() -> Learns {
    let parameter = |pointer: &str| Splits::Parameter(pointer.to_owned());
    Learns::images("images", parameter("/splits"))
        .and("images", parameter("/early_stopping/validation_split"), Knowledge::Images)
        .seeded()
}

impl Stage for Train {
    type Params = TrainParams;

    fn describe() -> Description {
        Description::new("autoencoder", "Learn a short code for images, without labels")
            .doc(DOC)
            .learns(learns())
            .input(Port::table::<Images>("images", "The images"))
            .output(Port::model("model", "encoder", "The trained network"))
            .output(Port::table::<History>("history", "Losses by epoch"))
            .output(Port::table::<Reconstructions>(
                "reconstructions",
                "A few images, their codes, and what the decoder makes of them",
            ))
            .needs(Needs { gpu: true, ..Needs::default() })
            .environment("libtorch", LIBTORCH)
            .environment("device", Device::default_class())
    }

    fn run(params: TrainParams, context: &Context) -> Result<(), Failure> {
        let images = context.input::<Images>("images")?;
        let meta = images.meta().clone();
        if params.loss == Loss::Bce && params.output_activation != Activation::Sigmoid {
            return Err(Error::LossNeedsSigmoid.into());
        }
        if params.variational && params.code_activation != Activation::None {
            let found = serde_json::json!(params.code_activation).to_string();
            return Err(Error::VariationalCode { found }.into());
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
        let device = params.device.open()?;
        let pixels = Pixels::new(device, bytes, meta.shape, meta.max_value)?;
        let blueprint = Blueprint::new(params, meta.shape);
        let variables = Variables::initialised(device, params.seed, params.initialisation);
        let network = Autoencoder::new(&variables, &blueprint)?;
        let training = training(params, rows.train.len());
        let mut progress = |at: &scarce_nn::Progress| {
            context.progress(at.done as u64, at.total as u64, "steps", &at.to_string());
        };
        let learner = |replica: &Variables| {
            let (network, pixels) = (Autoencoder::new(replica, &blueprint)?, pixels.replica());
            Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
                network.loss(&pixels.gather(rows)?, params.loss, params.kl_weight, mode)
            })
        };
        let manual_backward = ManualBackward::new(
            &blueprint,
            &variables,
            (params.loss, params.kl_weight),
            (bytes, meta.max_value),
        );
        let progress = &mut progress;
        let epochs = match manual_backward {
            Some(network) => {
                scarce_nn::train_by_hand(&variables, rows, &training, progress, learner, &network)
            }
            None => scarce_nn::train(&variables, rows, &training, progress, learner),
        }?;
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
