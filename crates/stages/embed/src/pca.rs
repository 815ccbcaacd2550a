//! Principal components.

use scarce_artifact::{Embeddings, Split};
use scarce_linear::{
    FittedPca, Pca,
    pca::{CovarianceSum, MeanSum},
};
use scarce_numeric::Matrix;
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Port, Splits, Stage, counted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    projection::{apply, save},
    source::Source,
};

/// How many components to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Components {
    /// So many.
    Count(#[schemars(range(min = 1))] usize),
    /// As many as it takes to keep this share of the variance, above 0 and below 1.
    Share(#[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] f64),
}

/// Parameters of `pca`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many components to keep: a whole number, or, as a fraction between 0 and 1 such as 0.95, as
    /// many as it takes to keep this share of the variance (scikit-learn's `n_components`). `1` is one
    /// component; `1.0` is refused, as there: for nearly all of the variance write 0.999.
    pub components: Components,
    /// How far variances are levelled: 0 leaves them; 1 scales every component to variance 1, as
    /// scikit-learn's `whiten=True`; 0.5 goes half way, by the root of the standard deviation, which
    /// helps where a few directions drown the others, as in codes by `contrastive`. Unless it is 0,
    /// components without variance become 0.
    #[schemars(range(min = 0, max = 1))]
    pub whiten: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { components: Components::Count(50), whiten: 0.0 }
    }
}

/// The kind `pca`.
pub struct PrincipalComponents;

impl Stage for PrincipalComponents {
    type Params = Params;

    fn describe() -> Description {
        let description =
            Description::new("pca", "Coordinates along the directions of largest variance").doc(
                "Principal component analysis (K. Pearson, *On lines and planes of closest fit*, \
                 Philosophical Magazine 2, 1901): the eigenvectors of the covariance matrix, \
                 summed in 64-bit floats over two passes, so that memory holds a batch of images \
                 and a matrix of d × d numbers; d is at most 4,096. Fitted to all images that are \
                 not in the test split; all are projected. Signs are fixed: in each component the \
                 entry of largest size is positive.\n\nThe model keeps `mean: [d]`, `components: \
                 [k, d]`, and the components' `variance: [k]` and share of it, `ratio: [k]`.",
            );
        let learns = Learns::images("features", Splits::learnable()).and(
            "images",
            Splits::learnable(),
            Knowledge::Images,
        );
        Source::inputs(description)
            .learns(learns)
            .output(Port::table::<Embeddings>("embeddings", "One projected vector per image"))
            .output(Port::model("model", "projection", "The fitted projection, for `project`"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let source = Source::open(context)?;
        let covariance = covariance(&source, context)?;
        let mut fitted = fit(&params, &covariance)?;
        if let Some(&variance) = fitted.explained_variance.first()
            && variance > f64::from(f32::MAX)
        {
            return Err(Error::Overflow { variance }.into());
        }
        // As the model will keep it, so that `project` gives the same bits.
        for variance in &mut fitted.explained_variance {
            *variance = f64::from(*variance as f32);
        }
        let kept: f64 = fitted.explained_ratio.iter().sum();
        tracing::info!(
            "{:.1} % of the variance of {} kept by {}",
            100.0 * kept,
            counted(covariance.rows(), "image"),
            counted(fitted.len(), "component")
        );
        context.write_model("model", &save(&fitted, source.origin()))?;
        apply(context, &fitted, &source)
    }
}

/// Two passes over the images that are not in the test split.
fn covariance(source: &Source, context: &Context) -> Result<CovarianceSum, Error> {
    let width = source.width()?;
    let mut means = MeanSum::new(width)?;
    pass(source, context, "means", |x| means.add(x))?;
    let mut covariance = means.finish()?;
    pass(source, context, "covariance", |x| covariance.add(x))?;
    Ok(covariance)
}

fn pass(
    source: &Source,
    context: &Context,
    message: &str,
    mut add: impl FnMut(Matrix<'_>) -> Result<(), scarce_numeric::Error>,
) -> Result<(), Error> {
    let mut done = 0;
    for batch in source.batches()? {
        let batch = batch?;
        done += batch.id.len() as u64;
        let width = batch.embedding.width;
        let rows = learnt_from(batch);
        add(Matrix::new(&rows, rows.len() / width, width)?)?;
        context.progress(done, source.rows() as u64, "images", message);
    }
    Ok(())
}

/// The vectors that are not of the test split.
fn learnt_from(batch: Embeddings) -> Vec<f32> {
    if !batch.split.contains(&Split::Test) {
        return batch.embedding.values;
    }
    let rows = batch.embedding.iter_rows().zip(&batch.split);
    let kept = rows.filter(|(_, split)| **split != Split::Test);
    kept.flat_map(|(row, _)| row).copied().collect()
}

fn fit(params: &Params, covariance: &CovarianceSum) -> Result<FittedPca, Error> {
    let whiten = params.whiten;
    match params.components {
        Components::Count(components) => Ok(covariance.fit(Pca { components, whiten })?),
        Components::Share(share) if share > 0.0 && share < 1.0 => {
            let components = covariance.rows().min(covariance.cols());
            Ok(keep_share(covariance.fit(Pca { components, whiten })?, share))
        }
        Components::Share(value) => Err(Error::Components { value }),
    }
}

/// Keeps the first components that together have at least `share` of the variance.
fn keep_share(mut fitted: FittedPca, share: f64) -> FittedPca {
    let mut sum = 0.0;
    let reaches = |ratio: &f64| {
        sum += ratio;
        sum >= share
    };
    let enough = fitted.explained_ratio.iter().position(reaches);
    let kept = enough.map_or(fitted.len(), |last| last + 1);
    fitted.components.truncate(kept * fitted.cols);
    fitted.explained_variance.truncate(kept);
    fitted.explained_ratio.truncate(kept);
    fitted
}

#[cfg(test)]
mod tests;
