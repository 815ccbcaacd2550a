//! Streaming rows: several row groups are decoded at a time, and come in the order of the file.

use std::{collections::VecDeque, ops::Range, path::PathBuf, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, RecordBatchReader},
    compute::concat_batches,
    datatypes::{DataType, Schema},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
        },
    },
    file::metadata::{ParquetMetaData, RowGroupMetaData},
};

use crate::{
    Result, Table, pages,
    reader::parquet_error,
    threads::{at_once, side_by_side},
};

/// A larger row group, which this crate does not write, is streamed rather than decoded whole.
const LARGE_GROUP: i64 = 64 << 20;
/// Arrow takes memory for so many rows at a time at most, however many a footer promises.
const BELIEVED_ROWS: usize = 1 << 16;

/// Named columns, as Arrow has them.
type Columns = Vec<(String, ArrayRef)>;

/// A Parquet file whose footer has been read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) footer: ArrowReaderMetadata,
}

impl Source {
    fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.footer.metadata()
    }

    fn groups(&self) -> usize {
        self.metadata().num_row_groups()
    }

    fn rows(&self, groups: Range<usize>) -> usize {
        let rows = |group: &RowGroupMetaData| usize::try_from(group.num_rows()).unwrap_or(0);
        self.metadata().row_groups()[groups].iter().map(rows).sum()
    }

    /// A reader of some row groups and columns, `rows` rows at a time.
    fn reader(
        &self,
        groups: Range<usize>,
        columns: ProjectionMask,
        rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let (file, _) = fs_err::File::open(&self.path)?.into_parts();
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone())
            .with_row_groups(groups.collect())
            .with_projection(columns)
            .with_batch_size(rows.max(1))
            .build()
            .map_err(|error| parquet_error(&self.path, &error))
    }

    /// The columns of vectors: place among the columns, first leaf.
    fn vector_columns(&self) -> Vec<(usize, usize)> {
        let roots: Vec<usize> = {
            let schema = self.metadata().file_metadata().schema_descr();
            (0..schema.num_columns()).map(|leaf| schema.get_column_root_idx(leaf)).collect()
        };
        let fields = self.footer.schema().fields().iter().enumerate();
        fields
            .filter(|(_, field)| matches!(field.data_type(), DataType::FixedSizeList(..)))
            .filter_map(|(at, _)| Some((at, roots.iter().position(|&root| root == at)?)))
            .collect()
    }

    /// Some row groups, whole. Vectors come straight from the pages where that is possible.
    fn decode(&self, groups: Range<usize>) -> Result<Columns> {
        let schema = self.footer.schema();
        let mut columns: Columns = Vec::with_capacity(schema.fields().len());
        let mut others: Vec<usize> = (0..schema.fields().len()).collect();
        for (at, leaf) in self.vector_columns() {
            let field = schema.field(at);
            let kind = field.data_type();
            let found = pages::vectors(&self.path, self.metadata(), leaf, kind, groups.clone());
            if let Some(array) = found.filter(|_| !field.is_nullable()) {
                columns.push((field.name().clone(), array));
                others.retain(|&other| other != at);
            }
        }
        let mask = ProjectionMask::roots(self.metadata().file_metadata().schema_descr(), others);
        let rows = self.rows(groups.clone()).min(BELIEVED_ROWS);
        let reader = self.reader(groups, mask, rows)?;
        let schema = reader.schema();
        let batches: std::result::Result<Vec<_>, _> = reader.collect();
        let batch = batches.and_then(|batches| match <[_; 1]>::try_from(batches) {
            Ok([batch]) => Ok(batch),
            Err(batches) => concat_batches(&schema, &batches),
        });
        let (schema, arrays, _) =
            batch.map_err(|error| parquet_error(&self.path, &error))?.into_parts();
        columns.extend(named(&schema, arrays));
        Ok(columns)
    }

    /// The batches of one row group, whose first row is row `first` of the file.
    fn decode_group<T: Table>(&self, group: usize, first: usize, rows: usize) -> Vec<Result<T>> {
        let columns = match self.decode(group..group + 1) {
            Ok(columns) => columns,
            Err(error) => return vec![Err(error)],
        };
        let all = columns.first().map_or(0, |(_, array)| array.len());
        if all <= rows {
            return vec![T::from_arrays(columns, &self.path, first)];
        }
        let batch = |start| {
            let length = rows.min(all - start);
            let part =
                |(name, array): &(String, ArrayRef)| (name.clone(), array.slice(start, length));
            T::from_arrays(columns.iter().map(part).collect(), &self.path, first + start)
        };
        (0..all).step_by(rows).map(batch).collect()
    }

    /// The whole table.
    pub(crate) fn whole<T: Table>(self) -> Result<T> {
        if !self.vector_columns().is_empty() {
            return T::from_arrays(self.decode(0..self.groups())?, &self.path, 0);
        }
        let mut whole = T::default();
        for batch in Batches::new(self, usize::MAX) {
            whole.append(batch?);
        }
        Ok(whole)
    }
}

