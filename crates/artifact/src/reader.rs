//! Reading tables: checked on opening, streamed batch by batch.

use std::path::Path;

use fs_err::File;
use parquet::{
    arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    },
    file::metadata::{KeyValue, ParquetMetaData},
};

use crate::{
    Error, Result, Table,
    batches::{Batches, Source},
};

/// A table on disk, opened and checked but not yet read.
pub struct Reader<T: Table> {
    source: Source,
    meta: T::Meta,
    rows: usize,
}

impl<T: Table> Reader<T> {
    /// Opens a file and checks that it is this table.
    ///
    /// # Errors
    /// [`Error::Parquet`] for a damaged file, [`Error::Schema`] for another table or version.
    pub fn open(path: &Path) -> Result<Self> {
        let (_, footer) = read_footer(path)?;
        let file = footer.metadata().file_metadata();
        let pairs = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let schema_error =
            |message| Error::Schema { path: path.to_owned(), table: T::NAME, message };
        match value(pairs, "scarce.table") {
            Some(name) if name == T::NAME => {}
            Some(name) => return Err(schema_error(format!("it holds `{name}`"))),
            None => {
                return Err(schema_error("its metadata has no `scarce.table`".to_owned()));
            }
        }
        let version = value(pairs, "scarce.version").and_then(|text| text.parse::<u32>().ok());
        if version != Some(T::VERSION) {
            let found = version.map_or("no version".to_owned(), |v| format!("version {v}"));
            return Err(schema_error(format!("it has {found}, expected {}", T::VERSION)));
        }
        let meta = serde_json::from_value(meta_object(pairs))
            .map_err(|error| schema_error(format!("its metadata is wrong: {error}")))?;
        let rows = usize::try_from(file.num_rows()).unwrap_or(0);
        Ok(Self { source: Source { path: path.to_owned(), footer }, meta, rows })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// What the file says of all its rows.
    pub fn meta(&self) -> &T::Meta {
        &self.meta
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The Arrow schema of the file.
    pub(crate) fn schema(&self) -> &arrow::datatypes::Schema {
        self.source.footer.schema()
    }

    /// Streams the table from the start, at most `rows` rows at a time. Batches end where row groups
    /// end; several row groups are decoded at once, each by a thread.
    pub fn batches(&self, rows: usize) -> Batches<T> {
        Batches::new(self.source.clone(), rows)
    }

    /// The whole table in memory.
    ///
    /// # Errors
    /// As each batch.
    pub fn read(&self) -> Result<T> {
        self.source.clone().whole()
    }
}

/// Opens a Parquet file of any schema, not only of this crate's tables, and refuses a footer that
/// promises more than the file holds.
///
/// # Errors
/// [`Error::Parquet`] for a damaged file.
pub fn open_parquet(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<std::fs::File>> {
    let (file, footer) = read_footer(path)?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer))
}

fn read_footer(path: &Path) -> Result<(std::fs::File, ArrowReaderMetadata)> {
    let (file, _) = File::open(path)?.into_parts();
    let length = file.metadata()?.len();
    let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())
        .map_err(|error| parquet_error(path, &error))?;
    refuse_lies(path, footer.metadata(), length)?;
    Ok((file, footer))
}

/// A footer that promises more than the file holds is refused before anything is allocated for it.
fn refuse_lies(path: &Path, metadata: &ParquetMetaData, length: u64) -> Result<()> {
    let lie = |message: String| Error::Parquet { path: path.to_owned(), message };
    let mut rows = 0_i64;
    for group in metadata.row_groups() {
        rows = rows.saturating_add(group.num_rows().max(0));
        for column in group.columns() {
            let (start, size) = column.byte_range();
            if start.saturating_add(size) > length {
                let name = column.column_path().string();
                let end = start.saturating_add(size);
                return Err(lie(format!(
                    "column `{name}` is said to end at byte {end}, the file has {length}"
                )));
            }
        }
    }
    let promised = metadata.file_metadata().num_rows();
    if promised != rows {
        return Err(lie(format!("the footer promises {promised} rows, its row groups {rows}")));
    }
    Ok(())
}

pub(crate) fn parquet_error(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::Parquet { path: path.to_owned(), message: error.to_string() }
}

fn value<'a>(pairs: &'a [KeyValue], key: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// The `scarce.*` pairs as one JSON object.
fn meta_object(pairs: &[KeyValue]) -> serde_json::Value {
    let field = |pair: &KeyValue| {
        let key = pair.key.strip_prefix("scarce.")?;
        let value = serde_json::from_str(pair.value.as_deref()?).ok()?;
        (!matches!(key, "table" | "version")).then(|| (key.to_owned(), value))
    };
    serde_json::Value::Object(pairs.iter().filter_map(field).collect())
}
