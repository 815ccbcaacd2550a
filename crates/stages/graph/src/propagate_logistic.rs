//! Logistic regression on features, and labels that flow along edges, together.

use std::collections::BTreeMap;

use scarce_artifact::{
    Classes, Distributions, Edges, Embeddings, EmbeddingsMeta, Labels, Model, ModelCard, Nodes,
    Points, Predictions, Reader, Tensor, Vectors,
};
use scarce_graph_learning::{
    FittedGraphRegression, GraphRegression, Precision, PreparedFeatures, Seeds, unit_rows,
};
use scarce_numeric::{Matrix, winners};
use scarce_stage::{Context, Description, Failure, Knowledge, Learns, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Error, SplitName,
    belief::Logits,
    calibrate::{self, Calibration},
    choices::Metric,
    labels::{Given, table},
    method::Fit,
    params::Confidence,
    predict::wanted,
    propagate::{Sureness, decide, distributions, tell_calibration, tell_seeds, tell_solved},
    tables::Network,
};

/// Parameters of `propagate-logistic`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How features are compared; `own` as they are meant to be. For `cosine` every vector is scaled to
    /// length 1 first.
    pub metric: Metric,
    /// α, from 0 to below 1: what share of its probabilities an image takes from its neighbours.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub alpha: f64,
    /// The principal components of the features that are learnt from; fewer where there are not so
    /// many.
    #[schemars(range(min = 1))]
    pub components: usize,
    /// The linear system of Poisson learning is solved until the residual is below this share of the
    /// right-hand side.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub tolerance: f64,
    /// Most iterations of the same.
    #[schemars(range(min = 1))]
    pub max_iterations: usize,
    /// What the confidence of a propagated label says.
    pub confidence: Confidence,
    /// Propagated labels with less confidence than this are left out of `labels`.
    #[schemars(range(min = 0, max = 1))]
    pub min_confidence: f32,
    /// The splits of `predictions`.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        let GraphRegression { alpha, components, precision, .. } = GraphRegression::default();
        Self {
            metric: Metric::default(),
            alpha,
            components,
            tolerance: precision.tolerance,
            max_iterations: precision.max_iterations,
            confidence: Confidence::default(),
            min_confidence: 0.0,
            splits: SplitName::all(),
        }
    }
}

/// From all images of the graph, and from labels of those that are not in the test split.
fn learns() -> Learns {
    Learns::images("nodes", Splits::All)
        .and("labels", Splits::learnable(), Knowledge::Labels)
        .keeping(Splits::Parameter("/splits".to_owned()))
        .rows_of(&["features"])
}

/// The kind `propagate-logistic`.
pub struct PropagateLogistic;

impl Stage for PropagateLogistic {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "propagate-logistic",
            "Logistic regression on features, and labels that flow over a graph, together",
        )
        .doc(include_str!("propagate_logistic.md"))
        .learns(learns())
        .input(Port::table::<Embeddings>("features", "Vectors of the graph's and of new images"))
        .input(Port::table::<Nodes>("nodes", "The images of a graph"))
        .input(Port::table::<Edges>("edges", "The edges of the same graph"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "The labels of all images of the graph"))
        .output(Port::table::<Distributions>("distributions", "What is believed of every image"))
        .output(Port::table::<Predictions>(
            "predictions",
            "Class and probabilities of images in the graph or not",
        ))
        .output(Port::model(
            "model",
            "classifier",
            "The classifier without the graph, for `predict`",
        ))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        params.check()?;
        let features = context.input::<Embeddings>("features")?;
        let (nodes, edges) = (context.input::<Nodes>("nodes")?, context.input::<Edges>("edges")?);
        let labels = context.input::<Labels>("labels")?;
        let network = Network::read(&nodes, &edges)?;
        let given = Given::read(&labels, &nodes, &network)?;
        let classes = labels.meta();
        let seeds = Seeds::new(&given.seeds, classes.len()).map_err(Error::from)?;
        tell_seeds(&network, &seeds, classes);
        let unit_length =
            params.metric.resolve(features.meta().metric) == scarce_artifact::Metric::Cosine;
        let points = points(&features, &nodes, &network)?;
        let prepared = params.prepare(&network, &points, unit_length)?;
        let fitted = prepared.fit(&seeds).map_err(Error::from)?;
        tell(&params, &fitted, classes);
        let calibration = calibration(&params, &prepared, &seeds)?;
        tell_calibration(calibration.as_ref(), classes);
        let temperature = calibration.as_ref().map_or(1.0, |found| found.temperature);
        let model = model(&fitted, classes, features.meta(), unit_length);
        context.write_model("model", &model)?;
        let rule = Rule { linear: fitted.linear.clone(), unit_length };
        let fit = fit(fitted);
        let probabilities = Logits::of(&fit).probabilities(temperature, &seeds);
        let sure = Sureness {
            confidence: params.confidence,
            least: params.min_confidence,
            calibrated: calibration.is_some(),
        };
        let found = decide(sure, &network, &given, &fit, &probabilities);
        context.write("labels", classes.clone(), table(found))?;
        predict(&params, context, &features, classes, &network, &probabilities, &rule)?;
        let beliefs = distributions(&network, &seeds, fit, probabilities);
        context.write("distributions", classes.clone(), beliefs)
    }
}

