//! A Parquet column of vectors, in the forms that libraries write.

use arrow::{
    array::{Array, ArrayRef, Float32Array, cast::AsArray},
    datatypes::DataType,
};

use super::{MAX_WIDTH, flaws::Flaw};
use crate::{Error, Result, columns::Batch};

/// The vectors of a batch, all of one length.
pub(super) struct VectorColumn<'a> {
    batch: &'a Batch<'a>,
    name: &'a str,
    rows: ArrayRef,
    values: Float32Array,
    /// Where each row starts and ends in `values`.
    ranges: Vec<(usize, usize)>,
}

impl<'a> VectorColumn<'a> {
    /// Looks at the type of the column and widens or narrows its numbers to `f32`.
    pub(super) fn new(batch: &'a Batch<'a>, name: &'a str) -> Result<Self> {
        let rows = batch.array(name)?;
        let (values, ranges) = match rows.data_type() {
            DataType::List(_) => {
                let list = rows.as_list::<i32>();
                let ends = list.value_offsets();
                (list.values(), ends.windows(2).map(|w| (w[0] as usize, w[1] as usize)).collect())
            }
            DataType::LargeList(_) => {
                let list = rows.as_list::<i64>();
                let ends = list.value_offsets();
                (list.values(), ends.windows(2).map(|w| (w[0] as usize, w[1] as usize)).collect())
            }
            DataType::FixedSizeList(_, width) => {
                let (list, width) = (rows.as_fixed_size_list(), *width as usize);
                let start = |row| list.value_offset_at(row);
                let range = |row| (start(row), start(row) + width);
                (list.values(), (0..list.len()).map(range).collect::<Vec<_>>())
            }
            found => return Err(Self::wrong_type(batch, name, found)),
        };
        if !values.data_type().is_floating() {
            return Err(Self::wrong_type(batch, name, rows.data_type()));
        }
        let values = batch.cast(name, values, &DataType::Float32)?;
        let values = values.as_primitive().clone();
        Ok(Self { batch, name, rows, values, ranges })
    }

    fn wrong_type(batch: &Batch<'_>, name: &str, found: &DataType) -> Error {
        let help = "vectors are lists of 16, 32 or 64-bit floating-point numbers";
        Error::column(batch.path(), name, format!("it is {found}"), help)
    }

    /// A row, which must have the length of the others (`width`), or what is wrong with it.
    pub(super) fn row(
        &self,
        row: usize,
        width: &mut Option<usize>,
    ) -> Result<Result<&[f32], Flaw>> {
        let (start, end) = self.ranges[row];
        if self.rows.is_null(row) {
            return Ok(Err(Flaw::Missing));
        }
        let expected = *width.get_or_insert(end - start);
        if end - start != expected || expected == 0 || expected > MAX_WIDTH {
            let message = format!("the vector has {} numbers, the first {expected}", end - start);
            let help = format!("all vectors need one length, from 1 to {MAX_WIDTH}");
            return Err(self.batch.wrong(self.name, row, message, &help));
        }
        if self.values.null_count() > 0
            && let Some(at) = (start..end).find(|&at| self.values.is_null(at))
        {
            return Ok(Err(Flaw::Null(at - start)));
        }
        let vector = &self.values.values()[start..end];
        Ok(Flaw::of(vector).map_or(Ok(vector), Err))
    }
}
