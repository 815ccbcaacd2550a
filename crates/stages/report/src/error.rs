//! What can stand in the way of a report.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// A table that cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Artifact(#[from] scarce_artifact::Error),

    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(code(report::io), help("check that the path exists and that the disk has room"))]
    Io(#[from] std::io::Error),

    /// A score that cannot be computed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Score(#[from] scarce_numeric::Error),

    /// Two tables that count their classes differently.
    #[error("`{left}` has the classes {left_classes}, `{right}` has {right_classes}")]
    #[diagnostic(
        code(report::classes),
        help("tables can be scored together only if they come from the same `ingest` stage")
    )]
    Classes {
        /// A table, as `stage.port`.
        left: String,
        /// Its classes.
        left_classes: String,
        /// Another table, as `stage.port`.
        right: String,
        /// Its classes.
        right_classes: String,
    },

    /// A published mean without its number of runs.
    #[error("the published figure of `{stage}` has `runs` or `std` that do not fit")]
    #[diagnostic(
        code(report::published_runs),
        help(
            "`runs` is at least 1, and `std`, a share such as 0.02, goes with at least two `runs`"
        )
    )]
    PublishedRuns {
        /// The stage it is of.
        stage: String,
    },

    /// A label that names no class.
    #[error("`{table}`, image {id}: label {label} is not one of {classes} classes")]
    #[diagnostic(
        code(report::label),
        help("labels are counted from 0; the stage that wrote the table is at fault")
    )]
    Label {
        /// The table, as `stage.port`.
        table: String,
        /// The image.
        id: u32,
        /// Its label.
        label: i32,
        /// How many classes there are.
        classes: usize,
    },

    /// Vectors whose width is not what the table's own metadata says.
    #[error("`{table}` has {found} numbers per image where {expected} are due")]
    #[diagnostic(code(report::width), help("the stage that wrote the table is at fault"))]
    Width {
        /// The table, as `stage.port`.
        table: String,
        /// Numbers per image in the table.
        found: usize,
        /// Numbers per image by its metadata.
        expected: usize,
    },

    /// An embedding that cannot be drawn as a map.
    #[error("`{table}` has {found} numbers per image; a map needs 2")]
    #[diagnostic(
        code(report::map),
        help(
            "wire an embedding of two numbers to `map`, for instance of a stage \
             `kind = \"pca\", components = 2` that takes this one as `features`"
        )
    )]
    Map {
        /// The table, as `stage.port`.
        table: String,
        /// Numbers per image in the table.
        found: usize,
    },

    /// The baseline is none of the stages.
    #[error("the baseline `{name}` is none of the stages whose predictions came in: {known}")]
    #[diagnostic(
        code(report::baseline),
        help("set `baseline` to one of them, or wire that stage to `predictions`")
    )]
    Baseline {
        /// The name asked for.
        name: String,
        /// The stages that are there.
        known: String,
    },

    /// A published figure that cannot be one.
    #[error("the published {metric} of `{stage}` is {value}")]
    #[diagnostic(
        code(report::published),
        help("write shares, not per cent: 0.56 for 56 %; no score is above 1")
    )]
    Published {
        /// The stage it is set beside.
        stage: String,
        /// The metric.
        metric: String,
        /// The value.
        value: f64,
    },

    /// A goal that no accuracy can reach.
    #[error("an accuracy of {value} is no goal")]
    #[diagnostic(
        code(report::goal),
        help("write shares, not per cent: `goals = [0.9, 0.95]`; no accuracy is above 1")
    )]
    Goal {
        /// The goal.
        value: f64,
    },

    /// A figure that could not be drawn.
    #[error("cannot draw {what}: {message}")]
    #[diagnostic(code(report::figure), help("please report this as a fault of `scarce`"))]
    Figure {
        /// What was to be drawn.
        what: &'static str,
        /// What the drawing library says.
        message: String,
    },

    /// A summary table that is none.
    #[error("cannot read `{path}` as a summary: {message}")]
    #[diagnostic(code(report::summary), help("run the report again"))]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}
