//! Reading tables: checked on opening, streamed batch by batch.

use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatchReader;
use fs_err::File;
use parquet::{
    arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    file::metadata::{KeyValue, ParquetMetaData},
};

use crate::{BATCH_ROWS, Error, Result, Table};

/// A table on disk, opened and checked but not yet read.
pub struct Reader<T: Table> {
    path: PathBuf,
    meta: T::Meta,
    rows: usize,
}

impl<T: Table> Reader<T> {
    /// Opens a file and checks that it is this table.
    ///
    /// # Errors
    /// [`Error::Parquet`] for a damaged file, [`Error::Schema`] for another table or version.
    pub fn open(path: &Path) -> Result<Self> {
        let builder = open_parquet(path)?;
        let file = builder.metadata().file_metadata();
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
        Ok(Self { path: path.to_owned(), meta, rows })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says of all its rows.
    pub fn meta(&self) -> &T::Meta {
        &self.meta
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Streams the table from the start, `rows` rows at a time.
    ///
    /// # Errors
    /// When the file cannot be opened again.
    pub fn batches(&self, rows: usize) -> Result<Batches<T>> {
        let inner = open_parquet(&self.path)?
            .with_batch_size(rows.max(1))
            .build()
            .map_err(|error| parquet_error(&self.path, &error))?;
        Ok(Batches { path: self.path.clone(), inner, row: 0, table: PhantomData })
    }

    /// The whole table in memory.
    ///
    /// # Errors
    /// As each batch.
    pub fn read(&self) -> Result<T> {
        let mut whole = T::default();
        for batch in self.batches(4 * BATCH_ROWS)? {
            whole.append(batch?);
        }
        Ok(whole)
    }
}

/// The batches of one pass over a table.
pub struct Batches<T> {
    path: PathBuf,
    inner: ParquetRecordBatchReader,
    row: usize,
    table: PhantomData<T>,
}

impl<T: Table> Iterator for Batches<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let names: Vec<String> =
            self.inner.schema().fields().iter().map(|field| field.name().clone()).collect();
        let batch = match self.inner.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(parquet_error(&self.path, &error))),
        };
        let first_row = self.row;
        self.row += batch.num_rows();
        let (_, columns, _) = batch.into_parts();
        let columns = names.into_iter().zip(columns).collect();
        Some(T::from_arrays(columns, &self.path, first_row))
    }
}

/// Opens a Parquet file of any schema, not only of this crate's tables, and refuses a footer that
/// promises more than the file holds.
///
/// # Errors
/// [`Error::Parquet`] for a damaged file.
pub fn open_parquet(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<std::fs::File>> {
    let (file, _) = File::open(path)?.into_parts();
    let length = file.metadata()?.len();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| parquet_error(path, &error))?;
    refuse_lies(path, builder.metadata(), length)?;
    Ok(builder)
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
