//! Writing tables: one Parquet file, batch by batch, the same bytes for the same rows.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, cast::AsArray},
    compute::concat_batches,
    datatypes::{DataType, Field, Float32Type, Float64Type, Schema},
};
use fs_err::File;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{
            ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
        },
    },
    basic::{Compression, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::ColumnPath,
};

use crate::{
    BATCH_ROWS, Error, Result, Table,
    column::first_invalid,
    threads::{at_once, side_by_side},
};

/// Rows of a row group: the unit that readers skip and threads share.
const ROW_GROUP_ROWS: usize = 16_384;
/// Fewer rows when rows are wide: several row groups are held in memory until they are encoded.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Writes record batches of any schema with the house's settings and metadata.
///
/// For tables whose columns are known only at run time (metrics); everything else uses [`Writer`].
pub struct RawWriter {
    path: PathBuf,
    schema: Arc<Schema>,
    file: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    /// Rows of every row group but the last.
    group_rows: usize,
    /// Row groups that have been written.
    groups: usize,
    /// Rows that wait for their row group to be whole.
    waiting: VecDeque<RecordBatch>,
    waiting_rows: usize,
}

impl RawWriter {
    /// A new file. `meta` must serialise to a JSON object; each key becomes `scarce.<key>`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create<M: serde::Serialize>(
        path: &Path,
        table: &str,
        version: u32,
        schema: Schema,
        meta: &M,
    ) -> Result<Self> {
        let schema = Arc::new(schema);
        let properties = properties(&schema, key_values(table, version, meta));
        let (file, factory) =
            ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties))
                .and_then(ArrowWriter::into_serialized_writer)
                .map_err(|error| write_error(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            group_rows: group_rows(&schema),
            schema,
            file,
            factory,
            groups: 0,
            waiting: VecDeque::new(),
            waiting_rows: 0,
        })
    }

    /// Adds rows, one array per field of the schema.
    ///
    /// # Errors
    /// When the arrays do not fit the schema or the disk refuses.
    pub fn write(&mut self, arrays: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| write_error(&self.path, &error))?;
        self.waiting_rows += batch.num_rows();
        self.waiting.push_back(batch);
        let whole = self.waiting_rows / self.group_rows;
        // One group alone waits for another beside which it can be encoded.
        if whole > 1 {
            let at_once = at_once(whole);
            for _ in 0..whole / at_once {
                self.write_groups(at_once)?;
            }
        }
        Ok(())
    }

    /// Writes the footer and waits until the bytes are on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<()> {
        self.write_groups(self.waiting_rows.div_ceil(self.group_rows))?;
        let file = self.file.into_inner().map_err(|error| write_error(&self.path, &error))?;
        file.sync_all()?;
        Ok(())
    }

    /// Encodes the next row groups side by side and appends them in order.
    fn write_groups(&mut self, count: usize) -> Result<()> {
        let work: Vec<(usize, Vec<RecordBatch>)> =
            (0..count).map(|ahead| (self.groups + ahead, self.take_group())).collect();
        let encode = |(index, parts): (usize, Vec<RecordBatch>)| {
            let whole = concat_batches(&self.schema, &parts)?;
            encode(&whole, self.factory.create_column_writers(index)?)
        };
        let encoded: parquet::errors::Result<Vec<Vec<ArrowColumnChunk>>> =
            side_by_side(work, encode).into_iter().collect();
        self.groups += count;
        encoded
            .and_then(|groups| {
                for columns in groups {
                    let mut group = self.file.next_row_group()?;
                    for column in columns {
                        column.append_to_row_group(&mut group)?;
                    }
                    group.close()?;
                }
                Ok(())
            })
            .map_err(|error| write_error(&self.path, &error))
    }

    /// The rows of the next row group, in the parts in which they came.
    fn take_group(&mut self) -> Vec<RecordBatch> {
        let (mut parts, mut missing) = (Vec::new(), self.group_rows);
        while missing > 0
            && let Some(batch) = self.waiting.pop_front()
        {
            let rows = batch.num_rows().min(missing);
            if rows < batch.num_rows() {
                self.waiting.push_front(batch.slice(rows, batch.num_rows() - rows));
            }
            parts.push(batch.slice(0, rows));
            missing -= rows;
            self.waiting_rows -= rows;
        }
        parts
    }
}

/// A row group as its columns have it in the file. Pages end where a row group's own rows say, not
/// where batches came to an end.
fn encode(
    rows: &RecordBatch,
    writers: Vec<ArrowColumnWriter>,
) -> parquet::errors::Result<Vec<ArrowColumnChunk>> {
    let mut writers = writers.into_iter();
    let mut chunks = Vec::with_capacity(writers.len());
    for (field, array) in rows.schema().fields().iter().zip(rows.columns()) {
        // A column of one leaf, or of several when a schema nests.
        for (leaf, mut writer) in compute_leaves(field, array)?.iter().zip(writers.by_ref()) {
            writer.write(leaf)?;
            chunks.push(writer.close()?);
        }
    }
    Ok(chunks)
}

/// Writes one typed table.
pub struct Writer<T: Table> {
    path: PathBuf,
    meta: T::Meta,
    // Opened by the first batch, whose vectors fix the widths.
    inner: Option<RawWriter>,
    rows: usize,
    /// Facts that come up while rows are written.
    facts: Vec<KeyValue>,
}

