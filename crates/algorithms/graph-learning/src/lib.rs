//! Learning on a graph of nearest neighbours: a few labelled nodes, many that are not.
//!
//! A graph is made of [`Edges`] (for instance those of [`symmetric_edges`]) and holds a symmetric
//! weight matrix W with degrees dᵢ = Σⱼ wᵢⱼ. Every method that learns answers with [`Scores`]: one
//! number per node and class, larger for the likelier class.
//!
//! | function | method |
//! | --- | --- |
//! | [`laplace`] | harmonic functions, optionally reweighted and mean-shifted |
//! | [`poisson`] | Poisson learning |
//! | [`poisson_mbo`] | Poisson learning, then diffusion and thresholding with class sizes held |
//! | [`label_spreading`] | local and global consistency |
//! | [`GraphRegression`] | logistic regression on features of the nodes, and Poisson learning, together |
//! | [`assign_volumes`] | a class for every node, with class sizes held, from any scores |
//! | [`smooth`] | no labels: means over neighbours, of neighbours, … |
//! | [`spectral`] | no labels: eigenvectors as coordinates of the nodes |
//!
//! # Parts of a graph that no label reaches
//!
//! Nothing flows between connected components. A class can be the answer only in a component that
//! has a label of it ([`Reach`]): elsewhere its score means nothing, and a component without any
//! label has no answer at all. Poisson's equation has a solution only where its right-hand side
//! sums to 0, so labels are centred component by component.
//!
//! # Numbers
//!
//! The linear systems are of the form (G − aW)u = b with a diagonal G. The diagonal and groups of
//! strongly joined nodes on several levels precondition the conjugate gradients. All classes are solved
//! together, so that one pass over the matrix serves them all. Nodes are renumbered group by group
//! inside [`Graph`], which keeps neighbours near one another in memory; results are in the caller's
//! numbering.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod adjacency;
mod aggregation;
mod block;
mod conjugate;
mod edges;
mod laplace;
mod mbo;
mod multilevel;
mod poisson;
mod regression;
mod scores;
mod seeds;
mod smoothing;
mod solve;
mod spectral;
mod spreading;
mod transport;
mod volume;

#[cfg(test)]
mod tests;

pub use adjacency::Graph;
pub use edges::{Edges, Rule, symmetric_edges};
pub use laplace::{Laplace, laplace};
pub use mbo::{Mbo, poisson_mbo};
pub use poisson::poisson;
pub use regression::{FittedGraphRegression, GraphRegression, PreparedFeatures, unit_rows};
pub use scores::Scores;
pub use seeds::{Reach, Seeds};
pub use smoothing::smooth;
pub use solve::{Convergence, Precision};
pub use spectral::{Spectral, SpectralEmbedding, spectral};
pub use spreading::label_spreading;
pub use volume::{Volumes, assign_volumes};