impl Params {
    fn check(&self) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.alpha) {
            return Err(Error::range("alpha", self.alpha, "from 0 to below 1"));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::range("tolerance", self.tolerance, "above 0 and below 1"));
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            let value = f64::from(self.min_confidence);
            return Err(Error::range("min_confidence", value, "from 0 to 1"));
        }
        let counts = [("components", self.components), ("max_iterations", self.max_iterations)];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((name, _)) => Err(Error::range(name, 0.0, "at least 1")),
            None => Ok(()),
        }
    }

    fn prepare<'a>(
        &self,
        network: &'a Network,
        points: &Points,
        unit_length: bool,
    ) -> Result<PreparedFeatures<'a>, Error> {
        let &Self { alpha, components, tolerance, max_iterations, .. } = self;
        let precision = Precision { tolerance, max_iterations };
        let model = GraphRegression { alpha, components, unit_length, precision };
        let x = Matrix::new(&points.values, points.len(), points.width)?;
        Ok(model.prepare(&network.graph, x)?)
    }
}

/// The features of the graph's images, by ascending id as its nodes are.
fn points(
    features: &Reader<Embeddings>,
    nodes: &Reader<Nodes>,
    network: &Network,
) -> Result<Points, Error> {
    let points = Points::read(features, |id, _| network.node(id).is_some())?;
    if points.len() == network.id.len() {
        return Ok(points);
    }
    Err(Error::NoFeatures {
        features: features.path().to_owned(),
        nodes: nodes.path().to_owned(),
        missing: network.id.len() - points.len(),
    })
}

fn fit(fitted: FittedGraphRegression) -> Fit {
    let labels = fitted.scores.winners();
    Fit { scores: fitted.scores, labels, positive: true, size_error: None }
}

/// Calibrates where that is asked for and possible.
fn calibration(
    params: &Params,
    prepared: &PreparedFeatures<'_>,
    seeds: &Seeds,
) -> Result<Option<Calibration>, Error> {
    if params.confidence == Confidence::Rank || !calibrate::possible(&seeds.counts()) {
        return Ok(None);
    }
    calibrate::calibrate(seeds, |seeds| Ok(fit(prepared.fit(seeds)?))).map(Some)
}

fn tell(params: &Params, fitted: &FittedGraphRegression, classes: &Classes) {
    tell_solved(&fitted.scores.solved, params.tolerance);
    let share = |(name, share): (&String, &f64)| format!("{name} {:.1} %", 100.0 * share);
    let shares: Vec<String> = classes.classes.iter().zip(&fitted.shares).map(share).collect();
    tracing::info!("estimated shares of the classes: {}", shares.join(", "));
}

/// The classifier without the graph, as `logistic-regression` keeps its own.
fn model(
    fitted: &FittedGraphRegression,
    classes: &Classes,
    features: &EmbeddingsMeta,
    unit_length: bool,
) -> Model {
    let linear = &fitted.linear;
    let learnt: Vec<usize> =
        (0..linear.classes).filter(|&class| linear.intercepts[class].is_finite()).collect();
    // A class without examples has an intercept of −∞, which no file may hold.
    let finite = |b: &f32| if b.is_finite() { *b } else { 0.0 };
    let tensor = |shape, values| Tensor { shape, values };
    let tensors = BTreeMap::from([
        ("weights".to_owned(), tensor(vec![linear.classes, linear.cols], linear.weights.clone())),
        (
            "intercepts".to_owned(),
            tensor(vec![linear.classes], linear.intercepts.iter().map(finite).collect()),
        ),
    ]);
    let card = ModelCard {
        kind: "logistic-regression".to_owned(),
        classes: classes.classes.clone(),
        architecture: json!({
            "width": linear.cols,
            "learnt": learnt,
            "standardise": false,
            "unit_length": unit_length,
        }),
        preprocessing: json!({ "features": features.origin }),
    };
    Model { card, tensors }
}

/// What images outside the graph are classified by.
struct Rule {
    linear: scarce_linear::FittedLogistic,
    unit_length: bool,
}

impl Rule {
    fn probabilities(&self, batch: &Embeddings) -> Result<Vec<f32>, Error> {
        let Embeddings { id, embedding, .. } = batch;
        let unit = self.unit_length.then(|| unit_rows(&embedding.values, embedding.width));
        let values = unit.as_deref().unwrap_or(&embedding.values);
        let x = Matrix::new(values, id.len(), embedding.width)?;
        Ok(self.linear.predict_proba(x)?)
    }
}

/// Writes `predictions`: images of the graph as they are believed to be, the others by the rule.
fn predict(
    params: &Params,
    context: &Context,
    features: &Reader<Embeddings>,
    classes: &Classes,
    network: &Network,
    believed: &[f32],
    rule: &Rule,
) -> Result<(), Failure> {
    let mut writer = context.writer("predictions", classes.clone())?;
    let (count, mut done, mut written) = (classes.len(), 0, 0);
    for batch in features.stream().map_err(Error::from)? {
        let batch = batch?;
        done += batch.id.len() as u64;
        let batch = wanted(batch, &params.splits);
        if !batch.id.is_empty() {
            let mut probabilities = rule.probabilities(&batch)?;
            for (row, &id) in probabilities.chunks_exact_mut(count).zip(&batch.id) {
                if let Some(node) = network.node(id) {
                    row.copy_from_slice(&believed[node * count..][..count]);
                }
            }
            written += batch.id.len();
            writer.write(Predictions {
                label: winners(&probabilities, count).iter().map(|&label| label as i32).collect(),
                probabilities: Vectors::new(count, probabilities),
                id: batch.id,
                split: batch.split,
            })?;
        }
        context.progress(done, features.rows() as u64, "images", "");
    }
    if written == 0 {
        let splits = serde_json::to_string(&params.splits).unwrap_or_default();
        return Err(Error::NoImages { splits }.into());
    }
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests;
