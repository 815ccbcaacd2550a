//! The kind `encode`.

use scarce_artifact::{Embeddings, Images, Vectors, batch_rows};
use scarce_nn::{Device, LIBTORCH, Pixels, Replicas, Variables, tch};
use scarce_stage::{Context, Description, Failure, Learns, Needs, Port, Stage};

use crate::coder::{Coder, Plan};
use crate::{EncodeParams, Error};

const DOC: &str = "\
Applies the encoder of a model of kind `autoencoder` or `contrastive` to every image, of whatever \
split: pixels scaled to [0, 1], one forward pass. The code by a variational encoder is the mean of the \
image's distribution; nothing is drawn. The images must be of the shape that the model was trained on.";

/// Images that pass through the encoder at a time.
const ROWS: usize = 256;

/// Encodes images.
pub struct Encode;

impl Stage for Encode {
    type Params = EncodeParams;

    fn describe() -> Description {
        Description::new("encode", "The code of every image, by a trained encoder")
            .doc(DOC)
            .learns(Learns::nothing())
            .input(Port::table::<Images>("images", "The images"))
            .input(Port::model("model", "encoder", "The trained network"))
            .output(Port::table::<Embeddings>("embeddings", "One code per image"))
            .needs(Needs { gpu: true, ..Needs::default() })
            .environment("libtorch", LIBTORCH)
            .environment("device", Device::default_class())
    }

    fn run(params: EncodeParams, context: &Context) -> Result<(), Failure> {
        let images = context.input::<Images>("images")?;
        let (model, stem) = context.model("model")?;
        let device = params.device.open()?;
        let plan = Plan::of_card(&model.card, stem)?;
        let variables = Variables::of_model(device, model, stem);
        let mut replicas = Replicas::of_threads(&variables, |replica| Coder::new(replica, &plan))
            .map_err(Error::from)?;
        let meta = images.meta();
        if meta.shape != plan.shape() {
            let path = images.path().to_owned();
            let (images, model) = (meta.shape, plan.shape());
            return Err(Error::Shape { path, images, model }.into());
        }
        let mut writer = context.writer::<Embeddings>("embeddings", plan.meta())?;
        let (mut done, total) = (0, images.rows() as u64);
        for batch in images.batches(batch_rows(meta.shape.pixels())) {
            let batch = batch?;
            done += batch.id.len() as u64;
            let values = codes(&mut replicas, device, &batch, meta)?;
            let embedding = Vectors::new(plan.latent(), values);
            writer.write(Embeddings { id: batch.id, split: batch.split, embedding })?;
            context.progress(done, total, "images", "");
        }
        writer.finish()?;
        Ok(())
    }
}

/// The codes of a batch, `[n, latent]`.
fn codes(
    replicas: &mut Replicas<Coder>,
    device: tch::Device,
    batch: &Images,
    meta: &scarce_artifact::ImagesMeta,
) -> Result<Vec<f32>, Error> {
    let pieces: Vec<&[u8]> = batch.pixels.values.chunks(ROWS * meta.shape.pixels()).collect();
    let codes = replicas.map(pieces.len(), |coder, at| -> Result<_, Error> {
        let pixels = Pixels::new(device, pieces[at], meta.shape, meta.max_value)?;
        let code = tch::no_grad(|| coder.code(&pixels.range(0, pixels.len())?))?;
        Ok(scarce_nn::numbers(&code)?)
    })?;
    Ok(codes.concat())
}
