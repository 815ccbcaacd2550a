//! What stops a plan or a run before any stage does.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A plan or run that cannot begin or go on. A stage that fails is not one of these: it is a
/// [`scarce_stage::Failure`] in an event and in the summary.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The store refuses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] scarce_store::Error),

    /// The pipeline has no such target.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pipeline(#[from] scarce_pipeline::Error),

    /// A host that the pipeline names does not answer as one.
    #[error("the host `{program}` cannot be used: {message}")]
    #[diagnostic(
        code(orchestrator::host),
        help(
            "a host answers `HOST describe` with JSON; see ARCHITECTURE.md, or remove it from `hosts`"
        )
    )]
    Host {
        /// The program.
        program: PathBuf,
        /// Why not.
        message: String,
    },

    /// Two hosts of the same rank provide a kind that the pipeline uses.
    #[error("the kind `{kind}` is provided by both `{first}` and `{second}`")]
    #[diagnostic(
        code(orchestrator::two_hosts),
        help("remove one of them from the path, or name the one that is meant in `hosts`")
    )]
    TwoHosts {
        /// The kind.
        kind: String,
        /// A program.
        first: PathBuf,
        /// Another program.
        second: PathBuf,
    },

    /// No host provides a kind.
    #[error("stage `{stage}`: no host provides the kind `{kind}`")]
    #[diagnostic(
        code(orchestrator::no_host),
        help("`scarce stages` lists the kinds there are and the hosts that did not answer")
    )]
    NoHost {
        /// The stage.
        stage: String,
        /// Its kind.
        kind: String,
    },

    /// A parameter names a file that cannot be digested.
    #[error("stage `{stage}`: what parameter `{param}` points to cannot be used")]
    #[diagnostic(
        code(orchestrator::path),
        help(
            "paths in a pipeline are relative to its TOML file; a model by name is looked for below `models/` in the data folders too (`scarce data list`, `scarce data fetch`)"
        )
    )]
    Path {
        /// The stage.
        stage: String,
        /// The parameter.
        param: String,
        /// What is wrong with the file.
        source: Box<scarce_store::Error>,
    },

    /// A stage whose view would lie where the records lie.
    #[error("a stage cannot be named `{name}`")]
    #[diagnostic(
        code(orchestrator::reserved_name),
        help("`runs/<pipeline>/history` holds the records of earlier runs; choose another name")
    )]
    ReservedName {
        /// The name.
        name: String,
    },

    /// A name in the list of stages to run again is no stage.
    #[error("there is no stage `{name}` to run again")]
    #[diagnostic(code(orchestrator::force), help("the stages are {known}"))]
    Force {
        /// The name.
        name: String,
        /// The stages, in backticks.
        known: String,
    },

    /// A path that records and jobs, which are JSON, cannot hold.
    #[error("{what} `{}` cannot be used: its name is not UTF-8", path.display())]
    #[diagnostic(code(orchestrator::not_utf8), help("rename it, or the folder that is at fault"))]
    NotUtf8 {
        /// What it is.
        what: &'static str,
        /// The path.
        path: PathBuf,
    },

    /// Something of somebody else's lies where a view belongs.
    #[error("`{path}` is not a view and stays as it is")]
    #[diagnostic(
        code(orchestrator::in_the_way),
        help(
            "move it away, so that the view can be made; the results themselves are in the store"
        )
    )]
    InTheWay {
        /// What is in the way.
        path: PathBuf,
    },

    /// The record of a run is not readable.
    #[error("`{path}` is not the record of a run: {message}")]
    #[diagnostic(
        code(orchestrator::record),
        help("remove the file if it is of no use; the results themselves are in the store")
    )]
    Record {
        /// The record.
        path: PathBuf,
        /// Why not.
        message: String,
    },
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Store(error.into())
    }
}
