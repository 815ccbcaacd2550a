//! What a person may type.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Learn from a handful of labels: a TOML file in, a graph of cached stages through, Parquet tables
/// and a report out.
///
/// Exit codes: 0 done, 1 a stage failed, 2 the request is wrong, 3 something in the store is damaged
/// (`verify` found it, or a record of a run cannot be read), 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "scarce", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Where the store and the views of runs lie
    #[arg(
        long,
        global = true,
        env = "SCARCE_ARTIFACTS",
        default_value = "artifacts",
        value_name = "DIR"
    )]
    pub(crate) artifacts: PathBuf,

    /// Where data sets and pretrained networks lie; downloads go to the first [default: the user's data directory]
    #[arg(long, global = true, env = "SCARCE_DATA", value_name = "DIR", value_delimiter = ':')]
    pub(crate) data: Vec<PathBuf>,

    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say less (only warnings and errors)
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// A pipeline file and what the command line changes in it.
#[derive(Debug, Clone, Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline's TOML file
    pub(crate) pipeline: PathBuf,

    /// Change a parameter, for instance `stages.encoder.latent=64`
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,

    /// Change the values of an axis, for instance `seed=0..3` or `architecture=linear,conv`;
    /// `round=0..3` is the first three rounds
    #[arg(long, value_name = "NAME=VALUES")]
    pub(crate) axis: Vec<String>,
}

/// Threads, or stages at a time: more than any machine can use.
const MOST: i64 = 1024;

fn memory(text: &str) -> Result<u64, String> {
    let bytes = scarce_pipeline::memory_size(text).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "write `24GiB`, `500MB` or a number of bytes".to_owned())
}

/// How a run goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// The pipeline
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,

    /// Run only these stages and what they need [default: all]
    pub(crate) targets: Vec<String>,

    /// Stages that run at a time [default: the number of threads]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    pub(crate) jobs: Option<u32>,

    /// Threads for all stages together [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    pub(crate) threads: Option<u32>,

    /// Memory for all stages together, as far as they declare what they need (`memory` in their
    /// `resources`), for instance `24GiB` [default: what the machine has, or the control group of this
    /// process]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub(crate) memory: Option<u64>,

    /// Run this stage again even if it is cached; may be repeated
    #[arg(long, value_name = "STAGE")]
    pub(crate) force: Vec<String>,

    /// After a failure, go on with what does not depend on it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) keep_going: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pipeline; only what changed runs again
    Run(RunArgs),
    /// Say what a run would do, and why
    Plan(RunArgs),
    /// Check a pipeline without running it
    Check(PipelineArgs),
    /// Draw a pipeline
    Graph(GraphArgs),
    /// Show a table: schema, first rows, statistics, pictures
    Show(ShowArgs),
    /// Copy the tables of a run out of the store, as data sets without links
    Export(ExportArgs),
    /// Show what a report found, and where its page is
    Report(ReportArgs),
    /// List the recorded runs
    Runs {
        /// Only of this pipeline
        pipeline: Option<String>,
    },
    /// Say what differs between two runs: stages, figures, labels
    Diff(DiffArgs),
    /// Predict new images by what a finished run learnt, without refitting anything
    Predict(PredictArgs),
    /// Pack what a finished run learnt into one file, to predict with elsewhere
    Bundle(BundleArgs),
    /// List the kinds of stages, or document one
    Stages {
        /// The kind to document
        kind: Option<String>,
        /// The language of the page
        #[arg(long, short, value_enum, default_value_t = Language::Text)]
        format: Language,
    },
    /// List the tables that stages exchange, or document the columns of one
    Tables {
        /// The table to document
        table: Option<String>,
        /// The language of the page
        #[arg(long, short, value_enum, default_value_t = Language::Text)]
        format: Language,
    },
    /// Print the JSON Schema of pipeline files, for editors
    Schema,
    /// Read every artifact of the store and compare it with its digest
    Verify,
    /// Delete what no recorded run reaches
    Gc {
        /// Only say what would be deleted
        #[arg(long)]
        dry_run: bool,
        /// Also forget all but the last N runs of each pipeline
        #[arg(long, value_name = "N")]
        keep_runs: Option<usize>,
        /// Delete what stages remember of single items when no run has used it for so many days;
        /// only time is lost with it
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        memo_days: u32,
        /// Keep results that no record knows of while they are younger: `0s`, `12h`, `1d`
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = time)]
        grace: Duration,
    },
    /// List, fetch or verify data sets and pretrained networks
    #[command(subcommand)]
    Data(DataCommand),
    /// Write a pipeline for your own images
    New(NewArgs),
    /// Label pictures on a page that asks for those that teach most, and learns meanwhile
    Label(LabelArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print this program's stage kinds as JSON (the host protocol)
    #[command(hide = true)]
    Describe,
    /// Run one stage (the host protocol)
    #[command(hide = true)]
    Exec {
        /// The job file
        job: PathBuf,
    },
}

