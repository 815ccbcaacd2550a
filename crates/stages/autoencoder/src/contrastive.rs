//! The kind `contrastive`.

use scarce_artifact::{Empty, History, Images, Shape};
use scarce_nn::tch::Tensor;
use scarce_nn::{
    Augmentation, Device, LIBTORCH, Mode, Padding, Pixels, Planes, Rows, Schedule, Training,
    Variables,
};
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, SplitName, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::views::{Sketch, Views};

const DOC: &str = "\
Learns which changes of an image do not matter. Every image of a mini-batch is shown twice, each time \
turned, stretched, slanted, moved or bent by `augmentation`; a convolutional network must tell the two \
views of an image from those of all others (SimCLR; Chen, Kornblith, Norouzi and Hinton 2020). No label \
is used, but `augmentation` says what is alike, so it is where you tell what you know of your images: a \
mirrored shoe is a shoe, a mirrored 2 is not.

The network is a stack of convolutions of the given `channels`, each normalised over the mini-batch, \
then fully connected layers of the widths `hidden` and a code of `latent` \
numbers. On the code sits a projection of one hidden layer to `projection` numbers, only for training: \
with z the projections scaled to length 1, the loss of a view i whose other view is j is −log of \
exp(zᵢ·zⱼ/τ) / Σ exp(zᵢ·zₖ/τ), where k runs over all other views of the same piece of the mini-batch, and \
τ is `temperature`. Pieces of up to `rivals` images pass through the network side by side, one per thread, \
so that result and memory do not depend on how many threads there are. Adam's step size falls along half \
a cosine.

`encode` gives the code of every image, without any augmentation. Codes are alike by the angle between \
them: their metric is `cosine`. A few directions of the codes have most of their variance; neighbours are \
found better after `pca` with `whiten = 0.5`. `cnn` can begin with the convolutions.";

/// Parameters of `contrastive`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastiveParams {
    /// Channels after each convolution.
    #[schemars(inner(range(min = 1)), length(min = 1, max = 12))]
    pub channels: Vec<usize>,
    /// Side of the kernels.
    #[schemars(range(min = 1))]
    pub kernel: usize,
    /// What lies beyond the border: `same`, zeros, or `valid`, nothing.
    pub padding: Padding,
    /// Steps that the kernels move on at a time; 2 halves each side.
    #[schemars(range(min = 1))]
    pub stride: usize,
    /// Side of the squares of which only the largest number is kept, after each convolution; 1 keeps
    /// all.
    #[schemars(range(min = 1))]
    pub pool: usize,
    /// Widths of the fully connected layers between the convolutions and the code.
    #[schemars(inner(range(min = 1)))]
    pub hidden: Vec<usize>,
    /// Numbers in the code.
    #[schemars(range(min = 1))]
    pub latent: usize,
    /// Numbers that the loss compares.
    #[schemars(range(min = 1))]
    pub projection: usize,
    /// How sharply the nearest rivals count beside the far ones; lower is sharper.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub temperature: f64,
    /// What may be done to an image without making it another.
    pub augmentation: Augmentation,
    /// Step size of Adam at the start.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Weight decay: the pull of all weights towards zero.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Images in a mini-batch.
    #[schemars(range(min = 2))]
    pub batch: usize,
    /// Images that are told from each other at a time; a mini-batch is cut into pieces of at least so
    /// many, at most eight.
    #[schemars(range(min = 2))]
    pub rivals: usize,
    /// Passes over the images.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Parts of the data to learn from. No label is used, yet `test` images belong here only if
    /// being transductive is meant.
    pub splits: Vec<SplitName>,
    /// `auto` (a GPU if there is one), `cpu` or `cuda:N`.
    pub device: Device,
    /// What the first weights, the order of the images and their views are drawn from.
    pub seed: u64,
}

impl Default for ContrastiveParams {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            kernel: 3,
            padding: Padding::Same,
            stride: 1,
            pool: 2,
            hidden: Vec::new(),
            latent: 64,
            projection: 64,
            temperature: 0.2,
            augmentation: Augmentation::default(),
            learning_rate: 1e-3,
            weight_decay: 0.0,
            batch: 256,
            rivals: 128,
            epochs: 10,
            splits: vec![SplitName::Train, SplitName::Pool],
            device: Device::Auto,
            seed: 0,
        }
    }
}

impl ContrastiveParams {
    fn sketch(&self, shape: Shape) -> Sketch {
        let &Self { kernel, padding, stride, pool, latent, projection, .. } = self;
        Sketch {
            shape,
            planes: Planes { channels: self.channels.clone(), kernel, padding, stride, pool },
            hidden: self.hidden.clone(),
            latent,
            projection,
        }
    }

    fn training(&self) -> Training {
        let &Self { epochs, batch, rivals, learning_rate, weight_decay, seed, .. } = self;
        Training {
            epochs,
            batch,
            piece: rivals,
            learning_rate,
            weight_decay,
            schedule: Schedule::Cosine,
            seed,
            ..Training::default()
        }
    }
}

/// Trains an encoder by telling images apart.
pub struct Contrastive;

impl Stage for Contrastive {
    type Params = ContrastiveParams;

    fn describe() -> Description {
        Description::new("contrastive", "Learn, without labels, what makes an image another")
            .doc(DOC)
            .learns(Learns::images("images", Splits::Parameter("/splits".to_owned())).seeded())
            .input(Port::table::<Images>("images", "The images"))
            .output(Port::model("model", "encoder", "The trained network"))
            .output(Port::table::<History>("history", "Losses by epoch"))
            .needs(Needs { gpu: true, ..Needs::default() })
            .environment("libtorch", LIBTORCH)
            .environment("device", Device::default_class())
    }

    fn run(params: ContrastiveParams, context: &Context) -> Result<(), Failure> {
        let images = context.input::<Images>("images")?;
        let meta = images.meta().clone();
        let bytes = data::of_splits(&images, &params.splits)?;
        let device = params.device.open()?;
        let pixels = Pixels::new(device, &bytes, meta.shape, meta.max_value)?;
        drop(bytes);
        let sketch = params.sketch(meta.shape);
        let variables = Variables::fresh(device, params.seed);
        let mut progress = |at: &scarce_nn::Progress| {
            context.progress(at.done as u64, at.total as u64, "steps", &at.to_string());
        };
        let learner = |replica: &Variables| {
            let (network, pixels) = (Views::new(replica, &sketch)?, pixels.replica());
            let (augmentation, shape) = (params.augmentation, meta.shape);
            Ok(move |rows: &Tensor, mode: &mut Mode<'_>| {
                let x = pixels.gather(rows)?;
                let x = Tensor::f_cat(&[&x, &x], 0)?;
                let x = match &mut *mode {
                    Mode::Training(stream) => augmentation.apply(&x, shape, stream)?,
                    Mode::Applied => x,
                };
                network.loss(&x, params.temperature, mode)
            })
        };
        let rows = Rows::all(pixels.len());
        let epochs =
            scarce_nn::train(&variables, rows, &params.training(), &mut progress, learner)?;
        context.write_model("model", &sketch.model(&variables)?)?;
        context.write("history", Empty {}, scarce_nn::history(&epochs))
    }
}
