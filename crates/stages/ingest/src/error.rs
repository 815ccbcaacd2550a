//! What can be wrong with data that enters.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use scarce_artifact::Shape;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Data that cannot be taken in. Every variant names the file, the line or the parameter.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(
        code(ingest::io),
        help(
            "check that the path exists and that you may use it; a relative path counts from the folder of the TOML file"
        )
    )]
    Io(#[from] std::io::Error),

    /// A Parquet file that cannot be read, or an output that cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] scarce_artifact::Error),

    /// Parameters that do not fit together or do not fit the data.
    #[error("{message}")]
    #[diagnostic(code(ingest::request))]
    Request {
        /// What does not fit.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// The path exists, but is nothing that this crate reads.
    #[error("`{path}` is {found}")]
    #[diagnostic(
        code(ingest::format),
        help(
            "images come from an IDX file (gzip or not), a folder of pictures, or a Parquet file; embeddings from Parquet or `.npy`"
        )
    )]
    Format {
        /// The file or folder.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },

    /// Fewer bytes than the header promises.
    #[error("`{path}` is cut short: its header promises {promised} bytes, it holds {found}")]
    #[diagnostic(code(ingest::truncated), help("copy or download the file again"))]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes, header included, unpacked.
        promised: u64,
        /// Bytes that are there.
        found: u64,
    },

    /// More bytes than the header promises.
    #[error("`{path}` goes on after the {promised} bytes that its header promises")]
    #[diagnostic(
        code(ingest::trailing),
        help("something was appended, or the header is wrong: copy or download the file again")
    )]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes, header included, unpacked.
        promised: u64,
    },

    /// Damaged gzip data.
    #[error("cannot unpack `{path}` beyond byte {offset}: {message}")]
    #[diagnostic(
        code(ingest::gzip),
        help("the file is cut short or damaged: copy or download it again")
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// Unpacked bytes that were fine.
        offset: u64,
        /// What the unpacker says.
        message: String,
    },

    /// Not an IDX or `.npy` file, or one of another type.
    #[error("cannot read the header of `{path}`: {message}")]
    #[diagnostic(code(ingest::header))]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// A folder or table of pictures that cannot be used as a whole.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pictures(#[from] scarce_pictures::Error),

    /// Images that cannot be read.
    #[error("{}", unreadable(*.count, *.of, .list))]
    #[diagnostic(
        code(ingest::image),
        help(
            "repair or remove them, or set `skip_unreadable = true` to go on without them; the other images keep their ids"
        )
    )]
    Images {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
        /// Each with the reason, one a line.
        list: String,
    },

    /// Two images of different shape.
    #[error("`{first}` is {} but `{second}` is {}", shape(*.first_shape), shape(*.second_shape))]
    #[diagnostic(
        code(ingest::mixed_shapes),
        help(
            "give all images one size with `resize = {{ height = …, width = … }}`, and one kind of colour with `channels = \"grey\"` or `channels = \"rgb\"`"
        )
    )]
    MixedShapes {
        /// The first image.
        first: String,
        /// Its shape.
        first_shape: Shape,
        /// The first image that differs.
        second: String,
        /// Its shape.
        second_shape: Shape,
    },

    /// Nothing to take in.
    #[error("there is no {what} in `{path}`")]
    #[diagnostic(code(ingest::empty))]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// The way out.
        #[help]
        help: String,
    },

    /// A Parquet column that is missing or of the wrong type.
    #[error("`{path}`, column `{column}`: {message}")]
    #[diagnostic(code(ingest::column))]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// A value that cannot be used.
    #[error("`{path}`, {place}: {message}")]
    #[diagnostic(code(ingest::value))]
    Value {
        /// The file.
        path: PathBuf,
        /// Row and element, or line.
        place: String,
        /// What is wrong.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },

    /// As many labels as images are needed.
    #[error("`{images}` holds {image_count} rows, `{labels}` {label_count} labels")]
    #[diagnostic(code(ingest::counts), help("the two files do not belong together"))]
    Counts {
        /// The images or embeddings.
        images: PathBuf,
        /// Rows in it.
        image_count: usize,
        /// The labels.
        labels: PathBuf,
        /// Labels in it.
        label_count: usize,
    },

    /// A file of a known data set with other content.
    #[error("`{path}` is not the {file}: the MD5 of its bytes is {found}, expected {expected}")]
    #[diagnostic(code(ingest::checksum))]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What it should be: a file of a data set.
        file: String,
        /// MD5 of the unpacked bytes.
        found: String,
        /// MD5 that is published.
        expected: &'static str,
        /// The way out.
        #[help]
        help: String,
    },

    /// Every address failed.
    #[error("cannot download `{file}`: {message}")]
    #[diagnostic(code(ingest::download))]
    Download {
        /// Name of the file in the data set.
        file: String,
        /// What each address said.
        message: String,
        /// How to do it by hand.
        #[help]
        help: String,
    },

    /// Fewer images than are asked for.
    #[error("{message}")]
    #[diagnostic(code(ingest::too_few))]
    TooFew {
        /// What is asked for and what there is.
        message: String,
        /// The way out.
        #[help]
        help: String,
    },
}

impl Error {
    pub(crate) fn request(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Request { message: message.into(), help: help.into() }
    }

    pub(crate) fn header(path: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Header { path: path.to_owned(), message: message.into(), help: help.into() }
    }

    pub(crate) fn column(
        path: &Path,
        column: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            message: message.into(),
            help: help.into(),
        }
    }

    pub(crate) fn value(
        path: &Path,
        place: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Value {
            path: path.to_owned(),
            place: place.into(),
            message: message.into(),
            help: help.into(),
        }
    }
}

/// `28 × 28 grey`.
fn shape(shape: Shape) -> String {
    let colour = match shape.channels {
        1 => "grey".to_owned(),
        3 => "rgb".to_owned(),
        n => format!("of {n} channels"),
    };
    format!("{} × {} {colour}", shape.height, shape.width)
}

/// `2 of 300 images cannot be read:` and their list, which is a line of its own if there are several.
pub(crate) fn unreadable(count: usize, of: usize, list: &str) -> String {
    let them = if of == 1 { "image" } else { "images" };
    let list = if count == 1 { format!(" {}", list.trim()) } else { format!("\n{list}") };
    format!("{count} of {of} {them} cannot be read:{list}")
}