/// What predicts, and what.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A pipeline that ran, by name or TOML file, `PIPELINE/STAGE[/AXIS=VALUE…]`, or a bundle
    pub(crate) run: String,
    /// A folder of pictures, a Parquet or IDX file, or single pictures
    #[arg(required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// Write to this file instead of standard output; its extension says the format
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format [default: that of the file's extension, else CSV]
    #[arg(long, short, value_enum)]
    pub(crate) format: Option<AnswerFormat>,
    /// A column with the probability of each class as well
    #[arg(long)]
    pub(crate) probabilities: bool,
}

/// Formats of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// Comma-separated values with a header
    Csv,
    /// A JSON object a line
    Json,
    /// Apache Parquet
    Parquet,
}

/// What is packed.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    /// A pipeline that ran, by name or TOML file, or `PIPELINE/STAGE[/AXIS=VALUE…]`
    pub(crate) run: String,
    /// The file to write
    #[arg(long, short, value_name = "FILE", default_value = "model.scarce")]
    pub(crate) output: PathBuf,
}

/// Which runs are compared.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A run: `PIPELINE` is its last, `PIPELINE~1` the one before; or the file of a record
    pub(crate) a: String,
    /// The other run [default: of one pipeline, its last run against the one before]
    pub(crate) b: Option<String>,
    /// Images to name of each table whose labels changed
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) images: usize,
    /// Write the images that changed, side by side, to this page
    #[arg(long, value_name = "FILE")]
    pub(crate) page: Option<PathBuf>,
}

/// How a pipeline is drawn.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The pipeline
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The language of the drawing
    #[arg(long, short, value_enum, default_value_t = Drawing::Mermaid)]
    pub(crate) format: Drawing,
    /// One node for every variant instead of one for every stage
    #[arg(long)]
    pub(crate) expand: bool,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Languages for drawings.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Drawing {
    /// Graphviz
    Dot,
    /// Markdown viewers draw it
    Mermaid,
    /// A picture for browsers
    Svg,
}

/// Which report is shown, and how.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// A pipeline that ran, by name or TOML file; `PIPELINE/STAGE`; or a report's folder or page
    pub(crate) report: String,
    /// The language of the table
    #[arg(long, short, value_enum, default_value_t = Language::Text)]
    pub(crate) format: Language,
    /// Copy the page to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long)]
    pub(crate) open: bool,
}

/// Languages for tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// For a terminal
    Text,
    /// For a document
    Markdown,
}

/// Which table is shown and how much of it.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A Parquet file, a folder of them, or a place under the runs such as `quickstart/images`
    pub(crate) table: String,
    /// Rows to show
    #[arg(long, short = 'n', default_value_t = 8, value_name = "N")]
    pub(crate) rows: usize,
    /// Pictures to draw where the table holds images [default: 4 on a terminal, 0 elsewhere]
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
}

