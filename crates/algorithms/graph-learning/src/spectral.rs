//! Coordinates for the nodes of a graph: the smoothest functions on it.

mod components;
mod dense;
mod rows;
mod subspace;

use super::{Convergence, Graph};
use components::Components;
use scarce_numeric::{Error, random};

/// Graphs of at most so many nodes are solved as a dense matrix.
const DENSE: usize = 256;

/// What a spectral embedding shall be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectral {
    /// Coordinates of each node, at least 1.
    pub dimensions: usize,
    /// Whether the rows of the first `dimensions` eigenvectors are scaled to length 1 (Ng, Jordan
    /// and Weiss); otherwise the eigenvectors after the first are divided by √d (Laplacian
    /// eigenmaps). See [`spectral`].
    pub normalise_rows: bool,
    /// Largest residual ‖Lu − λu‖ of any eigenvector u of length 1.
    pub tolerance: f64,
    /// Most products of the graph with a block of vectors.
    pub max_products: usize,
    /// Seed of the first block.
    pub seed: u64,
}

impl Spectral {
    /// Rows of length 1, tolerance 10⁻⁶, at most 5,000 products, seed 0.
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, normalise_rows: true, tolerance: 1e-6, max_products: 5000, seed: 0 }
    }

    fn check(&self) -> Result<(), Error> {
        if self.dimensions == 0 {
            let value = "0".to_owned();
            return Err(Error::Parameter { name: "dimensions", must: "at least 1", value });
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            let value = self.tolerance.to_string();
            return Err(Error::Parameter { name: "tolerance", must: "between 0 and 1", value });
        }
        Ok(())
    }
}

/// What [`spectral`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralEmbedding {
    /// Numbers per node.
    pub dimensions: usize,
    /// `[nodes, dimensions]`, in the caller's numbering.
    pub coordinates: Vec<f32>,
    /// Eigenvalues of the normalised Laplacian, from 0 to 2, ascending, one for each coordinate:
    /// `[dimensions]`.
    pub eigenvalues: Vec<f64>,
    /// Products of the graph with a block of vectors, and the largest residual of an eigenvector
    /// that belongs to a coordinate; eigenvectors that are known (of the eigenvalue 0) have none.
    pub convergence: Convergence,
}

/// Eigenvectors of the smallest eigenvalues of the normalised Laplacian L = 1 − D^(−1/2) W D^(−1/2)
/// as coordinates of the nodes.
///
/// With `normalise_rows` they are the first `dimensions`, each node's row then scaled to length 1:
/// A. Ng, M. Jordan and Y. Weiss, "On spectral clustering: analysis and an algorithm", NIPS 2002.
/// Otherwise they are those after the first (which says nothing), divided by √d, and scaled to
/// mean square 1 with the nodes weighted by their degrees: M. Belkin and P. Niyogi, "Laplacian
/// eigenmaps for dimensionality reduction and data representation", Neural Computation 15 (2003).
///
/// The eigenvalue 0 appears once for each connected component, and its eigenvectors are known: the
/// first is √d; then each component in the order of falling size stands against all before it. So
/// small components take whole coordinates, and nodes are compared within a component only by what
/// is left. A node without edges is a component, of degree 1. The others come from a
/// Chebyshev-filtered subspace iteration (Y. Zhou, Y. Saad, M. Tiago and J. Chelikowsky, "Self-
/// consistent-field calculations using Chebyshev-filtered subspace iteration", J. Comput. Phys. 219,
/// 2006) in `f64`, for small graphs from a dense solver. Each is turned so that its entry of largest
/// size, the first of equals, is positive.
///
/// # Errors
/// [`Error::TooFew`] if the graph has not so many eigenvectors; [`Error::Parameter`];
/// [`Error::NoConvergence`] only if numbers overflow: a tolerance that is not met is told by
/// [`SpectralEmbedding::convergence`].
pub fn spectral(graph: &Graph, how: Spectral) -> Result<SpectralEmbedding, Error> {
    how.check()?;
    let skipped = usize::from(!how.normalise_rows);
    let wanted = how.dimensions.saturating_add(skipped);
    if wanted > graph.nodes() {
        let available = graph.nodes().saturating_sub(skipped);
        return Err(Error::TooFew { what: "dimensions", wanted: how.dimensions, available });
    }
    let components = Components::new(graph);
    let known = components.len().min(wanted);
    let found = if wanted == known {
        Eigen::none(graph.nodes())
    } else if graph.nodes() <= DENSE {
        dense::solve(graph, &components, wanted - known)?
    } else {
        subspace::solve(graph, &components, wanted - known, how)?
    };
    let vectors = join(graph, &components, known, &found);
    let zeros = std::iter::repeat_n(0.0, known);
    let all = zeros.chain(found.values.iter().map(|value| (1.0 - value).max(0.0)));
    let coordinates = if how.normalise_rows {
        unit_rows(&vectors, wanted)
    } else {
        eigenmaps(graph, &components, &vectors, wanted)
    };
    Ok(SpectralEmbedding {
        dimensions: how.dimensions,
        coordinates,
        eigenvalues: all.skip(skipped).collect(),
        convergence: found.convergence,
    })
}

