//! Every image joined to its nearest neighbours.

use scarce_artifact::{Edges, Embeddings, GraphMeta, Nodes, Points};
use scarce_graph_learning::{Edges as GraphEdges, Graph, Rule, symmetric_edges};
use scarce_neighbours::{Neighbours, neighbours::approximate};
use scarce_numeric::Matrix;
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, Stage, counted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SplitName,
    choices::{Metric, measure},
};

/// How a distance becomes a weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// exp(−4 d² / r²) with r the distance to the k-th neighbour, the mean of both directions (0
    /// where an image is not among the other's neighbours): no scale to choose.
    #[default]
    SelfTuning,
    /// exp(−d² / 2σ²) with σ = `sigma`.
    Gaussian,
    /// 1.
    Uniform,
}

impl Weights {
    fn word(self) -> &'static str {
        match self {
            Self::SelfTuning => "self-tuning",
            Self::Gaussian => "gaussian",
            Self::Uniform => "uniform",
        }
    }
}

/// Parameters of `neighbour-graph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How many nearest neighbours each image looks at. Two images are joined if either looks at the
    /// other, so that most have more edges than this.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// How distance is measured; `own` takes the metric that the features are meant for.
    pub metric: Metric,
    /// How a distance becomes a weight.
    pub weights: Weights,
    /// The scale σ of Gaussian weights, in units of the distance; for the cosine metric that of the
    /// vectors scaled to length 1. Without it the median distance to the k-th neighbour is taken.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sigma: Option<f64>,
    /// Share of the true nearest neighbours that must be found. 1 seeks them exactly, in a time that
    /// grows with the square of the images; with less, 0.99 for instance, it grows with their number
    /// times its root, and what was reached in a sample of 1,000 images is in the metadata of both
    /// tables.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub recall: f64,
    /// The splits whose images are in the graph. With `"test"` a study is transductive: test images
    /// are seen, though never their labels.
    pub splits: Vec<SplitName>,
    /// What the centroids of an approximate search, and its sample, are drawn from.
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            k: 10,
            metric: Metric::default(),
            weights: Weights::default(),
            sigma: None,
            recall: 1.0,
            splits: vec![SplitName::Train, SplitName::Pool],
            seed: 0,
        }
    }
}

/// The images of the graph.
fn splits() -> Splits {
    Splits::Parameter("/splits".to_owned())
}

/// The kind `neighbour-graph`.
pub struct NeighbourGraph;

impl Stage for NeighbourGraph {
    type Params = Params;

