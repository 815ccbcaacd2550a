//! What can go wrong in this crate.

use miette::Diagnostic;
use thiserror::Error;

/// Why a computation was refused.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
pub enum Error {
    /// A slice does not hold `rows * cols` numbers.
    #[error("a matrix of {rows} rows and {cols} columns cannot hold {found} numbers")]
    #[diagnostic(
        code(numeric::shape),
        help(
            "the slice is row-major and its length is rows times columns, with at least one column"
        )
    )]
    Shape {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// Numbers in the slice.
        found: usize,
    },

    /// Two matrices that must have rows of one length do not.
    #[error("rows of {left} numbers do not go with rows of {right}")]
    #[diagnostic(code(numeric::width), help("both sides must come from the same embedding"))]
    Width {
        /// Columns of the first matrix.
        left: usize,
        /// Columns of the second matrix.
        right: usize,
    },

    /// A slice that goes with the rows of a matrix has another length.
    #[error("{what}: expected {expected}, found {found}")]
    #[diagnostic(code(numeric::length), help("there must be one entry per row"))]
    Length {
        /// What the slice holds.
        what: &'static str,
        /// Length that was needed.
        expected: usize,
        /// Length of the slice.
        found: usize,
    },

    /// A value is NaN or infinite.
    #[error("row {row}, column {column} is not a finite number")]
    #[diagnostic(
        code(numeric::not_finite),
        help("look at what produced the values: training may have diverged")
    )]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },

    /// A row is so long that its square overflows an `f32`.
    #[error("the values of row {row} are too large to square")]
    #[diagnostic(code(numeric::overflow), help("scale the values down first"))]
    Overflow {
        /// Row, from 0.
        row: usize,
    },

    /// More was asked for than there is.
    #[error("{wanted} {what} asked for, but there are only {available}")]
    #[diagnostic(code(numeric::too_few), help("ask for fewer or give more data"))]
    TooFew {
        /// What was asked for.
        what: &'static str,
        /// How many.
        wanted: usize,
        /// How many there are.
        available: usize,
    },

    /// A label is not below the number of classes.
    #[error("entry {index} has class {label}, but there are {classes} classes")]
    #[diagnostic(
        code(numeric::label),
        help("classes are numbered from 0 to the number of classes less one")
    )]
    Label {
        /// Which entry, from 0.
        index: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },

    /// An edge of a graph makes no sense.
    #[error("edge {index} {problem}")]
    #[diagnostic(
        code(numeric::edge),
        help("each edge joins two different nodes, and each two nodes at most one edge")
    )]
    Edge {
        /// Which edge, from 0.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A parameter has a value that makes no sense.
    #[error("`{name}` must be {must}, not {value}")]
    #[diagnostic(code(numeric::parameter), help("change `{name}`"))]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// What it must be.
        must: &'static str,
        /// What it was.
        value: String,
    },

    /// The data have too many columns for a covariance matrix.
    #[error("{cols} columns are more than the {limit} that PCA handles here")]
    #[diagnostic(
        code(numeric::too_wide),
        help("make the images smaller or embed them another way first")
    )]
    TooWide {
        /// Columns of the data.
        cols: usize,
        /// Most columns allowed.
        limit: usize,
    },

    /// The rows of a component have no spread in some direction.
    #[error("component {component} of the mixture has no spread in some direction")]
    #[diagnostic(
        code(numeric::singular),
        help("raise `reg_covar`, ask for fewer components, or take fewer features")
    )]
    Singular {
        /// Which component, from 0.
        component: usize,
    },

    /// Steps were so long that numbers stopped being finite.
    #[error("the {what} flew apart: its steps were too long")]
    #[diagnostic(code(numeric::diverged), help("lower `learning_rate`"))]
    Diverged {
        /// What took the steps.
        what: &'static str,
    },

    /// An iteration that practically always ends well did not.
    #[error("the {what} did not converge")]
    #[diagnostic(
        code(numeric::no_convergence),
        help("the values probably span too many orders of magnitude: scale them")
    )]
    NoConvergence {
        /// Which computation.
        what: &'static str,
    },
}

/// Checks that every label names one of `classes` classes.
pub fn check_labels(labels: &[u32], classes: usize) -> Result<(), Error> {
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(index) => Err(Error::Label { index, label: labels[index], classes }),
        None => Ok(()),
    }
}

/// Checks that a slice called `what` has `expected` entries.
pub fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}
