//! What can go wrong.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// What can go wrong.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// A decision is not on the disk.
    #[error("`{path}` cannot be written, so the label is not kept: {source}")]
    #[diagnostic(
        code(label::not_kept),
        help("make room on the disk, or mend its permissions, and label it again")
    )]
    NotKept {
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// Somebody else made the file shorter.
    #[error("`{path}` has become shorter while it was in use")]
    #[diagnostic(
        code(label::shorter),
        help("a journal is only ever appended to; put it back and start again")
    )]
    Shorter {
        /// The journal.
        path: PathBuf,
    },

    /// A file that is something else.
    #[error("`{path}` is no journal of labels")]
    #[diagnostic(
        code(label::no_journal),
        help("move it away; labels of other tools are read by `--labels FILE`")
    )]
    NoJournal {
        /// The file.
        path: PathBuf,
    },

    /// A line that is not understood.
    #[error("`{path}`, line {line}: {message}")]
    #[diagnostic(
        code(label::line),
        help("mend or remove this line; a newer version of scarce may have written it")
    )]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },

    /// A pipeline that lacks what the page needs.
    #[error("the pipeline `{name}` has no stage of kind {wanted}")]
    #[diagnostic(code(label::no_stage), help("{help}"))]
    NoStage {
        /// The pipeline.
        name: String,
        /// What is missing.
        wanted: &'static str,
        /// What to do.
        help: &'static str,
    },

    /// A stage failed.
    #[error("{message}")]
    #[diagnostic(code(label::stage_failed))]
    StageFailed {
        /// Which, and why.
        message: String,
    },

    /// A request that makes no sense.
    #[error("{message}")]
    #[diagnostic(code(label::request))]
    Request {
        /// What is wrong.
        message: String,
    },

    /// The address cannot be used.
    #[error("cannot listen on port {port}: {source}")]
    #[diagnostic(code(label::port), help("leave `--port` out, or name another one"))]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },

    /// A picture cannot be read.
    #[error(transparent)]
    #[diagnostic(code(label::picture))]
    Picture(#[from] scarce_pictures::Unreadable),

    /// From the pictures.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pictures(#[from] scarce_pictures::Error),

    /// From the pipeline.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pipeline(#[from] scarce_pipeline::Error),

    /// From the orchestrator.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Orchestrator(#[from] scarce_orchestrator::Error),

    /// From a table.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),

    /// From a file of labels.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Labels(#[from] scarce_ingest::Error),

    /// Files.
    #[error(transparent)]
    #[diagnostic(code(label::io))]
    Io(#[from] std::io::Error),
}

impl Error {
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::Request { message: message.into() }
    }
}

/// With this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
