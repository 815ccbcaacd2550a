//! What label spreading and label propagation share.

use scarce_artifact::{Classes, Distributions, Embeddings, LabelSource, Labels, Points, Vectors};
use scarce_scores::{entropy, margin};
use scarce_semi_supervised::{
    Transduced, Transduction,
    transduction::{Kernel, Step},
};
use scarce_stage::{Context, Description, Failure, Knowledge, Learns, Port, Splits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    found::{Found, Given, table},
    points,
};

/// How strongly two images are linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KernelName {
    /// exp(-gamma · squared distance): every image with every other.
    #[default]
    Rbf,
    /// 1 from each image to the nearest ones, 0 to all others.
    Knn,
}

/// Default of `memory_gib`.
pub(crate) const MEMORY_GIB: f64 = 4.0;

const GIB: f64 = (1_u64 << 30) as f64;

/// A kind's parameters.
pub(crate) struct Setting<'a> {
    pub(crate) kernel: KernelName,
    pub(crate) gamma: f64,
    pub(crate) neighbours: usize,
    pub(crate) memory_gib: f64,
    pub(crate) splits: &'a [SplitName],
    pub(crate) method: Transduction,
}

/// A kind that learns from all images of `splits`, and from the labels that some of them have.
pub(crate) fn from_splits() -> Learns {
    let splits = Splits::Parameter("/splits".to_owned());
    Learns::images("features", splits.clone())
        .and("labels", Splits::learnable(), Knowledge::Labels)
        .keeping(splits)
        .rows_of(&["features"])
}

/// The ports of both kinds.
pub(crate) fn ports(description: Description) -> Description {
    description
        .learns(from_splits())
        .input(Port::table::<Embeddings>("features", "One vector per image"))
        .input(Port::table::<Labels>("labels", "A few labels, joined by image id"))
        .output(Port::table::<Labels>("labels", "The labels of all images that were reached"))
        .output(Port::table::<Distributions>("distributions", "What every image came to believe"))
}

/// Reads, lets the labels flow, writes.
pub(crate) fn run(setting: &Setting<'_>, context: &Context) -> Result<(), Failure> {
    let features = context.input::<Embeddings>("features")?;
    let labels = context.input::<Labels>("labels")?;
    let given = Given::read(&labels)?;
    let points = points::read(&features, setting.splits)?;
    let given = points::take(&points, given, &labels, &features)?;
    let classes = labels.meta();
    let start = start(&given, &points, classes.len());
    let kernel = setting.kernel(&points)?;
    let most = setting.method.max_iterations as u64;
    let mut observe = |step: Step| {
        let message = format!("change {:.1e}", step.change);
        context.progress(step.iteration as u64, most, "steps", &message);
    };
    let found =
        setting.method.run(&kernel, &start, classes.len(), &mut observe).map_err(Error::from)?;
    tell(&found, setting.method.tolerance);
    write(context, classes, &points, &given, found)
}

impl Setting<'_> {
    fn kernel(&self, points: &Points) -> Result<Kernel, Error> {
        let images = points.id.len();
        match self.kernel {
            KernelName::Knn => Ok(Kernel::nearest(points::matrix(points)?, self.neighbours)?),
            KernelName::Rbf => {
                let (needed, allowed) = (Kernel::rbf_bytes(images) as f64 / GIB, self.memory_gib);
                if needed > allowed {
                    return Err(Error::TooLarge { images, needed, allowed });
                }
                Ok(Kernel::rbf(points::matrix(points)?, self.gamma)?)
            }
        }
    }
}

/// What each image starts from: its label, or the shares of its labels where a propagation gave it
/// several: `[n, classes]`.
fn start(given: &Given, points: &Points, classes: usize) -> Vec<f64> {
    let mut start = vec![0.0; points.id.len() * classes];
    for (&id, start) in points.id.iter().zip(start.chunks_exact_mut(classes.max(1))) {
        let labels = given.of(id);
        let labels = match labels.first() {
            // It comes before those that are propagated, and is surer than they are.
            Some(first) if first.source != LabelSource::Propagated => &labels[..1],
            _ => labels,
        };
        for found in labels {
            start[found.label as usize] += 1.0;
        }
        for share in start {
            *share /= labels.len().max(1) as f64;
        }
    }
    start
}

fn tell(found: &Transduced, tolerance: f64) {
    let unreached = found.labels.iter().filter(|label| label.is_none()).count();
    let Transduced { iterations, change, .. } = *found;
    if found.converged {
        tracing::info!("settled after {iterations} steps; no label reached {unreached} images");
    } else {
        tracing::warn!(
            "not settled after {iterations} steps: the last one changed {change:.1e}, above the \
             tolerance of {tolerance:.1e}; raise `max_iter` if that matters; no label reached \
             {unreached} images"
        );
    }
}

fn write(
    context: &Context,
    classes: &Classes,
    points: &Points,
    given: &Given,
    found: Transduced,
) -> Result<(), Failure> {
    let width = classes.len();
    let mut all = given.all().to_vec();
    for (row, &id) in points.id.iter().enumerate() {
        if let (Some(label), []) = (found.labels[row], given.of(id)) {
            let confidence = found.probabilities[row * width + label as usize];
            all.push(Found::propagated(id, label as i32, confidence));
        }
    }
    context.write("labels", classes.clone(), table(all))?;
    context.write(
        "distributions",
        classes.clone(),
        distributions(&points.id, found.labels, found.probabilities, width),
    )
}

/// The table of beliefs, in the order of `id`.
pub(crate) fn distributions(
    id: &[u32],
    labels: Vec<Option<u32>>,
    probabilities: Vec<f32>,
    classes: usize,
) -> Distributions {
    Distributions {
        id: id.to_vec(),
        entropy: entropy(&probabilities, classes),
        margin: margin(&probabilities, classes),
        reached: labels.iter().map(Option::is_some).collect(),
        label: labels.into_iter().map(|label| label.map(|label| label as i32)).collect(),
        probabilities: Vectors::new(classes, probabilities),
    }
}