/// The batches of one pass over a table.
pub struct Batches<T> {
    source: Source,
    /// Most rows of a batch.
    rows: usize,
    /// The row groups that have not been begun.
    groups: Range<usize>,
    /// What is left of a large row group.
    large: Option<ParquetRecordBatchReader>,
    ready: VecDeque<Result<T>>,
    /// The first row that has not been decoded.
    row: usize,
}

impl<T: Table> Batches<T> {
    /// At most `rows` rows at a time, never of two row groups.
    pub(crate) fn new(source: Source, rows: usize) -> Self {
        let groups = 0..source.groups();
        Self { source, rows: rows.max(1), groups, large: None, ready: VecDeque::new(), row: 0 }
    }

    /// The next row groups that are small enough, decoded side by side.
    fn decode_ahead(&mut self) {
        let small = |group: &usize| {
            self.source.metadata().row_group(*group).total_byte_size() <= LARGE_GROUP
        };
        let at_once = at_once(self.groups.len());
        let next: Vec<usize> = self.groups.clone().take(at_once).take_while(small).collect();
        let Some(&last) = next.last() else { return };
        let mut row = self.row;
        let work: Vec<(usize, usize)> = next
            .into_iter()
            .map(|group| {
                let first = row;
                row += self.source.rows(group..group + 1);
                (group, first)
            })
            .collect();
        let (source, rows) = (&self.source, self.rows);
        let decode = |(group, first)| source.decode_group(group, first, rows);
        self.ready.extend(side_by_side(work, decode).into_iter().flatten());
        self.groups.start = last + 1;
        self.row = row;
    }

    /// The next batch of a large row group.
    fn stream(&mut self) -> Option<Result<T>> {
        let batch = match self.large.as_mut()?.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(parquet_error(&self.source.path, &error))),
        };
        let first = self.row;
        self.row += batch.num_rows();
        let (schema, arrays, _) = batch.into_parts();
        Some(T::from_arrays(named(&schema, arrays).collect(), &self.source.path, first))
    }
}

impl<T: Table> Iterator for Batches<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front().or_else(|| self.stream()) {
                if batch.is_err() {
                    // What follows an error would have a gap before it.
                    (self.groups, self.large) = (0..0, None);
                    self.ready.clear();
                }
                return Some(batch);
            }
            self.large = None;
            if self.groups.is_empty() {
                return None;
            }
            self.decode_ahead();
            if self.ready.is_empty() {
                let group = self.groups.start..self.groups.start + 1;
                self.groups.start += 1;
                let rows = self.rows.min(BELIEVED_ROWS);
                match self.source.reader(group, ProjectionMask::all(), rows) {
                    Ok(reader) => self.large = Some(reader),
                    Err(error) => self.ready.push_back(Err(error)),
                }
            }
        }
    }
}

fn named(schema: &Schema, arrays: Vec<ArrayRef>) -> impl Iterator<Item = (String, ArrayRef)> {
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    names.into_iter().zip(arrays)
}
