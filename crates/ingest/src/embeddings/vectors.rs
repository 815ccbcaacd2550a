//! A Parquet column of vectors, in the forms that libraries write.

use arrow::{
    array::{Array, ArrayRef, Float32Array, cast::AsArray},
    datatypes::DataType,
};

use super::MAX_WIDTH;
use crate::{Error, Result, columns::Batch};

/// The vectors of a batch, all of one length.
pub(crate) struct VectorColumn<'a> {
    batch: &'a Batch<'a>,
    name: &'a str,
    rows: ArrayRef,
    values: Float32Array,
    /// Where each row starts and ends in `values`.
    ranges: Vec<(usize, usize)>,
}

impl<'a> VectorColumn<'a> {
    /// Looks at the type of the column and widens or narrows its numbers to `f32`.
    pub(crate) fn new(batch: &'a Batch<'a>, name: &'a str) -> Result<Self> {
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

    /// A row, checked: present, of the same length as the others (`width`), every number finite.
    pub(crate) fn row(&self, row: usize, width: &mut Option<usize>) -> Result<&[f32]> {
        let wrong =
            |message: String, help: &str| Err(self.batch.wrong(self.name, row, message, help));
        let (start, end) = self.ranges[row];
        if self.rows.is_null(row) {
            return wrong("the vector is missing".to_owned(), "leave such rows out of the file");
        }
        let expected = *width.get_or_insert(end - start);
        if end - start != expected || expected == 0 || expected > MAX_WIDTH {
            let message = format!("the vector has {} numbers, the first {expected}", end - start);
            let help = format!("all vectors need one length, from 1 to {MAX_WIDTH}");
            return wrong(message, &help);
        }
        let missing = |at: &usize| self.values.is_null(*at) || !self.values.value(*at).is_finite();
        match (start..end).find(missing) {
            None => Ok(&self.values.values()[start..end]),
            Some(at) => wrong(
                format!("element {} is not a finite number", at - start),
                "remove such rows, or find out why the model gives them",
            ),
        }
    }
}
