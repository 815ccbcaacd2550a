//! Coordinates of the images from the edges between them.

use scarce_artifact::{Edges, Embeddings, EmbeddingsMeta, Metric, Nodes, Vectors};
use scarce_graph_learning::{Convergence, Spectral, SpectralEmbedding as Found, spectral};
use scarce_stage::{Context, Description, Failure, Learns, Port, Splits, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, tables::Network};

/// Parameters of `spectral-embedding`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Numbers for each image. Ng, Jordan and Weiss take as many as groups are sought.
    #[schemars(range(min = 1))]
    pub dimensions: usize,
    /// Whether each image's vector, of the first `dimensions` eigenvectors, is scaled to length 1
    /// (Ng, Jordan and Weiss). Otherwise the constant eigenvector is left out, and the others are
    /// Laplacian eigenmaps (Belkin and Niyogi).
    pub normalise_rows: bool,
    /// Largest residual ‖Lu − λu‖ of an eigenvector u of length 1.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub tolerance: f64,
    /// Most products of the graph with a block of vectors; when they do not suffice, a warning says
    /// so.
    #[schemars(range(min = 1))]
    pub max_iterations: usize,
    /// Seed of the vectors that the search starts from. The outcome depends on it within the
    /// tolerance, and freely only where eigenvalues are equal.
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        let Spectral { dimensions, normalise_rows, tolerance, max_products, seed } =
            Spectral::new(10);
        Self { dimensions, normalise_rows, tolerance, max_iterations: max_products, seed }
    }
}

/// The kind `spectral-embedding`.
pub struct SpectralEmbedding;

impl Stage for SpectralEmbedding {
    type Params = Params;

    fn describe() -> Description {
        Description::new("spectral-embedding", "Coordinates of images from a graph of them")
            .doc(
                "Eigenvectors of the smallest eigenvalues of the normalised Laplacian of a graph, L \
                 = 1 − D^(−1/2) W D^(−1/2), as features: images that many short paths join come to \
                 lie close together, so that k-means and mixtures find groups of any shape. No \
                 label is looked at. With `normalise_rows` as A. Ng, M. Jordan and Y. Weiss, *On \
                 spectral clustering* (NIPS 2002); otherwise Laplacian eigenmaps (M. Belkin and P. \
                 Niyogi, Neural Computation 15, 2003), as scikit-learn's `SpectralEmbedding` but \
                 scaled: the mean square of every coordinate, with images weighted by their \
                 degrees, is 1.\n\nEach connected component of the graph beyond the first takes a \
                 whole coordinate, which only says who is in it; the log warns of that, and a \
                 larger `k` of `neighbour-graph` joins them. `embeddings` has every image of the \
                 graph, by ascending id, with its split. New images have no coordinates: put all \
                 images of a study into the graph.\n\nEigenvectors come from a Chebyshev-filtered \
                 subspace iteration (Y. Zhou and others, J. Comput. Phys. 219, 2006); the log says \
                 how many products with the graph it took and how large the residual is.",
            )
            .learns(Learns::images("nodes", Splits::All))
            .input(Port::table::<Nodes>("nodes", "The images of a graph"))
            .input(Port::table::<Edges>("edges", "The edges of the same graph"))
            .output(Port::table::<Embeddings>("embeddings", "One vector per image of the graph"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        let (nodes, edges) = (context.input::<Nodes>("nodes")?, context.input::<Edges>("edges")?);
        let network = Network::read(&nodes, &edges)?;
        let Params { dimensions, normalise_rows, tolerance, max_iterations, seed } = params;
        let how =
            Spectral { dimensions, normalise_rows, tolerance, max_products: max_iterations, seed };
        let found = spectral(&network.graph, how).map_err(Error::from)?;
        tell(&params, &network, &found);
        let meta = EmbeddingsMeta { origin: "spectral".to_owned(), metric: Metric::Euclidean };
        let table = Embeddings {
            id: network.id,
            split: network.split,
            embedding: Vectors::new(dimensions, found.coordinates),
        };
        context.write("embeddings", meta, table)
    }
}

fn tell(params: &Params, network: &Network, found: &Found) {
    let Convergence { iterations, residual, converged } = found.convergence;
    let values = &found.eigenvalues;
    tracing::info!(
        "{} images, {} edges; eigenvalues {:.2e} to {:.2e}; {iterations} products, residual \
         {residual:.1e}",
        network.id.len(),
        network.edges,
        values.first().copied().unwrap_or_default(),
        values.last().copied().unwrap_or_default(),
    );
    if !converged {
        tracing::warn!(
            "residual {residual:.1e} after {iterations} products, above the tolerance {:.1e}: raise \
             `tolerance` or `max_iterations`",
            params.tolerance
        );
    }
    let pieces = network.graph.components();
    if pieces > 1 {
        tracing::warn!(
            "the graph is in {pieces} pieces: {} of {} coordinates only tell them apart; a larger \
             `k` of `neighbour-graph` would join them",
            (pieces - 1).min(params.dimensions),
            params.dimensions
        );
    }
}

#[cfg(test)]
mod tests;
