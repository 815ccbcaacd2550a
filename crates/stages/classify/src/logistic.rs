//! Multinomial logistic regression.

use std::{collections::BTreeMap, path::Path};

use scarce_artifact::{Model, Tensor};
use scarce_graph_learning::unit_rows;
use scarce_linear::{
    FittedLogistic, Logistic,
    logistic::{Convergence, Ending, Step},
};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Error, SplitName,
    answers::{Inputs, fitting_kind},
    rule::{Answers, Rule, architecture, damaged},
    scaling::Scaling,
};

/// Parameters of `logistic-regression`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Inverse strength C of the penalty on the weights, above 0: smaller keeps them smaller. It
    /// means what scikit-learn's `C` means, for two classes as for many.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub c: f64,
    /// Most iterations of L-BFGS; when they do not suffice, a warning says so.
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// The search ends when no entry of the gradient of the mean loss is larger than this. With 10⁻⁴
    /// and a weak penalty (`c` = 100) single probabilities can still be off by 0.2, as with
    /// scikit-learn's default; 10⁻⁶ leaves less than 0.01. The search also ends, and the log says
    /// so, where 32-bit products of large features allow no smaller gradient.
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// Whether to bring every feature to mean 0 and variance 1 first, by the images that are not in
    /// the test split, labelled or not.
    pub standardise: bool,
    /// Whether a labelled image counts in proportion to its label's confidence, rather than all
    /// alike. Propagated labels have a confidence below 1.
    pub weight_by_confidence: bool,
    /// The splits to predict.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            c: 1.0,
            max_iter: 1000,
            tolerance: 1e-4,
            standardise: false,
            weight_by_confidence: false,
            splits: SplitName::all(),
        }
    }
}

/// The kind `logistic-regression`.
pub struct LogisticRegression;

impl Stage for LogisticRegression {
    type Params = Params;

    fn describe() -> Description {
        fitting_kind(
            "logistic-regression",
            "A linear model per class, fitted to the labelled images",
            "Minimises 1/S Σ sᵢ (−log P[i, yᵢ]) + ‖W‖² / (2 C S) with P = softmax(X Wᵀ + b), where \
             sᵢ are the weights of the labelled images and S is their sum (Bishop, *Pattern \
             Recognition and Machine Learning*, §4.3.4); this is the loss of scikit-learn's \
             `LogisticRegression` with solver `lbfgs`, also where two classes have labels: there \
             the penalty is ‖W‖² / (C S), which is that of its one row of weights. The intercepts b are not penalised. The \
             search is L-BFGS (Liu and Nocedal, *Mathematical Programming* 45, 1989) from zero, so \
             there is no seed.\n\nThe model keeps `weights: [classes, d]` and `intercepts: \
             [classes]`, zero for classes without a labelled image, which its card names in \
             `learnt` by their absence and which get probability 0; with `standardise` also \
             `mean: [d]` and `deviation: [d]`.",
        )
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let inputs = Inputs::open(context)?;
        let learnt = learnt_classes(&inputs, params.weight_by_confidence)?;
        let scaling = params.standardise.then(|| Scaling::of(&inputs.features)).transpose()?;
        let linear = fit(&params, &inputs, scaling.as_ref(), context)?;
        let fitted = Fitted { linear, learnt, scaling, unit_length: false };
        inputs.finish(context, &fitted, &params.splits)
    }
}

/// The classes that have labelled images of some weight: at least two.
fn learnt_classes(inputs: &Inputs, weighted: bool) -> Result<Vec<usize>, Error> {
    let mut seen = vec![false; inputs.classes.len()];
    let rows = inputs.labelled.label.iter().zip(&inputs.labelled.confidence);
    for (&label, &confidence) in rows {
        seen[label as usize] |= !weighted || confidence > 0.0;
    }
    let learnt: Vec<usize> = (0..seen.len()).filter(|&class| seen[class]).collect();
    if let [class] = learnt[..] {
        let (class, labelled) = (inputs.classes.classes[class].clone(), inputs.labelled.len());
        return Err(Error::OneClass { class, labelled });
    }
    Ok(learnt)
}

fn fit(
    params: &Params,
    inputs: &Inputs,
    scaling: Option<&Scaling>,
    context: &Context,
) -> Result<FittedLogistic, Error> {
    let Params { c, max_iter, tolerance, .. } = *params;
    let problem = Logistic { c, intercept: true, tolerance, max_iterations: max_iter };
    let x = inputs.matrix()?;
    let scaled = scaling.map(|scaling| scaling.apply(x.data()));
    let x = match &scaled {
        Some(scaled) => Matrix::new(scaled, x.rows(), x.cols())?,
        None => x,
    };
    let labelled = &inputs.labelled;
    let weights = params.weight_by_confidence.then_some(labelled.confidence.as_slice());
    let mut observe = |step: Step| {
        let message = format!("loss {:.4}", step.loss);
        context.progress(step.iteration as u64, max_iter as u64, "iterations", &message);
    };
    let classes = inputs.classes.len();
    let fitted = problem.fit_observed(x, &labelled.label, classes, weights, &mut observe)?;
    tell(&fitted.convergence, tolerance);
    Ok(fitted)
}

