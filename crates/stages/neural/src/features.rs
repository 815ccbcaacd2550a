//! The kind `neural-features`.

use scarce_artifact::{Embeddings, EmbeddingsMeta, Images, Metric, Vectors};
use scarce_nn::{Replicas, Variables, numbers, tch};
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};

use crate::{
    Blueprint, Error, FeaturesParams, Network,
    answers::ROWS,
    fit::{MODEL, on_libtorch},
    source::Source,
};

const DOC: &str = "\
What the last layer of a trained network sees of each image: the numbers after the last hidden \
layer's activation. Images that lie close there are alike for the classifier, so that a graph or \
clusters of them are better than those of codes learnt without labels.

Takes the `model` output of `mlp` or `cnn`, with `features` or `images`, as the model was trained on.";

/// Embeds images by a trained classifier.
pub struct NeuralFeatures;

impl Stage for NeuralFeatures {
    type Params = FeaturesParams;

    fn describe() -> Description {
        let summary = "The last hidden layer of a trained network, as an embedding";
        on_libtorch(Description::new("neural-features", summary).doc(DOC))
            .learns(Learns::nothing())
            .input(Port::table::<Embeddings>("features", "One vector per image").optional())
            .input(Port::table::<Images>("images", "The images").optional())
            .input(Port::model("model", MODEL, "The trained network"))
            .output(Port::table::<Embeddings>("embeddings", "One vector per image"))
    }

    fn run(params: FeaturesParams, context: &Context) -> Result<(), Failure> {
        let source = Source::wired(context)?;
        let (model, path) = context.model("model")?;
        let blueprint = Blueprint::of_card(&model.card, path)?;
        source.must_be(blueprint.input)?;
        let device = params.device.open()?;
        let origin = EmbeddingsMeta { origin: model.card.kind.clone(), metric: Metric::Euclidean };
        let variables = Variables::of_model(device, model, path);
        let mut replicas =
            Replicas::of_threads(&variables, |replica| Network::new(replica, &blueprint))
                .map_err(Error::from)?;
        let width = blueprint.features()?;
        let mut writer = context.writer::<Embeddings>("embeddings", origin)?;
        let mut done = 0;
        for batch in source.stream()? {
            let batch = batch?;
            let n = batch.id.len();
            let found = replicas.map(n.div_ceil(ROWS), |network, at| -> Result<_, Error> {
                let rows = at * ROWS..n.min((at + 1) * ROWS);
                let part = batch.values.part(rows.clone()).seen(device, blueprint.input)?;
                let x = part.range(0, rows.len())?;
                Ok(numbers::<f32>(&tch::no_grad(|| network.features(&x))?)?)
            })?;
            let embedding = Vectors::new(width, found.concat());
            writer.write(Embeddings { id: batch.id, split: batch.split, embedding })?;
            done += n;
            context.progress(done as u64, source.rows() as u64, "images", "embedding");
        }
        writer.finish()?;
        Ok(())
    }
}
