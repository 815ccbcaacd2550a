//! Chance: a classifier that does not look at the images.

use std::{collections::BTreeMap, path::Path};

use rand::Rng;
use scarce_artifact::{Model, Tensor};
use scarce_numeric::{Matrix, random};
use scarce_stage::{Context, Description, Failure, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Error, SplitName,
    answers::{Inputs, fitting_kind},
    rule::{Answers, Rule, architecture, damaged},
};

/// How `dummy` chooses a class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The class with the most labels, for every image, with probability 1.
    MostFrequent,
    /// The class with the most labels, for every image; probabilities are the classes' shares of
    /// the labels.
    #[default]
    Prior,
    /// A class drawn for each image by the classes' shares of the labels, with probability 1.
    Stratified,
    /// A class drawn for each image, all labelled classes alike; so are the probabilities.
    Uniform,
}

/// Parameters of `dummy`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How a class is chosen; the names and the probabilities are those of scikit-learn's
    /// `DummyClassifier`. Classes without a label are never chosen; of equally frequent classes the
    /// first is.
    pub strategy: Strategy,
    /// Seed of the draws of `uniform` and `stratified`. Each image has its own random stream, so
    /// that its class depends on the seed, its id and the labels alone.
    pub seed: u64,
    /// The splits to predict.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self { strategy: Strategy::default(), seed: 0, splits: SplitName::all() }
    }
}

/// The kind `dummy`.
pub struct Dummy;

impl Stage for Dummy {
    type Params = Params;

    fn describe() -> Description {
        fitting_kind(
            "dummy",
            "A classifier that ignores the images: the baseline of chance",
            "Counts the labels of each class and predicts from these counts alone, by the \
             strategies of scikit-learn's `DummyClassifier`. The features only say which images \
             there are, and which labels may be learnt from.\n\nThe model keeps the counts \
             (`counts: [classes]`), the strategy and the seed.",
        )
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let inputs = Inputs::open(context)?;
        let counts = inputs.labelled.counts(inputs.classes.len());
        let fitted = Fitted {
            strategy: params.strategy,
            seed: params.seed,
            counts: counts.iter().map(|&count| count as u32).collect(),
        };
        inputs.finish(context, &fitted, &params.splits)
    }
}

/// The labels of each class, and what to do with them.
pub(crate) struct Fitted {
    strategy: Strategy,
    seed: u64,
    /// Labels of each class, not all 0: `[classes]`.
    counts: Vec<u32>,
}

#[derive(Deserialize)]
struct Architecture {
    strategy: Strategy,
    seed: u64,
}

impl Fitted {
    pub(crate) fn load(model: &Model, path: &Path) -> Result<Self, Error> {
        let Architecture { strategy, seed } = architecture(model, path)?;
        let counts = &model.tensor(path, "counts", &[model.card.classes.len()])?.values;
        let bad = |count: &f32| *count < 0.0 || count.fract() != 0.0 || *count > u32::MAX as f32;
        if counts.iter().any(bad) || counts.iter().all(|count| *count == 0.0) {
            return Err(damaged(path, "its counts are not counts".to_owned()));
        }
        Ok(Self { strategy, seed, counts: counts.iter().map(|&count| count as u32).collect() })
    }

    fn most_frequent(&self) -> usize {
        let mut best = 0;
        for (class, count) in self.counts.iter().enumerate() {
            if *count > self.counts[best] {
                best = class;
            }
        }
        best
    }

    /// A class drawn for image `id`, `weights[class]` in their sum.
    fn draw(&self, id: u32, weights: &[u64]) -> usize {
        let total: u64 = weights.iter().sum();
        let mut stream = random::stream(self.seed, "dummy", u64::from(id));
        // Multiplying and shifting maps 64 random bits to 0..total.
        let mut drawn = ((u128::from(stream.next_u64()) * u128::from(total)) >> 64) as u64;
        for (class, &weight) in weights.iter().enumerate() {
            if drawn < weight {
                return class;
            }
            drawn -= weight;
        }
        self.most_frequent()
    }

    /// Each class's share of `weights`.
    fn shares(weights: &[u64]) -> Vec<f32> {
        let total: u64 = weights.iter().sum();
        weights.iter().map(|&weight| (weight as f64 / total as f64) as f32).collect()
    }

