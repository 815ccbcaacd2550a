//! The kind `neural-predict`.

use scarce_artifact::{Classes, Embeddings, Images};
use scarce_nn::Variables;
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};

use crate::{
    Blueprint, PredictParams,
    answers::{Classifier, predictions},
    fit::{MODEL, on_libtorch, predicted},
    source::Source,
};

const DOC: &str = "\
Takes the `model` output of `mlp` or `cnn` and gives, on what it was trained on, the predictions that \
came with it, bit for bit, where `splits` are the same; on other images, those that it would have \
given. Wire `features` for `mlp` and `images` for `cnn`. Class names come from the model.";

/// Applies a saved network.
pub struct NeuralPredict;

impl Stage for NeuralPredict {
    type Params = PredictParams;

    fn describe() -> Description {
        let summary = "A trained network applied to features or images, without refitting";
        on_libtorch(Description::new("neural-predict", summary).doc(DOC))
            .learns(Learns::nothing().keeping(predicted()))
            .input(Port::table::<Embeddings>("features", "One vector per image").optional())
            .input(Port::table::<Images>("images", "The images").optional())
            .input(Port::model("model", MODEL, "The trained network"))
            .output(predictions())
    }

    fn run(params: PredictParams, context: &Context) -> Result<(), Failure> {
        let source = Source::wired(context)?;
        let (model, path) = context.model("model")?;
        let blueprint = Blueprint::of_card(&model.card, path)?;
        if let Source::Features(features) = &source {
            let fitted_on = &model.card.preprocessing["features"];
            let origin = &features.meta().origin;
            if fitted_on.as_str().is_some_and(|fitted_on| fitted_on != origin) {
                tracing::warn!(
                    "the model was trained on features of {fitted_on}, these are `{origin}`"
                );
            }
        }
        let classes = &Classes { classes: model.card.classes.clone() };
        let device = params.device.open()?;
        let variables = Variables::of_model(device, model, path);
        let mut classifier = Classifier::new(&variables, &blueprint, classes)?;
        classifier.predict(context, &source, &params.splits)
    }
}
