//! Parameters of `propagate-graph`.

use scarce_graph_learning::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    method::Method,
    priors::{PriorRule, Priors},
};

/// Whether classes are held to the sizes that the priors say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sizes {
    /// Every image takes the class with the highest score.
    #[default]
    Free,
    /// Scores are weighted by class such that every class gets exactly its share of the images.
    Held,
}

/// What the confidence of a propagated label says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// `probability` where there are enough labels to calibrate it (5 of each class that has any, 50
    /// in all), otherwise `rank`.
    #[default]
    Auto,
    /// The estimated chance that the label is right; calibrated on labels held back where there are
    /// enough.
    Probability,
    /// The share of the propagated images that are no more certain: it orders them, no more.
    Rank,
}

/// Parameters of `propagate-graph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How labels flow.
    pub method: Method,
    /// The share of each class among the images: `"uniform"`, `"estimated"` (from the labels), or a
    /// list with one number per class. Used by `poisson`, which weighs each class by its prior over
    /// its share of the labels, and wherever sizes are held; the log says what they are.
    pub priors: Priors,
    /// Whether classes are held to the sizes that the priors say. `poisson-mbo` always holds them.
    pub sizes: Sizes,
    /// α of `label-spreading`, above 0 and below 1: how much of its score an image takes from its
    /// neighbours.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alpha: f64,
    /// τ of the Laplace methods: above 0, scores decay away from the labels, and images far from all
    /// of them are less certain.
    #[schemars(range(min = 0))]
    pub tau: f64,
    /// Rounds of diffusing and thresholding of `poisson-mbo`.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Steps of diffusion in each round of `poisson-mbo`.
    #[schemars(range(min = 1))]
    pub steps: usize,
    /// μ of `poisson-mbo`: how strongly the labels go on pouring in.
    #[schemars(range(min = 0))]
    pub fidelity: f64,
    /// By what share of its prior a class may come out larger or smaller with `poisson-mbo`: 0 holds
    /// sizes exactly, 0.1 takes classes of 9 to 11 % for a prior of 10 %. For classes that are about,
    /// not exactly, as large as the priors say.
    #[schemars(range(min = 0, max = 1))]
    pub slack: f64,
    /// Linear systems are solved until the residual is below this share of the right-hand side.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub tolerance: f64,
    /// Most iterations per linear system.
    #[schemars(range(min = 1))]
    pub max_iterations: usize,
    /// What the confidence of a propagated label says.
    pub confidence: Confidence,
    /// Propagated labels with less confidence than this are left out of `labels`.
    #[schemars(range(min = 0, max = 1))]
    pub min_confidence: f32,
}

impl Default for Params {
    fn default() -> Self {
        let precision = Precision::default();
        let mbo = scarce_graph_learning::Mbo::default();
        Self {
            method: Method::default(),
            priors: Priors::Rule(PriorRule::Uniform),
            sizes: Sizes::default(),
            alpha: 0.99,
            tau: 0.0,
            rounds: mbo.rounds,
            steps: mbo.steps,
            fidelity: mbo.fidelity,
            slack: mbo.slack,
            tolerance: precision.tolerance,
            max_iterations: precision.max_iterations,
            confidence: Confidence::default(),
            min_confidence: 0.0,
        }
    }
}

impl Params {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let between = |value: f64| value > 0.0 && value < 1.0;
        if !between(self.alpha) {
            return Err(Error::range("alpha", self.alpha, "above 0 and below 1"));
        }
        if !between(self.tolerance) {
            return Err(Error::range("tolerance", self.tolerance, "above 0 and below 1"));
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            let value = f64::from(self.min_confidence);
            return Err(Error::range("min_confidence", value, "from 0 to 1"));
        }
        for (name, value) in [("tau", self.tau), ("fidelity", self.fidelity)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::range(name, value, "at least 0"));
            }
        }
        let counts = [
            ("rounds", self.rounds),
            ("steps", self.steps),
            ("max_iterations", self.max_iterations),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((name, _)) => Err(Error::range(name, 0.0, "at least 1")),
            None => Ok(()),
        }
    }

    pub(crate) fn precision(&self) -> Precision {
        Precision { tolerance: self.tolerance, max_iterations: self.max_iterations }
    }
}
