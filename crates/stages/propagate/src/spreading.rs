//! Label spreading.

use scarce_semi_supervised::{Transduction, transduction::Method};
use scarce_stage::{Context, Description, Failure, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    KernelName, SplitName,
    transduce::{self, MEMORY_GIB, Setting},
};

/// Parameters of `label-spreading`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How strongly two images are linked: `rbf` links all with all, `knn` each to the nearest.
    pub kernel: KernelName,
    /// How fast the weight of a link falls with the squared distance (`rbf`). It must fit the scale
    /// of the features: 1 / gamma is a squared distance at which images still are alike.
    #[schemars(range(min = 0))]
    pub gamma: f64,
    /// To how many images each is linked, itself among them (`knn`).
    #[schemars(range(min = 1))]
    pub neighbours: usize,
    /// How much an image takes from the others rather than from its own label: near 0 the given
    /// labels hold, near 1 they may be overruled. Above 0 and below 1.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alpha: f64,
    /// Most steps; when they do not suffice, a warning says so.
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// The flow ends when a step changes all entries by less than this in sum.
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// Most memory, in GiB, that the links of `rbf` may take: 4 bytes for each pair of images (4 GiB
    /// are enough for 32,000 images). `knn` needs next to none.
    #[schemars(range(min = 0))]
    pub memory_gib: f64,
    /// The splits that take part.
    pub splits: Vec<SplitName>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            kernel: KernelName::default(),
            gamma: 20.0,
            neighbours: 7,
            alpha: 0.2,
            max_iter: 30,
            tolerance: 1e-3,
            memory_gib: MEMORY_GIB,
            splits: SplitName::all(),
        }
    }
}

/// The kind `label-spreading`.
pub struct LabelSpreading;

impl Stage for LabelSpreading {
    type Params = Params;

    fn describe() -> Description {
        let description = Description::new(
            "label-spreading",
            "Labels spread to like images, each image holding on to its own to a degree",
        );
        transduce::ports(description.doc(
            "Learning with local and global consistency (D. Zhou, O. Bousquet, T. Lal, J. Weston \
             and B. Schölkopf, NIPS 2003, published 2004): every image takes the share `alpha` of \
             what its neighbours believe, links weighted by D^(-1/2) W D^(-1/2), and 1 - `alpha` \
             of its own label, until nothing changes. Defaults, stopping rule and results are \
             those of scikit-learn's `LabelSpreading`, but for images that no label reaches: they \
             get no label, where scikit-learn gives them the first class.\n\n`distributions` has \
             what every image came to believe, rows summing to 1, given labels too: an image whose \
             neighbours disagree with its given label may believe another one. An image that \
             nothing reaches has `reached` false, no label and probabilities 0. `labels` keeps \
             given labels as they are, with their source; for the other images it has the most \
             probable class (of equals the first) with its probability as confidence. An image \
             that an earlier propagation gave several labels starts from their shares.\n\nDistances \
             are Euclidean, whatever metric the features are meant for. Labels of images that take \
             no part are left out, with a warning.",
        ))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let Params { kernel, gamma, neighbours, memory_gib, .. } = params;
        let method = Transduction {
            method: Method::Spreading { alpha: params.alpha },
            max_iterations: params.max_iter,
            tolerance: params.tolerance,
        };
        let splits = &params.splits;
        transduce::run(&Setting { kernel, gamma, neighbours, memory_gib, splits, method }, context)
    }
}

#[cfg(test)]
mod tests;
