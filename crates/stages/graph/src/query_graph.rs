//! The images that labels reach least.

use scarce_artifact::{Edges, Empty, Labels, Nodes, Queries, Split};
use scarce_graph_learning::{Graph, Laplace, Precision, Seeds, laplace};
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Port, Splits, Stage, counted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, labels::Given, tables::Network};

const DOC: &str = "\
Asks for the images that the labels in a graph say least about: first the one whose scores u of Poisson-reweighted \
Laplace learning with decay `tau` are the shortest vector, so that 1 − ‖u‖, its score, is the largest (Miller and \
Calder, *Poisson reweighted Laplacian uncertainty sampling for graph-based active learning*, SIAM J. Math. Data \
Science 5, 2023). With a large `tau` scores decay within a few edges, and images far from all labels are chosen: \
exploration. With 0 they sum to 1 everywhere, and images between classes are: exploitation. So begin high and come down.

Of a batch, every image chosen counts from then on as labelled, with a class of its own, so that the next one is \
chosen elsewhere. Images that no label reaches have the score 1 and come first; of equal scores the smaller id does. \
Test images are never chosen, though as nodes of the graph labels flow through them.";

/// Parameters of `query-graph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueryGraphParams {
    /// How many to ask for; fewer, with a warning, where there are not so many left.
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// τ ≥ 0: how fast scores decay away from the labels, on the scale of the reweighted edges. Where
    /// all queries have a score close to 1, it is too large.
    #[schemars(range(min = 0))]
    pub tau: f64,
    /// The linear system is solved until its residual is below this share of the right-hand side.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub tolerance: f64,
    /// Most iterations per linear system.
    #[schemars(range(min = 1))]
    pub max_iterations: usize,
}

impl Default for QueryGraphParams {
    fn default() -> Self {
        let Precision { tolerance, max_iterations } = Precision::default();
        Self { batch: 10, tau: 0.001, tolerance, max_iterations }
    }
}

/// The kind `query-graph`.
pub struct QueryGraph;

impl Stage for QueryGraph {
    type Params = QueryGraphParams;

    fn describe() -> Description {
        Description::new(
            "query-graph",
            "Which images to label next, by how little labels reach them",
        )
        .doc(DOC)
        .learns(
            Learns::images("nodes", Splits::All)
                .and("labels", Splits::learnable(), Knowledge::Labels)
                .keeping(Splits::learnable())
                .rows_of(&["nodes"]),
        )
        .input(Port::table::<Nodes>("nodes", "The images of a graph"))
        .input(Port::table::<Edges>("edges", "The edges of the same graph"))
        .input(Port::table::<Labels>("labels", "The labels that are there already"))
        .output(Port::table::<Queries>("queries", "The images to label, by rank"))
    }

    fn run(params: QueryGraphParams, context: &Context) -> Result<(), Failure> {
        if params.batch == 0 {
            return Err(Error::range("batch", 0.0, "at least 1").into());
        }
        let (nodes, edges) = (context.input::<Nodes>("nodes")?, context.input::<Edges>("edges")?);
        let labels = context.input::<Labels>("labels")?;
        let network = Network::read(&nodes, &edges)?;
        let given = Given::read(&labels, &nodes, &network)?;
        let open = |node: &usize| network.split[*node] != Split::Test;
        let mut open: Vec<usize> = (0..network.id.len()).filter(open).collect();
        open.retain(|node| given.seeds.binary_search_by_key(&(*node as u32), |s| s.0).is_err());
        let asked = open.len().min(params.batch);
        if asked < params.batch {
            let left = counted(asked, "image");
            tracing::warn!("`batch` is {}, and all that is left is {left}", params.batch);
        }
        let wishes = wishes(&params, &network.graph, given.seeds, labels.meta().len(), open)?;
        context.write("queries", Empty {}, table(&network, &wishes))
    }
}

/// The `batch` least reached of the `open` nodes, each with 1 − ‖u‖.
fn wishes(
    params: &QueryGraphParams,
    graph: &Graph,
    mut labelled: Vec<(u32, u32)>,
    classes: usize,
    mut open: Vec<usize>,
) -> Result<Vec<(usize, f64)>, Error> {
    let &QueryGraphParams { batch, tau, tolerance, max_iterations } = params;
    let variant = Laplace { tau, reweighted: true, mean_shift: false };
    let precision = Precision { tolerance, max_iterations };
    let mut wishes = Vec::with_capacity(batch.min(open.len()));
    while wishes.len() < batch && !open.is_empty() {
        let seeds = Seeds::new(&labelled, classes + wishes.len())?;
        let scores = laplace(graph, &seeds, variant, precision)?;
        let doubt = |&node: &usize| {
            let reached = scores.reach.reaches(node);
            let square: f64 = scores.of(node).iter().map(|score| score * score).sum();
            if reached { 1.0 - square.sqrt() } else { 1.0 }
        };
        let doubts: Vec<f64> = open.iter().map(doubt).collect();
        let most =
            (1..open.len()).fold(0, |best, at| if doubts[at] > doubts[best] { at } else { best });
        let node = open.remove(most);
        labelled.push((node as u32, (classes + wishes.len()) as u32));
        wishes.push((node, doubts[most]));
    }
    Ok(wishes)
}

fn table(network: &Network, wishes: &[(usize, f64)]) -> Queries {
    Queries {
        id: wishes.iter().map(|&(node, _)| network.id[node]).collect(),
        rank: (0..).take(wishes.len()).collect(),
        score: wishes.iter().map(|&(_, doubt)| doubt as f32).collect(),
        strategy: vec!["norm".to_owned(); wishes.len()],
    }
}

#[cfg(test)]
mod tests;