impl<T: Table> Writer<T> {
    /// A writer of a new file at `path`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, meta: T::Meta) -> Result<Self> {
        // Fail now rather than after an hour of computing.
        File::create(path)?;
        Ok(Self { path: path.to_owned(), meta, inner: None, rows: 0, facts: Vec::new() })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// When columns differ in length, a number is not finite, or the disk refuses.
    pub fn write(&mut self, batch: T) -> Result<()> {
        let rows = batch.rows(&self.path)?;
        let fields = batch.fields();
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let arrays = batch.into_arrays();
        self.refuse_non_finite(&names, &arrays)?;
        let writer = match &mut self.inner {
            Some(writer) => writer,
            slot => slot.insert(RawWriter::create(
                &self.path,
                T::NAME,
                T::VERSION,
                Schema::new(fields),
                &self.meta,
            )?),
        };
        self.rows += rows;
        writer.write(arrays)
    }

    /// Sets a field of the metadata that is known only after rows were written. It must have been
    /// left out of the metadata that the writer was created with.
    pub fn add_meta(&mut self, field: &str, value: &serde_json::Value) {
        self.facts.push(KeyValue::new(format!("scarce.{field}"), value.to_string()));
    }

    /// Writes the footer, syncs, and returns the number of rows. A table may be empty unless it has
    /// vectors, whose width nobody would know.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<usize> {
        if self.inner.is_none() {
            let empty = T::default();
            let vectors = empty.fields().iter().any(|field| width(field.data_type()) == Some(0));
            if vectors {
                return Err(Error::Write {
                    path: self.path,
                    message: format!("a table of `{}` needs at least one row", T::NAME),
                });
            }
            self.write(empty)?;
        }
        if let Some(mut writer) = self.inner {
            for fact in self.facts {
                writer.file.append_key_value_metadata(fact);
            }
            writer.finish()?;
        }
        Ok(self.rows)
    }

    /// Convenience: a whole table that is already in memory.
    ///
    /// # Errors
    /// As [`Writer::write`] and [`Writer::finish`].
    pub fn write_all(path: &Path, meta: T::Meta, table: T) -> Result<usize> {
        let mut writer = Self::create(path, meta)?;
        writer.write(table)?;
        writer.finish()
    }

    fn refuse_non_finite(&self, names: &[String], arrays: &[ArrayRef]) -> Result<()> {
        for (name, array) in names.iter().zip(arrays) {
            if let Some(row) = first_non_finite(array) {
                return Err(Error::Value {
                    path: self.path.clone(),
                    row: self.rows + row,
                    column: name.clone(),
                    message: "refused to write a number that is not finite".to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn width(kind: &DataType) -> Option<i32> {
    match kind {
        DataType::FixedSizeList(_, width) => Some(*width),
        _ => None,
    }
}

/// The first row that holds a NaN or an infinity.
fn first_non_finite(array: &ArrayRef) -> Option<usize> {
    match array.data_type() {
        DataType::FixedSizeList(_, width) => {
            let at = first_non_finite(array.as_fixed_size_list().values())?;
            Some(at / usize::try_from(*width).unwrap_or(1).max(1))
        }
        DataType::Float32 => first_invalid(array.as_primitive::<Float32Type>().values()),
        DataType::Float64 => first_invalid(array.as_primitive::<Float64Type>().values()),
        _ => None,
    }
}

fn write_error(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::Write { path: path.to_owned(), message: error.to_string() }
}

fn key_values<M: serde::Serialize>(table: &str, version: u32, meta: &M) -> Vec<KeyValue> {
    let mut pairs = vec![
        KeyValue::new("scarce.table".to_owned(), table.to_owned()),
        KeyValue::new("scarce.version".to_owned(), version.to_string()),
    ];
    // A JSON object's keys are sorted, so that the bytes do not depend on field order.
    if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(meta) {
        pairs.extend(
            fields.iter().map(|(k, v)| KeyValue::new(format!("scarce.{k}"), v.to_string())),
        );
    }
    pairs
}

/// Rows of a row group: by the width of a row alone, so that the bytes do not depend on batches.
fn group_rows(schema: &Schema) -> usize {
    let row_bytes = |field: &Arc<Field>| match field.data_type() {
        DataType::FixedSizeList(item, width) => {
            let item = item.data_type().primitive_width().unwrap_or(8);
            usize::try_from(*width).unwrap_or(0).saturating_mul(item)
        }
        _ => 8,
    };
    let row: usize = schema.fields().iter().map(row_bytes).sum();
    let rows = (ROW_GROUP_BYTES / row.max(1)).clamp(1, ROW_GROUP_ROWS);
    // Whole batches of those who stream them.
    if rows > BATCH_ROWS { rows - rows % BATCH_ROWS } else { rows }
}

fn properties(schema: &Schema, metadata: Vec<KeyValue>) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by("scarce".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(group_rows(schema)))
        .set_key_value_metadata(Some(metadata));
    for field in schema.fields() {
        // Numbers hardly repeat: a dictionary only costs time. Words do.
        if !matches!(field.data_type(), DataType::Utf8) {
            let mut path = vec![field.name().clone()];
            if width(field.data_type()).is_some() {
                path.extend(["list".to_owned(), "item".to_owned()]);
                // Nobody asks which numbers of a vector lie between two others.
                let path = ColumnPath::new(path.clone());
                builder = builder.set_column_statistics_enabled(path, EnabledStatistics::None);
            }
            let path = ColumnPath::new(path);
            builder = builder.set_column_dictionary_enabled(path, false);
        }
    }
    builder.build()
}
