//! The methods, each from labels to scores and classes.

use scarce_graph_learning::{
    Graph, Laplace, Mbo, Scores, Seeds, assign_volumes, label_spreading, laplace, poisson,
    poisson_mbo,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    params::{Params, Sizes},
};

/// How labels flow over a graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Labels are sources and sinks of a flow (Calder and others, ICML 2020): good from one label
    /// per class on.
    #[default]
    Poisson,
    /// Poisson learning, then diffusion and thresholding with class sizes held: the best of these at
    /// very few labels if classes are as large as the priors say.
    PoissonMbo,
    /// Harmonic functions (Zhu and others, ICML 2003): good with many labels; with few almost
    /// constant, so that one class takes nearly all.
    Laplace,
    /// The same, each class less its mean.
    MeanShiftedLaplace,
    /// Harmonic functions on weights that are raised near labels (Miller and Calder, 2023).
    ReweightedLaplace,
    /// Local and global consistency (Zhou and others, NIPS 2003).
    LabelSpreading,
}

/// Scores and the classes decided on.
pub(crate) struct Fit {
    pub(crate) scores: Scores,
    /// `[nodes]`.
    pub(crate) labels: Vec<Option<u32>>,
    /// Whether scores are at least 0 and proportional to chances; otherwise only their differences
    /// mean something.
    pub(crate) positive: bool,
    /// With sizes held: the largest difference between a class's share and its prior.
    pub(crate) size_error: Option<f64>,
}

impl Method {
    /// Whether the result depends on the priors.
    pub(crate) fn uses_priors(self, sizes: Sizes) -> bool {
        sizes == Sizes::Held || matches!(self, Self::Poisson | Self::PoissonMbo)
    }
}

/// Lets the seeds' labels flow.
pub(crate) fn fit(
    params: &Params,
    graph: &Graph,
    seeds: &Seeds,
    priors: &[f64],
) -> Result<Fit, Error> {
    let precision = params.precision();
    let variant = |reweighted, mean_shift| Laplace { tau: params.tau, reweighted, mean_shift };
    let harmonic = |variant| laplace(graph, seeds, variant, precision);
    let (mut scores, mut positive) = match params.method {
        Method::Laplace => (harmonic(variant(false, false))?, true),
        Method::MeanShiftedLaplace => (harmonic(variant(false, true))?, false),
        Method::ReweightedLaplace => (harmonic(variant(true, false))?, true),
        Method::LabelSpreading => (label_spreading(graph, seeds, params.alpha, precision)?, true),
        Method::Poisson => (poisson(graph, seeds, priors, precision)?, false),
        Method::PoissonMbo => {
            let Params { rounds, steps, fidelity, slack, .. } = *params;
            let mbo = Mbo { rounds, steps, fidelity, slack };
            let (scores, volumes) = poisson_mbo(graph, seeds, priors, mbo, precision)?;
            let size_error = Some(volumes.error);
            return Ok(Fit { scores, labels: volumes.labels, positive: true, size_error });
        }
    };
    let mut size_error = None;
    let labels = match params.sizes {
        Sizes::Free => scores.winners(),
        Sizes::Held => {
            let volumes = assign_volumes(&mut scores, priors)?;
            positive = true;
            size_error = Some(volumes.error);
            volumes.labels
        }
    };
    Ok(Fit { scores, labels, positive, size_error })
}
