//! What can be wrong with a file of this crate.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A table, model or digest that could not be read or written. Every variant names the file.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    #[diagnostic(
        code(artifact::io),
        help(
            "check that the path exists and that you may use it; if the disk is full, free some space and run again"
        )
    )]
    Io(#[from] std::io::Error),

    /// Not a Parquet file, or a damaged one.
    #[error("cannot read `{path}` as Parquet: {message}")]
    #[diagnostic(
        code(artifact::parquet),
        help("the file is damaged or not Parquet; write it again")
    )]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the Parquet reader says.
        message: String,
    },

    /// The Parquet writer failed.
    #[error("cannot write `{path}`: {message}")]
    #[diagnostic(code(artifact::write), help("if the disk is full, free some space and run again"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the Parquet writer says.
        message: String,
    },

    /// A readable Parquet file that is another table, or lacks a column.
    #[error("`{path}` is not a table of `{table}`: {message}")]
    #[diagnostic(code(artifact::schema))]
    Schema {
        /// The file.
        path: PathBuf,
        /// The table that was expected.
        table: &'static str,
        /// What differs.
        message: String,
    },

    /// A value that no table may hold, or that breaks a promise of its table.
    #[error("`{path}`, row {row}, column `{column}`: {message}")]
    #[diagnostic(
        code(artifact::value),
        help(
            "every table keeps what its columns promise; a table that does not is a mistake of the program that wrote it"
        )
    )]
    Value {
        /// The file.
        path: PathBuf,
        /// Zero-based row in the file.
        row: usize,
        /// The column.
        column: String,
        /// What is wrong with the value.
        message: String,
    },

    /// Labels and embeddings that have no image in common that may be learnt from.
    #[error(
        "none of the {labelled} labels in `{labels}` is of an image in `{features}` that may be learnt from ({test} are of test images)"
    )]
    #[diagnostic(
        code(artifact::no_labelled),
        help(
            "wire labels and features that come from the same images, and label some that are not in the test split"
        )
    )]
    NoLabelled {
        /// The embeddings.
        features: PathBuf,
        /// The labels.
        labels: PathBuf,
        /// How many labels there are.
        labelled: usize,
        /// How many of them are of test images.
        test: usize,
    },

    /// Weights that no model may hold.
    #[error("the weight `{weight}` holds a number that is not finite; `{path}` is not written")]
    #[diagnostic(
        code(artifact::not_finite),
        help(
            "what was learnt overflowed: look for numbers of enormous size in what it was fitted on, \
             scale them down, or lower the step size of the training"
        )
    )]
    NotFinite {
        /// The model.
        path: PathBuf,
        /// The weight.
        weight: String,
    },

    /// A model file that cannot be used.
    #[error("cannot use the model `{path}`: {message}")]
    #[diagnostic(
        code(artifact::model),
        help("train the model again, or point to a model that this version wrote")
    )]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}