    fn one_hot(&self, class: usize) -> Vec<f32> {
        (0..self.counts.len()).map(|c| f32::from(u8::from(c == class))).collect()
    }
}

impl Rule for Fitted {
    fn kind(&self) -> &'static str {
        "dummy"
    }

    fn width(&self) -> Option<usize> {
        None
    }

    fn answer(&self, ids: &[u32], _: Matrix<'_>) -> Result<Answers, Error> {
        let counts: Vec<u64> = self.counts.iter().map(|&count| u64::from(count)).collect();
        let seen: Vec<u64> = self.counts.iter().map(|&count| u64::from(count > 0)).collect();
        let mut label = Vec::with_capacity(ids.len());
        let mut probabilities = Vec::with_capacity(ids.len() * counts.len());
        for &id in ids {
            let (class, row) = match self.strategy {
                Strategy::MostFrequent => (self.most_frequent(), None),
                Strategy::Prior => (self.most_frequent(), Some(Self::shares(&counts))),
                Strategy::Stratified => (self.draw(id, &counts), None),
                Strategy::Uniform => (self.draw(id, &seen), Some(Self::shares(&seen))),
            };
            label.push(class as u32);
            probabilities.extend(row.unwrap_or_else(|| self.one_hot(class)));
        }
        Ok(Answers { label, probabilities })
    }

    fn save(&self) -> (Value, BTreeMap<String, Tensor>) {
        let counts = Tensor {
            shape: vec![self.counts.len()],
            values: self.counts.iter().map(|&count| count as f32).collect(),
        };
        (
            json!({ "strategy": self.strategy, "seed": self.seed }),
            BTreeMap::from([("counts".to_owned(), counts)]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    /// 3,000 images; of three classes `a` has 3 labels, `b` none, `c` 1.
    fn bench() -> Bench {
        let bench = Bench::new();
        bench.features("x", 1, (0..3000).map(|id| (id, vec![0.0])));
        bench.labels("y", &["a", "b", "c"], &[(3, 0), (5, 2), (8, 0), (9, 0)]);
        bench
    }

    fn run(bench: &Bench, strategy: &str, seed: u64) -> scarce_artifact::Predictions {
        let params = json!({ "strategy": strategy, "seed": seed });
        bench.fit("dummy", params, "x", "y", "p").unwrap();
        bench.predictions("p")
    }

    fn counts(labels: &[i32]) -> [usize; 3] {
        [0, 1, 2].map(|class| labels.iter().filter(|label| **label == class).count())
    }

    #[test]
    fn strategies_choose_as_scikit_learn_says() {
        let bench = bench();
        let found = run(&bench, "most-frequent", 0);
        assert_eq!(counts(&found.label), [3000, 0, 0]);
        assert_eq!(found.probabilities.row(7), [1.0, 0.0, 0.0]);
        let found = run(&bench, "prior", 0);
        assert_eq!(counts(&found.label), [3000, 0, 0]);
        assert_eq!(found.probabilities.row(7), [0.75, 0.0, 0.25]);

        let found = run(&bench, "stratified", 1);
        let [a, b, c] = counts(&found.label);
        // 2,250 expected; the standard deviation is 24.
        assert!(b == 0 && c > 0 && (2130..=2370).contains(&a), "{a} {b} {c}");
        let class = found.label[7] as usize;
        assert_eq!(found.probabilities.row(7)[class], 1.0);

        let found = run(&bench, "uniform", 1);
        let [a, b, _] = counts(&found.label);
        assert!(b == 0 && (1360..=1640).contains(&a), "{a} {b}");
        assert_eq!(found.probabilities.row(7), [0.5, 0.0, 0.5]);
    }

    #[test]
    fn a_draw_belongs_to_the_image_and_the_seed() {
        let bench = bench();
        let (one, other) = (run(&bench, "uniform", 1), run(&bench, "uniform", 2));
        assert_ne!(one.label, other.label);
        bench.features("x", 1, (0..3000).rev().map(|id| (id, vec![0.0])));
        let mut reversed = run(&bench, "uniform", 1);
        reversed.label.reverse();
        assert_eq!(one.label, reversed.label);
    }
}