/// Which tables are copied, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A pipeline that ran, or `PIPELINE/STAGE`; with `--as` the TOML file of a labelled collection
    pub(crate) run: String,
    /// The folder to make; must not exist, or be empty. Each table becomes a data set of its own:
    /// `DIR/STAGE/TABLE/AXIS=VALUE/…/TABLE.parquet`. With `--as` the file or folder to make
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Hard links instead of copies: no space, but whoever writes to them spoils the store (with `--as`:
    /// the pictures)
    #[arg(long)]
    pub(crate) link: bool,
    /// Instead of the tables every picture with its label, given or predicted, in this form
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub(crate) form: Option<CollectionForm>,
    /// With `--as`: the journal of decisions [default: beside the pipeline, `NAME.labels.jsonl`]
    #[arg(long, value_name = "FILE", requires = "form")]
    pub(crate) journal: Option<PathBuf>,
    /// With `--as`: whose label counts where annotators disagree: `last`, `first`, `majority`, or an
    /// annotator
    #[arg(long, value_name = "RULE", default_value = "last", requires = "form")]
    pub(crate) who_wins: String,
}

/// Forms of a labelled collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CollectionForm {
    /// A table: file, label, confidence, given or predicted
    Csv,
    /// The same table
    Parquet,
    /// A folder of pictures for each class
    Folders,
    /// Pictures with `metadata.csv`, for Hugging Face's `imagefolder`
    Imagefolder,
    /// Tasks with annotations and predictions
    LabelStudio,
    /// COCO's JSON, one annotation for each picture
    Coco,
}

/// What to do with data sets and pretrained networks.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Say which data sets and pretrained networks are known, and where they were found
    List,
    /// Download a data set, a pretrained network, or `onnxruntime`, which runs them
    Fetch {
        /// Its name
        name: String,
    },
    /// Compare files with their checksums
    Verify {
        /// A name of `scarce data list` [default: all that are found]
        name: Option<String>,
    },
}

/// A new pipeline for one's own images.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// A folder of pictures
    #[arg(long, value_name = "DIR")]
    pub(crate) images: PathBuf,
    /// A CSV, JSON-lines or Parquet file of image names and classes; may cover a few images only
    /// [default: none; the pipeline then says which images to label first]
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// The pretrained network: a name of `scarce data list`, a folder or an ONNX file; `none` goes
    /// without [default: the first that is found in the data folders]
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) encoder: Option<String>,
    /// Where to write the pipeline; must not exist
    #[arg(long, short, default_value = "own-images.toml", value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// What is labelled, and how.
#[derive(Debug, Args)]
pub(crate) struct LabelArgs {
    /// A folder of pictures; not needed where `--pipeline` names a file that is there
    #[arg(required_unless_present = "pipeline")]
    pub(crate) folder: Option<PathBuf>,
    /// Labels to begin with: CSV, JSON or Parquet as the kind `labels` reads them, also of Label Studio,
    /// COCO and `FiftyOne`
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// The classes, as far as they are known; more can be named on the page
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// The pretrained network: a name of `scarce data list`, a folder or an ONNX file; `none` goes
    /// without [default: the first that is found in the data folders]
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) encoder: Option<String>,
    /// The pipeline; written if it is not there [default: FOLDER.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) pipeline: Option<PathBuf>,
    /// The journal of all decisions; made if it is not there [default: beside the pipeline,
    /// `NAME.labels.jsonl`]
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// The port of the page, on this machine only [default: any that is free]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Do not open the page in a browser, only print its address
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Who labels; several people may work on one journal [default: the user's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) annotator: Option<String>,
    /// Whose label counts where annotators disagree: `last`, `first`, `majority`, or an annotator
    #[arg(long, value_name = "RULE", default_value = "last")]
    pub(crate) who_wins: String,
}

/// A length of time such as `12h`.
fn time(text: &str) -> Result<Duration, String> {
    scarce_pipeline::time_span(text).ok_or_else(|| "write `90s`, `1h30m` or `2d`".to_owned())
}
