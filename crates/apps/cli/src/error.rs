//! Every way a command can fail, and the exit code that says so.

use std::path::PathBuf;

use miette::Diagnostic;
use scarce_pipeline::did_you_mean;
use scarce_stage::Failure;
use serde_json::{Value, json};
use thiserror::Error;

/// A command's failure. Libraries' errors pass through; what is here is the command line's own.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum CliError {
    /// Reading a file or standard output failed.
    #[error(transparent)]
    #[diagnostic(code(scarce::io))]
    Io(#[from] std::io::Error),

    /// A table or model is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Artifact(#[from] scarce_artifact::Error),

    /// The pipeline is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pipeline(#[from] scarce_pipeline::Error),

    /// Planning or running failed as a whole.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Orchestrator(#[from] scarce_orchestrator::Error),

    /// The store refuses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] scarce_store::Error),

    /// A data set or a file of the user's is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ingest(#[from] scarce_ingest::Error),

    /// A pretrained network cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Models(#[from] scarce_models::Error),

    /// ONNX Runtime cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wheels(#[from] scarce_wheels::Error),

    /// The labelling page cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Label(#[from] scarce_label::Error),

    /// The user's pictures cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pictures(#[from] scarce_pictures::Error),

    /// The report could not be read back.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Report(#[from] scarce_report::Error),

    /// A word that the command line does not know.
    #[error("{message}")]
    #[diagnostic(code(scarce::usage), help("`scarce --help` lists the commands"))]
    Usage {
        /// What is wrong, and what was probably meant.
        message: String,
    },

    /// No such thing; perhaps another is meant.
    #[error("there is no {what} `{name}`")]
    #[diagnostic(code(scarce::unknown))]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// What was typed.
        name: String,
        /// The nearest name, or where to look.
        #[help]
        help: String,
    },

    /// `show` or `export` found nothing.
    #[error("there is no table `{name}`")]
    #[diagnostic(code(scarce::no_table))]
    NoTable {
        /// What was typed.
        name: String,
        /// The nearest name, or where to look.
        #[help]
        help: String,
    },

    /// A bundle cannot be used.
    #[error("the bundle `{path}` cannot be used: {message}")]
    #[diagnostic(
        code(scarce::bundle),
        help("make it again with `scarce bundle`, by this version of scarce")
    )]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },

    /// A stage that answers for the images of its run alone.
    #[error("`{stage}` of kind `{kind}` has no model that could predict new images")]
    #[diagnostic(
        code(scarce::no_model),
        help(
            "its answers are for the images of its own run (transductive); wire its labels to `logistic-regression`, `knn`, `mlp` or `cnn`, or use `propagate-logistic`, and name that stage"
        )
    )]
    NoModel {
        /// The stage.
        stage: String,
        /// Its kind.
        kind: String,
    },

    /// A stage above the model does not work for images that come later.
    #[error("`{stage}` of kind `{kind}` cannot be applied to new images")]
    #[diagnostic(
        code(scarce::not_for_new_images),
        help(
            "what it makes of an image depends on all the others; take a model that learns from other features"
        )
    )]
    NotForNewImages {
        /// The stage.
        stage: String,
        /// Its kind.
        kind: String,
    },

    /// Several models could predict.
    #[error("`{pipeline}` has more than one model that predicts")]
    #[diagnostic(code(scarce::which_model), help("name one of {names}"))]
    WhichModel {
        /// The pipeline.
        pipeline: String,
        /// The stages with their variants.
        names: String,
    },

    /// What is to be applied has not been run, or changed since.
    #[error("`{stage}` has no result for the pipeline as it is now")]
    #[diagnostic(code(scarce::not_run), help("run it first: scarce run {}", pipeline.display()))]
    NotRun {
        /// The stage with its variant.
        stage: String,
        /// The pipeline's file.
        pipeline: PathBuf,
    },

    /// No report where one was looked for.
    #[error("`{name}` holds no report")]
    #[diagnostic(
        code(scarce::no_report),
        help("add a stage of kind `report` to the pipeline and run it")
    )]
    NoReport {
        /// Where it was looked for.
        name: String,
    },

    /// One report is needed, and there are more.
    #[error("there are several reports: {folders}")]
    #[diagnostic(code(scarce::several_reports), help("name one of these folders"))]
    SeveralReports {
        /// The folders that hold them.
        folders: String,
    },

    /// The desktop does not show the page.
    #[error("cannot open `{page}` in a browser: {message}")]
    #[diagnostic(
        code(scarce::no_browser),
        help("open the file yourself, or copy it with `--output`")
    )]
    NoBrowser {
        /// The page.
        page: PathBuf,
        /// What went wrong.
        message: String,
    },

    /// A file that is not Parquet.
    #[error("cannot read `{path}`: {message}")]
    #[diagnostic(code(scarce::unreadable), help("is it a Parquet file, and whole?"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        message: String,
    },

    /// Something would be overwritten.
    #[error("`{path}` exists already")]
    #[diagnostic(code(scarce::exists), help("name another one with `{option}`"))]
    Exists {
        /// The file or folder.
        path: PathBuf,
        /// The option that names it.
        option: &'static str,
    },

    /// A table of the store is not what it was.
    #[error("`{path}` is damaged")]
    #[diagnostic(
        code(scarce::damaged_table),
        help("`scarce run` computes it again; nothing was exported")
    )]
    DamagedTable {
        /// The table.
        path: PathBuf,
    },

    /// A hard link cannot be made.
    #[error("{message}")]
    #[diagnostic(
        code(scarce::no_link),
        help("hard links need one file system for both: leave `--link` out to copy")
    )]
    NoLink {
        /// From where to where, and what the system says.
        message: String,
    },

    /// A file where a folder is meant, or the other way round.
    #[error("`{path}` is not {expected}")]
    #[diagnostic(
        code(scarce::not_that),
        help("`--images` names a folder, `--labels` a CSV, JSON-lines or Parquet file")
    )]
    NotThat {
        /// What was named.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },

    /// A pretrained network that is known, but not there.
    #[error("the pretrained network `{name}` is not there")]
    #[diagnostic(code(scarce::no_encoder))]
    NoEncoder {
        /// Its name.
        name: String,
        /// How to get it.
        #[help]
        help: String,
    },

    /// A drawing failed.
    #[error("cannot draw the pipeline: {message}")]
    #[diagnostic(code(scarce::graph), help("try `--format mermaid`"))]
    Drawing {
        /// What the layout says.
        message: String,
    },

    /// A data set's file is damaged.
    #[error("{message}")]
    #[diagnostic(
        code(scarce::wrong_data),
        help("delete the file, then fetch the data set again with `scarce data fetch`")
    )]
    WrongData {
        /// What is wrong with which file.
        message: String,
    },

    /// Nowhere to download to.
    #[error("no data folder is known")]
    #[diagnostic(code(scarce::no_data_folder), help("give one with `--data DIR`"))]
    NoDataFolder,

    /// Artifacts of the store are damaged.
    #[error("{count} of {total} artifacts are damaged; they were set aside")]
    #[diagnostic(code(scarce::damaged), help("`scarce run` computes them again"))]
    Damaged {
        /// How many.
        count: usize,
        /// Of how many.
        total: usize,
    },
}

impl CliError {
    /// An unknown name, with the nearest known one as help.
    pub(crate) fn unknown(what: &'static str, name: &str, known: &[&str], otherwise: &str) -> Self {
        let help = did_you_mean(name, known).unwrap_or_else(|| otherwise.to_owned());
        Self::Unknown { what, name: name.to_owned(), help }
    }

    /// 2: the request is wrong; 3: something in the store is damaged.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Damaged { .. }
            | Self::DamagedTable { .. }
            | Self::Orchestrator(scarce_orchestrator::Error::Record { .. }) => 3,
            _ => 2,
        }
    }

    /// As JSON: a list of problems, each with code, message and help; those of a pipeline with file,
    /// line and column.
    pub(crate) fn into_json(self) -> Value {
        let problems = match &self {
            Self::Pipeline(error) => json!(error.problems()),
            _ => json!([Failure::from(self)]),
        };
        json!({ "errors": problems })
    }
}
