//! Streaming rows: several row groups are decoded at a time, and come in the order of the file. What
//! the table promises of its rows is checked as they go by, in the first pass that reaches the end.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef},
    compute::concat_batches,
    datatypes::{DataType, Schema},
};
use parquet::arrow::ProjectionMask;

use crate::{
    Result, Table, footer,
    guard::guarded,
    pages,
    parquet::{BELIEVED_ROWS, RecordBatches, Source},
    promises::Promises,
    reader::parquet_error,
    threads::{at_once, side_by_side},
};

/// A larger row group, which this crate does not write, is streamed rather than decoded whole.
const LARGE_GROUP: i64 = 64 << 20;

/// Named columns, as Arrow has them.
type Columns = Vec<(String, ArrayRef)>;

impl Source {
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
        let all = ProjectionMask::all();
        footer::survey(&self.path, self.metadata(), groups.clone(), &all)?;
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
        let reader = self.stream_surveyed(groups, mask, rows)?;
        let schema = Arc::clone(reader.schema());
        let batches = reader.collect::<Result<Vec<_>>>()?;
        let batch = match <[_; 1]>::try_from(batches) {
            Ok([batch]) => Ok(batch),
            Err(batches) => guarded(&self.path, || concat_batches(&schema, &batches))?,
        };
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

    /// The whole table, but for its promises, and whether they were checked.
    pub(crate) fn whole<T: Table>(&self) -> Result<T> {
        T::from_arrays(self.decode(0..self.groups())?, &self.path, 0)
    }

    /// Whether it has columns of vectors, which are decoded at once better than one by one.
    pub(crate) fn has_vectors(&self) -> bool {
        !self.vector_columns().is_empty()
    }
}

/// The batches of one pass over a table.
pub struct Batches<T: Table> {
    source: Source,
    /// Most rows of a batch.
    rows: usize,
    /// The row groups that have not been begun.
    groups: Range<usize>,
    /// What is left of a large row group.
    large: Option<RecordBatches>,
    ready: VecDeque<Result<T>>,
    /// The first row that has not been decoded.
    row: usize,
    /// What the rows must keep; none once it was seen that they do.
    promises: Option<Promises<T>>,
    /// Where it is said that they do.
    checked: Arc<AtomicBool>,
}

impl<T: Table> Batches<T> {
    /// At most `rows` rows at a time, never of two row groups.
    pub(crate) fn new(
        source: Source,
        rows: usize,
        meta: &T::Meta,
        checked: Arc<AtomicBool>,
    ) -> Self {
        let groups = 0..source.groups();
        let promises = (!checked.load(Ordering::Relaxed)).then(|| Promises::of(&source.path, meta));
        Self {
            source,
            rows: rows.max(1),
            groups,
            large: None,
            ready: VecDeque::new(),
            row: 0,
            promises,
            checked,
        }
    }

    /// The batch, if its rows keep what the table promises.
    fn check(&mut self, batch: T) -> Result<T> {
        if let Some(promises) = &mut self.promises {
            promises.rows(&batch)?;
        }
        Ok(batch)
    }

    /// What only the last row shows.
    fn end(&mut self) -> Option<Result<T>> {
        match self.promises.take()?.end() {
            Ok(()) => {
                self.checked.store(true, Ordering::Relaxed);
                None
            }
            Err(error) => Some(Err(error)),
        }
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
            Err(error) => return Some(Err(error)),
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
                let batch = batch.and_then(|batch| self.check(batch));
                if batch.is_err() {
                    // What follows an error would have a gap before it.
                    (self.groups, self.large, self.promises) = (0..0, None, None);
                    self.ready.clear();
                }
                return Some(batch);
            }
            self.large = None;
            if self.groups.is_empty() {
                return self.end();
            }
            self.decode_ahead();
            if self.ready.is_empty() {
                let group = self.groups.start..self.groups.start + 1;
                self.groups.start += 1;
                let rows = self.rows.min(BELIEVED_ROWS);
                match self.source.stream(group, ProjectionMask::all(), rows) {
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