/// The largest eigenvalues of D^(−1/2) W D^(−1/2) whose eigenvectors are not known, falling.
struct Eigen {
    /// `[count]`
    values: Vec<f64>,
    /// By place, each column of length 1: `[places, count]`.
    vectors: Vec<f64>,
    convergence: Convergence,
}

impl Eigen {
    fn none(places: usize) -> Self {
        let convergence = Convergence { iterations: 0, residual: 0.0, converged: true };
        Self { values: Vec::new(), vectors: Vec::with_capacity(places), convergence }
    }
}

/// Known and found eigenvectors by node, `[nodes, known + found]`, with their signs settled.
fn join(graph: &Graph, components: &Components, known: usize, found: &Eigen) -> Vec<f64> {
    let (nodes, count) = (graph.nodes(), found.values.len());
    let wanted = known + count;
    let mut vectors = vec![0.0; nodes * wanted];
    for column in 0..known {
        components.known(column, |place, value| {
            vectors[graph.order()[place] as usize * wanted + column] = value;
        });
    }
    for (place, &node) in graph.order().iter().enumerate() {
        let row = &mut vectors[node as usize * wanted..][known..wanted];
        row.copy_from_slice(&found.vectors[place * count..][..count]);
    }
    for column in 0..wanted {
        let mut largest = 0.0f64;
        for row in vectors.chunks_exact(wanted) {
            if row[column].abs() > largest.abs() {
                largest = row[column];
            }
        }
        if largest < 0.0 {
            vectors.chunks_exact_mut(wanted).for_each(|row| row[column] = -row[column]);
        }
    }
    vectors
}

/// Rows of length 1; a row of zeros stays one.
fn unit_rows(vectors: &[f64], wanted: usize) -> Vec<f32> {
    let row = |row: &[f64]| -> Vec<f32> {
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        row.iter().map(|value| (value * scale) as f32).collect()
    };
    vectors.chunks_exact(wanted).flat_map(row).collect()
}

/// All columns but the first over √d, so that the degree-weighted mean square of each is 1.
fn eigenmaps(graph: &Graph, components: &Components, vectors: &[f64], wanted: usize) -> Vec<f32> {
    let volume = components.volume().sqrt();
    let rows = vectors.chunks_exact(wanted).enumerate();
    let row = |(node, row): (usize, &[f64])| -> Vec<f32> {
        let scale = volume / components.roots()[graph.place(node as u32)];
        row[1..].iter().map(|value| (value * scale) as f32).collect()
    };
    rows.flat_map(row).collect()
}

/// The first block of an iteration, by place, `[places, width]`: every node draws its own numbers.
fn start(graph: &Graph, width: usize, seed: u64) -> Vec<f64> {
    let mut rng = random::stream(seed, "spectral embedding", 0);
    let mut block = vec![0.0; graph.nodes() * width];
    for node in 0..graph.nodes() as u32 {
        for value in &mut block[graph.place(node) * width..][..width] {
            *value = 2.0 * random::uniform(&mut rng) - 1.0;
        }
    }
    block
}

#[cfg(test)]
mod tests;
