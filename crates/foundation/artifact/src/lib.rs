//! What stages exchange: typed Parquet tables, models, and content digests.
//!
//! This crate is the ground floor. A stage never sees another stage; it sees the tables that others
//! left behind. Each table is a struct of columns ([`Images`], [`Labels`], [`Embeddings`], …) that
//! implements [`Table`]; [`Writer`] streams batches of it into one Parquet file, [`Reader`] streams
//! them back. Facts about all the rows (image shape, class names, metric) are the table's
//! [`Table::Meta`] and travel in the file's key–value metadata.
//!
//! Tables promise more than their types say: ids are unique, probabilities add up to 1, labels are
//! classes. Whoever wrote a table, a [`Reader`] holds it to all that it promises, once, as its rows go
//! by ([`Table::checks`]). Files may come from anywhere: whatever their bytes, reading them ends in
//! rows or in an [`Error`], not in a panic, and takes memory for what they hold, not for what they
//! claim. Checksums of pages are checked where a file has them; the files written here have none, since
//! their [`Digest`] is compared before they enter a stage.
//!
//! Three promises hold for every file written here:
//!
//! * **The same rows give the same bytes.** There is no time stamp, host name or absolute path in a
//!   file, so its [`Digest`] can stand for its content.
//! * **No NaN, no infinity, no silent null.** A writer refuses them and a reader names file, column
//!   and row.
//! * **Any Parquet reader opens them.** Vectors are `FixedSizeList<Float32, D>` (images
//!   `FixedSizeList<UInt8, H·W·C>`), everything else is a plain column.
//!
//! ```
//! use scarce_artifact::{Classes, Reader, Table, Truth, Writer};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("truth.parquet");
//! let meta = Classes::new(["cat", "dog"]);
//! let mut writer = Writer::<Truth>::create(&path, meta)?;
//! writer.write(Truth { id: vec![0, 1], label: vec![1, 0] })?;
//! writer.finish()?;
//!
//! let reader = Reader::<Truth>::open(&path)?;
//! assert_eq!(reader.meta().classes, ["cat", "dog"]);
//! assert_eq!(reader.read()?.label, [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batches;
mod cache_tag;
mod column;
mod digest;
mod error;
mod features;
mod footer;
mod guard;
mod members;
mod meta;
mod model;
mod pages;
mod parquet;
mod points;
mod promises;
mod reader;
mod table;
mod tables;
mod threads;
mod thrift;
mod writer;

#[cfg(test)]
mod tests;

pub use batches::Batches;
pub use cache_tag::{CACHE_TAG, is_cache, mark_as_cache};
pub use column::{Column, Vectors};
pub use digest::{Digest, digest_bytes, digest_file};
pub use error::{Error, Result};
pub use features::{Labelled, batch_rows};
pub use guard::contained;
pub use members::HasSplit;
pub use meta::{
    CentroidsMeta, Classes, EmbeddingsMeta, Empty, Facts, GraphMeta, ImagesMeta, Metric, Shape,
};
pub use model::{Model, ModelCard, Tensor};
pub use parquet::{ParquetFile, RecordBatches, open_parquet};
pub use points::Points;
pub use promises::Checks;
pub use reader::Reader;
pub use table::{About, AboutColumn, BATCH_ROWS, Table};
pub use tables::{
    Centroids, Clusters, Distributions, Edges, Embeddings, History, Images, LabelSource, Labels,
    Nodes, Predictions, Queries, Reconstructions, Split, Truth, check_table, tables,
};
pub use writer::{RawWriter, Writer};