fn tell(end: &Convergence, tolerance: f64) {
    let Convergence { iterations, loss, gradient, .. } = *end;
    match end.ending {
        Ending::Converged => tracing::info!("converged after {iterations} iterations, loss {loss}"),
        Ending::Stalled => tracing::info!(
            "ended after {iterations} iterations at the precision of the numbers, loss {loss}, \
             gradient {gradient:.1e}"
        ),
        Ending::IterationLimit => tracing::warn!(
            "not converged after {iterations} iterations: the gradient is {gradient:.1e}, above \
             the tolerance of {tolerance:.1e}; raise `max_iter`, or set `standardise`"
        ),
    }
}

#[derive(Serialize, Deserialize)]
struct Architecture {
    /// Numbers per image, d.
    width: usize,
    /// The classes that had labelled images.
    learnt: Vec<usize>,
    standardise: bool,
    /// Whether rows are scaled to length 1 first, as `propagate-logistic` does for the cosine metric.
    #[serde(default)]
    unit_length: bool,
}

/// Weights, and what is done to features before.
pub(crate) struct Fitted {
    linear: FittedLogistic,
    learnt: Vec<usize>,
    scaling: Option<Scaling>,
    unit_length: bool,
}

impl Fitted {
    pub(crate) fn load(model: &Model, path: &Path) -> Result<Self, Error> {
        let Architecture { width, learnt, standardise, unit_length } = architecture(model, path)?;
        let classes = model.card.classes.len();
        if width == 0 || learnt.is_empty() || learnt.iter().any(|class| *class >= classes) {
            return Err(damaged(path, "it learnt no class that it names".to_owned()));
        }
        let take = |name: &str, shape: &[usize]| -> Result<Vec<f32>, Error> {
            Ok(model.tensor(path, name, shape)?.values.clone())
        };
        let mut intercepts = take("intercepts", &[classes])?;
        for (class, intercept) in intercepts.iter_mut().enumerate() {
            if !learnt.contains(&class) {
                *intercept = f32::NEG_INFINITY;
            }
        }
        let scaling = if standardise {
            Some(Scaling { mean: take("mean", &[width])?, deviation: take("deviation", &[width])? })
        } else {
            None
        };
        let linear = FittedLogistic {
            classes,
            cols: width,
            weights: take("weights", &[classes, width])?,
            intercepts,
            // How the search ended does not matter for predicting, and is not kept.
            convergence: Convergence {
                ending: Ending::Converged,
                iterations: 0,
                evaluations: 0,
                loss: 0.0,
                gradient: 0.0,
            },
        };
        Ok(Self { linear, learnt, scaling, unit_length })
    }
}

impl Rule for Fitted {
    fn kind(&self) -> &'static str {
        "logistic-regression"
    }

    fn width(&self) -> Option<usize> {
        Some(self.linear.cols)
    }

    fn answer(&self, _: &[u32], x: Matrix<'_>) -> Result<Answers, Error> {
        let unit = self.unit_length.then(|| unit_rows(x.data(), x.cols()));
        let x = Matrix::new(unit.as_deref().unwrap_or(x.data()), x.rows(), x.cols())?;
        let probabilities = match &self.scaling {
            None => self.linear.predict_proba(x)?,
            Some(scaling) => {
                let scaled = scaling.apply(x.data());
                self.linear.predict_proba(Matrix::new(&scaled, x.rows(), x.cols())?)?
            }
        };
        Ok(Answers::most_probable(probabilities, self.linear.classes))
    }

    fn save(&self) -> (Value, BTreeMap<String, Tensor>) {
        let FittedLogistic { classes, cols, ref weights, ref intercepts, .. } = self.linear;
        // A class without examples has an intercept of −∞, which no file may hold.
        let finite = |b: &f32| if b.is_finite() { *b } else { 0.0 };
        let mut tensors = BTreeMap::new();
        let mut keep = |name: &str, shape: Vec<usize>, values: Vec<f32>| {
            tensors.insert(name.to_owned(), Tensor { shape, values });
        };
        keep("weights", vec![classes, cols], weights.clone());
        keep("intercepts", vec![classes], intercepts.iter().map(finite).collect());
        if let Some(Scaling { mean, deviation }) = &self.scaling {
            keep("mean", vec![cols], mean.clone());
            keep("deviation", vec![cols], deviation.clone());
        }
        let standardise = self.scaling.is_some();
        let mut architecture =
            json!({ "width": cols, "learnt": self.learnt, "standardise": standardise });
        if self.unit_length {
            architecture["unit_length"] = true.into();
        }
        (architecture, tensors)
    }
}

#[cfg(test)]
mod tests;