    fn describe() -> Description {
        Description::new("neighbour-graph", "Joins every image to its nearest neighbours")
            .doc(
                "The symmetric graph of k nearest neighbours, for `propagate-graph`. Of equally \
                 near images the one with the smaller id is nearer. The search is exact unless \
                 `recall` is below 1: then √n centroids sort the images into cells, each image \
                 looks into the nearest cells and meets the neighbours of its neighbours, and as \
                 many cells are looked into as that recall needs. The default weights are those \
                 of Calder, Cook, Thorpe and Slepčev (*Poisson learning*, ICML 2020). Copies of an image, at distance 0, are joined to it like other \
                 neighbours.\n\n`edges` has each pair of neighbours once, by ascending ids. `nodes` \
                 has every image, with its connected component, the sum of its weights and the \
                 distance to its k-th neighbour. The log says how many components there are: no \
                 label can get from one to another, and a larger `k` joins them. Memory holds all \
                 features.",
            )
            .learns(Learns::images("features", splits()).keeping(splits()))
            .input(Port::table::<Embeddings>("features", "One vector per image"))
            .output(Port::table::<Edges>("edges", "Each pair of neighbours, with its weight"))
            .output(Port::table::<Nodes>("nodes", "Every image of the graph"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        params.check()?;
        let features = context.input::<Embeddings>("features")?;
        let points = Points::read(&features, |_, split| SplitName::any(&params.splits, split))?;
        let images = points.id.len();
        if images == 0 {
            let splits = serde_json::to_string(&params.splits).unwrap_or_default();
            return Err(Error::NoImages { splits }.into());
        }
        if params.k >= images {
            return Err(Error::TooFewNeighbours { k: params.k, images: images - 1 }.into());
        }
        let metric = params.metric.resolve(features.meta().metric);
        let made = make(&params, &points, metric)?;
        tell(&made, images);
        context.write("nodes", made.meta.clone(), made.nodes(&points))?;
        context.write("edges", made.meta.clone(), made.edges(&points))
    }
}

impl Params {
    fn check(&self) -> Result<(), Error> {
        match self.sigma {
            Some(_) if self.weights != Weights::Gaussian => Err(Error::Parameter {
                name: "sigma",
                message: format!("has no use with `weights = \"{}\"`", self.weights.word()),
                help: "leave `sigma` out, or set `weights = \"gaussian\"`",
            }),
            Some(sigma) if !(sigma > 0.0 && sigma.is_finite()) => {
                Err(Error::range("sigma", sigma, "above 0"))
            }
            _ => Ok(()),
        }
    }

    /// The kernel's rule, and σ where there is one.
    fn rule(&self, near: &Neighbours, metric: scarce_artifact::Metric) -> Result<Rule, Error> {
        Ok(match self.weights {
            Weights::SelfTuning => Rule::SelfTuning,
            Weights::Uniform => Rule::Uniform,
            Weights::Gaussian => {
                let sigma = self.sigma.unwrap_or_else(|| median_radius(near, metric));
                if sigma <= 0.0 {
                    return Err(Error::Parameter {
                        name: "sigma",
                        message: "cannot be chosen: most images have `k` copies".to_owned(),
                        help: "set `sigma`, raise `k`, or remove the copies",
                    });
                }
                Rule::Gaussian { sigma }
            }
        })
    }
}

fn median_radius(near: &Neighbours, metric: scarce_artifact::Metric) -> f64 {
    let mut radii = radii(near);
    radii.sort_unstable_by(f32::total_cmp);
    let median = f64::from(radii[radii.len() / 2]);
    match metric {
        scarce_artifact::Metric::Euclidean => median,
        // 2(1 − cos) is the squared distance of vectors of length 1.
        scarce_artifact::Metric::Cosine => (2.0 * median).sqrt(),
    }
}

/// The distance of every image to the farthest of its neighbours.
fn radii(near: &Neighbours) -> Vec<f32> {
    near.distances.chunks_exact(near.k).map(|row| row[near.k - 1]).collect()
}

/// A graph on its way to the tables.
struct Made {
    meta: GraphMeta,
    edges: GraphEdges,
    component: Vec<u32>,
    degree: Vec<f64>,
    radius: Vec<f32>,
}

fn make(params: &Params, points: &Points, metric: scarce_artifact::Metric) -> Result<Made, Error> {
    let nodes = points.id.len();
    let x = Matrix::new(&points.values, nodes, points.width)?;
    let found = approximate(x, params.k, measure(metric), params.recall, params.seed)?;
    let near = found.neighbours;
    if let Some((probes, cells)) = found.probes {
        let percent = 100.0 * found.recall;
        tracing::info!("looked into {probes} of {cells} cells: {percent:.2} % of neighbours found");
    }
    let rule = params.rule(&near, metric)?;
    let edges = symmetric_edges(&near, measure(metric), rule)?;
    let graph = Graph::new(nodes, &edges)?;
    let meta = GraphMeta {
        nodes,
        k: params.k,
        metric,
        weights: params.weights.word().to_owned(),
        sigma: if let Rule::Gaussian { sigma } = rule { Some(sigma) } else { None },
        components: graph.components(),
        recall: found.probes.map(|_| found.recall),
    };
    let (component, degree) = (graph.component_of_nodes(), graph.degree_of_nodes());
    Ok(Made { meta, edges, component, degree, radius: radii(&near) })
}

impl Made {
    fn nodes(&self, points: &Points) -> Nodes {
        Nodes {
            id: points.id.clone(),
            split: points.split.clone(),
            component: self.component.clone(),
            degree: self.degree.iter().map(|&degree| degree as f32).collect(),
            radius: self.radius.clone(),
        }
    }

    fn edges(self, points: &Points) -> Edges {
        let id = |node: &u32| points.id[*node as usize];
        Edges {
            source: self.edges.source.iter().map(id).collect(),
            target: self.edges.target.iter().map(id).collect(),
            weight: self.edges.weight,
            distance: self.edges.distance,
        }
    }
}

fn tell(made: &Made, images: usize) {
    let mut sizes = vec![0_usize; made.meta.components];
    for &component in &made.component {
        sizes[component as usize] += 1;
    }
    let largest = sizes.iter().max().copied().unwrap_or_default();
    let GraphMeta { k, components, .. } = made.meta;
    tracing::info!(
        "{}, {}, {}",
        counted(images, "image"),
        counted(made.edges.len(), "edge"),
        counted(components, "connected component")
    );
    if components > 1 {
        tracing::warn!(
            "the graph is in {components} pieces, the largest of {}; no label gets from one to another: a \
             `k` above {k} would join them",
            counted(largest, "image")
        );
    }
    let copies = made.radius.iter().filter(|radius| **radius == 0.0).count();
    if copies > 0 {
        let copies = counted(copies, "image");
        tracing::warn!("{copies} with {k} or more exact copies, which see nothing else");
    }
}

#[cfg(test)]
mod tests;
