//! What all kinds share: reading the labelled rows, and predicting batch by batch.

use scarce_artifact::{
    Classes, Embeddings, EmbeddingsMeta, Labelled, Labels, Predictions, Reader, Vectors, Writer,
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, counted};

use crate::{
    Error, SplitName,
    rule::{Rule, save},
};

/// The inputs of a kind that fits, opened and joined.
pub(crate) struct Inputs {
    pub(crate) features: Reader<Embeddings>,
    pub(crate) classes: Classes,
    pub(crate) labelled: Labelled,
}

impl Inputs {
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let features = context.input::<Embeddings>("features")?;
        let labels = context.input::<Labels>("labels")?;
        let labelled = Labelled::gather(&features, &labels)?;
        let Labelled { unknown, test, .. } = labelled;
        if unknown > 0 {
            let labels = counted(unknown, "label");
            tracing::warn!("{labels} of images that the features do not have");
        }
        if test > 0 {
            let labels = counted(test, "label");
            tracing::warn!("{labels} of test images not learnt from");
        }
        tracing::info!("learning from {}", counted(labelled.len(), "labelled image"));
        Ok(Self { features, classes: labels.meta().clone(), labelled })
    }

    /// The labelled embeddings: `[n, d]`.
    pub(crate) fn matrix(&self) -> Result<Matrix<'_>, Error> {
        let Labelled { features, width, .. } = &self.labelled;
        Ok(Matrix::new(features, self.labelled.len(), *width)?)
    }

    /// Writes the outputs of a kind that fits.
    pub(crate) fn finish(
        &self,
        context: &Context,
        rule: &dyn Rule,
        splits: &[SplitName],
    ) -> Result<(), Failure> {
        let meta: &EmbeddingsMeta = self.features.meta();
        context.write_model("model", &save(rule, &self.classes, meta))?;
        predict(context, rule, &self.features, &self.classes, splits)
    }
}

/// Name, ports and documentation of a kind that fits.
pub(crate) fn fitting_kind(kind: &str, summary: &str, doc: &str) -> Description {
    Description::new(kind, summary)
        .doc(doc)
        .learns(Learns::labels("features", Splits::learnable()).keeping(predicted()))
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .input(Port::table::<Labels>("labels", "The labels to learn from, joined by image id"))
        .output(predictions())
        .output(Port::model("model", "classifier", "The fitted classifier, for `predict`"))
}

/// The images that are predicted.
pub(crate) fn predicted() -> Splits {
    Splits::Parameter("/splits".to_owned())
}

/// The output that every kind has.
pub(crate) fn predictions() -> Port {
    Port::table::<Predictions>("predictions", "Class and probabilities of every image")
}

/// Writes `predictions` for the images of `splits`, in the order of the features.
pub(crate) fn predict(
    context: &Context,
    rule: &dyn Rule,
    features: &Reader<Embeddings>,
    classes: &Classes,
    splits: &[SplitName],
) -> Result<(), Failure> {
    let width = features.width()?;
    if let Some(model) = rule.width().filter(|model| *model != width) {
        return Err(Error::Width { model, features: width }.into());
    }
    let mut writer: Writer<Predictions> = context.writer("predictions", classes.clone())?;
    let (mut done, mut written) = (0, 0);
    for batch in features.stream()? {
        let batch = batch?;
        done += batch.id.len() as u64;
        let batch = only(batch, splits);
        if !batch.id.is_empty() {
            written += batch.id.len();
            writer.write(answer(rule, batch, classes.len())?)?;
        }
        context.progress(done, features.rows() as u64, "images", "");
    }
    if written == 0 {
        let splits = serde_json::to_string(splits).unwrap_or_default();
        return Err(Error::NoImages { splits }.into());
    }
    writer.finish()?;
    Ok(())
}

fn answer(rule: &dyn Rule, batch: Embeddings, classes: usize) -> Result<Predictions, Error> {
    let Embeddings { id, split, embedding } = batch;
    let x = Matrix::new(&embedding.values, id.len(), embedding.width)?;
    let answers = rule.answer(&id, x)?;
    Ok(Predictions {
        label: answers.label.iter().map(|&label| label as i32).collect(),
        probabilities: Vectors::new(classes, answers.probabilities),
        id,
        split,
    })
}

/// The rows of a batch that are in one of `splits`.
fn only(batch: Embeddings, splits: &[SplitName]) -> Embeddings {
    let wanted = |row: &usize| splits.iter().any(|name| name.is(batch.split[*row]));
    let rows: Vec<usize> = (0..batch.id.len()).filter(wanted).collect();
    if rows.len() == batch.id.len() {
        return batch;
    }
    let values = rows.iter().flat_map(|&row| batch.embedding.row(row)).copied().collect();
    Embeddings {
        id: rows.iter().map(|&row| batch.id[row]).collect(),
        split: rows.iter().map(|&row| batch.split[row]).collect(),
        embedding: Vectors::new(batch.embedding.width, values),
    }
}
