//! A projection fitted earlier, applied without refitting.

use scarce_artifact::Embeddings;
use scarce_stage::{Context, Description, Failure, Learns, Port, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    projection::{apply, load},
    source::Source,
};

/// Parameters of `project`: none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {}

/// The kind `project`.
pub struct Project;

impl Stage for Project {
    type Params = Params;

    fn describe() -> Description {
        let description =
            Description::new("project", "A fitted projection applied to images, without refitting")
                .doc(
                    "Takes the `model` output of `pca` and gives, on the vectors that it was \
                     fitted on, the embeddings that came with it, bit for bit; on other vectors \
                     of the same width, those it would have given.",
                );
        Source::inputs(description)
            .learns(Learns::nothing())
            .input(Port::model("model", "projection", "The fitted projection"))
            .output(Port::table::<Embeddings>("embeddings", "One projected vector per image"))
    }

    fn run(_: Params, context: &Context) -> Result<(), Failure> {
        let source = Source::open(context)?;
        let (model, path) = context.model("model")?;
        let fitted_on = &model.card.preprocessing["features"];
        if fitted_on.as_str().is_some_and(|fitted_on| fitted_on != source.origin()) {
            let origin = source.origin();
            tracing::warn!("the projection was fitted on {fitted_on}, these are `{origin}`");
        }
        apply(context, &load(&model, path)?, &source)
    }
}
