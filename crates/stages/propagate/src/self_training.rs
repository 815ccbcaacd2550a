//! A classifier that learns from its own confident predictions.

use scarce_artifact::{Classes, Distributions, Embeddings, Labels, Points};
use scarce_linear::Logistic;
use scarce_neighbours::{Metric, vote::Weighting};
use scarce_numeric::winners;
use scarce_semi_supervised::{
    SelfTrained, SelfTraining as Problem,
    self_training::{Base, Criterion, Ending, Round},
};
use scarce_stage::{Context, Description, Failure, Port, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    error::within,
    found::{Found, Given, table},
    points,
    transduce::{distributions, from_splits},
};

/// The classifier that is fitted in every round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BaseName {
    /// Multinomial logistic regression.
    #[default]
    LogisticRegression,
    /// The votes of the nearest labelled images.
    Knn,
}

/// Which predictions become labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CriterionName {
    /// Those that are surer than `threshold`.
    #[default]
    Threshold,
    /// The `k_best` surest.
    KBest,
}

/// Parameters of `self-training`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The classifier: `logistic-regression`, or `knn`, the votes of the nearest labelled images.
    pub base: BaseName,
    /// Inverse strength C of the penalty on the weights of `logistic-regression`, above 0. It
    /// means what scikit-learn's `C` means, for two classes as for many.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub c: f64,
    /// Most iterations of each fit of `logistic-regression`.
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// Each fit of `logistic-regression` ends when no entry of the gradient of the mean loss is larger
    /// than this. A label once taken stays, so that fits are closer here than elsewhere: with 10⁻⁴
    /// whole rounds come out otherwise.
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// How many neighbours vote in `knn`, all alike and by Euclidean distance; at most as many as
    /// there are labels.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// Which predictions become labels at the end of a round: those whose probability is above
    /// `threshold`, or the `k-best` most probable ones.
    pub criterion: CriterionName,
    /// The probability above which a prediction becomes a label (`threshold`).
    #[schemars(range(min = 0, max = 1))]
    pub threshold: f32,
    /// How many predictions become labels in a round (`k-best`); of equally probable ones those of
    /// the smallest ids.
    #[schemars(range(min = 1))]
    pub k_best: usize,
    /// Most rounds; 0 goes on until no prediction meets the criterion or all images have a label.
    pub max_rounds: usize,
    /// The splits that take part.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            base: BaseName::default(),
            c: 1.0,
            max_iter: 1000,
            tolerance: 1e-6,
            k: 5,
            criterion: CriterionName::default(),
            threshold: 0.75,
            k_best: 10,
            max_rounds: 10,
            splits: SplitName::all(),
        }
    }
}

/// The kind `self-training`.
pub struct SelfTraining;

impl Stage for SelfTraining {
    type Params = Params;

    fn describe() -> Description {
        Description::new(
            "self-training",
            "A classifier learns from its own confident predictions, round by round",
        )
        .doc(
            "Self-training (D. Yarowsky, *Unsupervised word sense disambiguation rivaling \
             supervised methods*, ACL 1995): a classifier is fitted to the labels, its surest \
             predictions become labels, and it is fitted again. A label once taken is never \
             reconsidered. Rounds, criteria and endings are those of scikit-learn's \
             `SelfTrainingClassifier`.\n\n`labels` has the given labels, with their source, and \
             those taken from predictions, whose confidence is the probability that they had when \
             they were taken; images that never met the criterion are not in it. `distributions` \
             has what the classifier fitted last says of every image that takes part, labelled or \
             not; all are reached.\n\nMemory holds all images that take part, and a copy of those \
             that are fitted or predicted at a time. Labels of images that take no part are left \
             out, with a warning.",
        )
        .learns(from_splits())
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "Given labels and confident predictions"))
        .output(Port::table::<Distributions>("distributions", "The last fit, for every image"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        within("threshold", params.threshold, 0.0, 1.0)?;
        let features = context.input::<Embeddings>("features")?;
        let labels = context.input::<Labels>("labels")?;
        let given = Given::read(&labels)?;
        let points = points::read(&features, &params.splits)?;
        let given = points::take(&points, given, &labels, &features)?;
        let classes = labels.meta();
        params.check(&given, classes)?;
        let rows: Vec<(usize, u32)> = given
            .all()
            .iter()
            .filter_map(|found| Some((points.row_of(found.id)?, found.label as u32)))
            .collect();
        let (images, open) = (points.id.len(), points.id.len() - given.images());
        let mut observe = |Round { round, added, left }: Round| {
            let (more, rest) = (counted(added, "label"), counted(left, "image"));
            tracing::info!("round {round}: {more} added, {rest} left");
            let message = format!("round {round}");
            context.progress((open - left) as u64, open as u64, "images", &message);
        };
        let x = points::matrix(&points)?;
        let found =
            params.problem().run(x, &rows, classes.len(), &mut observe).map_err(Error::from)?;
        tell(&found, images);
        write(context, classes, &points, &given, found)
    }
}

impl Params {
    fn check(&self, given: &Given, classes: &Classes) -> Result<(), Error> {
        let labelled = given.all().len();
        match (self.base, given.all()) {
            (BaseName::Knn, _) if self.k > labelled => {
                Err(Error::TooFewNeighbours { k: self.k, labelled })
            }
            (BaseName::LogisticRegression, [first, rest @ ..])
                if rest.iter().all(|found| found.label == first.label) =>
            {
                let class = classes.classes[first.label as usize].clone();
                Err(Error::OneClass { class, labelled })
            }
            _ => Ok(()),
        }
    }

    fn problem(&self) -> Problem {
        let base = match self.base {
            BaseName::LogisticRegression => Base::Logistic(Logistic {
                c: self.c,
                max_iterations: self.max_iter,
                tolerance: self.tolerance,
                ..Logistic::default()
            }),
            BaseName::Knn => Base::Nearest {
                k: self.k,
                metric: Metric::Euclidean,
                weighting: Weighting::Uniform,
            },
        };
        let criterion = match self.criterion {
            CriterionName::Threshold => Criterion::Threshold(self.threshold),
            CriterionName::KBest => Criterion::KBest(self.k_best),
        };
        let max_rounds = (self.max_rounds > 0).then_some(self.max_rounds);
        Problem { base, criterion, max_rounds }
    }
}

fn tell(found: &SelfTrained, images: usize) {
    let added = found.learnt.iter().flatten().count();
    let why = match found.ending {
        Ending::AllLabelled => "every image has a label",
        Ending::NothingNew => "no other prediction met the criterion",
        Ending::RoundLimit => "`max_rounds` was reached",
    };
    let (added, images) = (counted(added, "label"), counted(images, "image"));
    tracing::info!("{added} added to {images} in {}: {why}", counted(found.rounds, "round"));
}

fn write(
    context: &Context,
    classes: &Classes,
    points: &Points,
    given: &Given,
    found: SelfTrained,
) -> Result<(), Failure> {
    let learnt = points.id.iter().zip(&found.learnt);
    let learnt = learnt.filter_map(|(&id, learnt)| {
        learnt.map(|learnt| Found::propagated(id, learnt.label as i32, learnt.confidence))
    });
    let all = given.all().iter().copied().chain(learnt).collect();
    context.write("labels", classes.clone(), table(all))?;
    let labels = winners(&found.probabilities, classes.len()).into_iter().map(Some).collect();
    let believed = distributions(&points.id, labels, found.probabilities, classes.len());
    context.write("distributions", classes.clone(), believed)
}

#[cfg(test)]
mod tests;
