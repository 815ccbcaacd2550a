//! New images beside a graph.

use scarce_artifact::{Distributions, Embeddings, Points, Predictions, Reader, Split, Vectors};
use scarce_graph_learning::Rule;
use scarce_neighbours::neighbours::nearest_neighbours;
use scarce_numeric::{Matrix, winners};
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    choices::{Metric, measure},
};

/// How much a neighbour's vote counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Votes {
    /// exp(−4 d² / r²) with r the distance to the k-th neighbour.
    #[default]
    SelfTuning,
    /// All the same.
    Uniform,
}

/// Parameters of `graph-predict`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many nearest images of the graph vote.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// How distance is measured; `own` takes the metric that the features are meant for.
    pub metric: Metric,
    /// How much a neighbour's vote counts.
    pub weights: Votes,
    /// The splits to predict.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        let (metric, weights) = (Metric::default(), Votes::default());
        Self { k: 10, metric, weights, splits: vec![SplitName::Test] }
    }
}

/// The kind `graph-predict`.
pub struct GraphPredict;

impl Stage for GraphPredict {
    type Params = Params;

    fn describe() -> Description {
        Description::new("graph-predict", "The vote of the nearest images of a graph")
            .doc(
                "Predicts images that were not in the graph when labels flowed over it: each takes \
                 the mean of the distributions of its nearest images that a label reached, weighted \
                 by distance as the edges of a graph are. An image that is in the graph and was \
                 reached keeps its own distribution, so that `splits` may name the graph's own \
                 images for a transductive score.\n\nThe search is exact, and what is predicted of \
                 an image depends on no other new image. Memory holds the features of the graph's \
                 images and one batch of the others.",
            )
            .learns(
                Learns::nothing()
                    .keeping(Splits::Parameter("/splits".to_owned()))
                    .rows_of(&["features"]),
            )
            .input(Port::table::<Embeddings>("features", "Vectors of the graph's and of new images"))
            .input(Port::table::<Distributions>("distributions", "What labels left on the graph"))
            .output(Port::table::<Predictions>("predictions", "Class and probabilities of each image"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let features = context.input::<Embeddings>("features")?;
        let distributions = context.input::<Distributions>("distributions")?;
        let base = Base::read(&features, &distributions)?;
        if params.k == 0 || params.k > base.points.id.len() {
            let images = base.points.id.len();
            return Err(Error::TooFewNeighbours { k: params.k, images }.into());
        }
        let mut writer = context.writer("predictions", distributions.meta().clone())?;
        let metric = params.metric.resolve(features.meta().metric);
        let (mut done, mut written) = (0, 0);
        for batch in features.stream().map_err(Error::from)? {
            let batch = batch?;
            done += batch.id.len() as u64;
            let batch = wanted(batch, &params.splits);
            if !batch.id.is_empty() {
                written += batch.id.len();
                writer.write(base.answer(&params, metric, batch)?)?;
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
}

/// The rows of a batch that are in one of `splits`.
pub(crate) fn wanted(batch: Embeddings, splits: &[SplitName]) -> Embeddings {
    let wanted = |row: &usize| SplitName::any(splits, batch.split[*row]);
    let rows: Vec<usize> = (0..batch.id.len()).filter(wanted).collect();
    let values = rows.iter().flat_map(|&row| batch.embedding.row(row)).copied().collect();
    Embeddings {
        id: rows.iter().map(|&row| batch.id[row]).collect(),
        split: rows.iter().map(|&row| batch.split[row]).collect(),
        embedding: Vectors::new(batch.embedding.width, values),
    }
}

/// The images that labels reached.
struct Base {
    points: Points,
    classes: usize,
    /// Beside `points`: `[n, classes]`.
    probabilities: Vec<f32>,
}

impl Base {
    fn read(
        features: &Reader<Embeddings>,
        distributions: &Reader<Distributions>,
    ) -> Result<Self, Error> {
        let classes = distributions.meta().len();
        let table = distributions.read()?;
        let mut reached: Vec<(u32, usize)> = (0..table.id.len())
            .filter(|&row| table.reached[row])
            .map(|row| (table.id[row], row))
            .collect();
        reached.sort_unstable();
        let row_of = |id: u32| reached.binary_search_by_key(&id, |pair| pair.0).ok();
        let points = Points::read(features, |id, _: Split| row_of(id).is_some())?;
        if points.id.is_empty() {
            let features = features.path().to_owned();
            return Err(Error::Strangers {
                features,
                distributions: distributions.path().to_owned(),
            });
        }
        let mut probabilities = Vec::with_capacity(points.id.len() * classes);
        for &id in &points.id {
            let row = row_of(id).map_or(0, |at| reached[at].1);
            probabilities.extend_from_slice(table.probabilities.row(row));
        }
        Ok(Self { points, classes, probabilities })
    }

    fn distribution(&self, row: usize) -> &[f32] {
        &self.probabilities[row * self.classes..][..self.classes]
    }

    fn answer(
        &self,
        params: &Params,
        metric: scarce_artifact::Metric,
        batch: Embeddings,
    ) -> Result<Predictions, Error> {
        let Points { id: known, values, width, .. } = &self.points;
        let Embeddings { id, split, embedding } = batch;
        let x = Matrix::new(&embedding.values, id.len(), embedding.width)?;
        let base = Matrix::new(values, known.len(), *width)?;
        let near = nearest_neighbours(x, base, params.k, measure(metric))?;
        let rule = match params.weights {
            Votes::SelfTuning => Rule::SelfTuning,
            Votes::Uniform => Rule::Uniform,
        };
        let mut probabilities = Vec::with_capacity(id.len() * self.classes);
        for (query, id) in id.iter().enumerate() {
            if let Ok(own) = known.binary_search(id) {
                probabilities.extend_from_slice(self.distribution(own));
                continue;
            }
            let (indices, distances) = near.of(query);
            let weights: Vec<f64> = rule.weights(distances, measure(metric)).collect();
            probabilities.extend(self.vote(indices, &weights));
        }
        let label =
            winners(&probabilities, self.classes).iter().map(|&class| class as i32).collect();
        let probabilities = Vectors::new(self.classes, probabilities);
        Ok(Predictions { id, split, label, probabilities })
    }

    /// The weighted mean of some distributions.
    fn vote(&self, rows: &[u32], weights: &[f64]) -> impl Iterator<Item = f32> + use<> {
        let mut votes = vec![0.0; self.classes];
        for (&row, weight) in rows.iter().zip(weights) {
            for (vote, &p) in votes.iter_mut().zip(self.distribution(row as usize)) {
                *vote += weight * f64::from(p);
            }
        }
        let sum: f64 = votes.iter().sum();
        votes.into_iter().map(move |vote| (vote / sum) as f32)
    }
}

#[cfg(test)]
mod tests;
