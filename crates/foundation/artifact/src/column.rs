//! Column types: what a `Vec` of something looks like as an Arrow array, and back.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, FixedSizeListArray, PrimitiveArray, StringArray,
        cast::AsArray,
    },
    datatypes::{
        ArrowNativeType, ArrowPrimitiveType, DataType, Field, Float32Type, Float64Type, Int32Type,
        UInt8Type, UInt32Type,
    },
};
use rayon::prelude::*;

use crate::{Error, Result};

/// Where a column is being read, for error messages.
pub struct Place<'a> {
    pub(crate) path: &'a Path,
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) first_row: usize,
}

impl Place<'_> {
    fn schema(&self, message: String) -> Error {
        Error::Schema { path: self.path.to_owned(), table: self.table, message }
    }

    pub(crate) fn value(&self, row: usize, message: impl Into<String>) -> Error {
        Error::Value {
            path: self.path.to_owned(),
            row: self.first_row + row,
            column: self.column.to_owned(),
            message: message.into(),
        }
    }

    /// The type check every column starts with.
    fn expect(&self, array: &dyn Array, expected: &DataType) -> Result<()> {
        let found = array.data_type();
        if found == expected {
            return Ok(());
        }
        Err(self.schema(format!("column `{}` is {found}, expected {expected}", self.column)))
    }

    fn no_nulls(&self, array: &dyn Array) -> Result<()> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        match nulls.and_then(|nulls| nulls.iter().position(|valid| !valid)) {
            None => Ok(()),
            Some(row) => Err(self.value(row, "the value is missing")),
        }
    }
}

/// A column's values in memory and how they map to Arrow.
pub trait Column: Sized {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Name, type and nullability.
    fn field(&self, name: &str) -> Field;
    /// As an Arrow array; numbers are moved, not copied.
    fn into_array(self) -> ArrayRef;
    /// Back from an Arrow array, checked.
    ///
    /// # Errors
    /// A wrong type, a null where none may be, a number that is not finite.
    fn from_array(array: ArrayRef, place: &Place<'_>) -> Result<Self>;
    /// Adds rows below.
    fn push_rows(&mut self, other: Self);
}

/// Numbers that have an Arrow column type.
pub trait Number: ArrowNativeType + Send + Sync {
    /// The Arrow type.
    type Arrow: ArrowPrimitiveType<Native = Self>;
    /// False for NaN and infinities.
    fn is_valid(self) -> bool {
        true
    }
}

impl Number for u8 {
    type Arrow = UInt8Type;
}
impl Number for u32 {
    type Arrow = UInt32Type;
}
impl Number for i32 {
    type Arrow = Int32Type;
}
impl Number for f32 {
    type Arrow = Float32Type;
    fn is_valid(self) -> bool {
        self.is_finite()
    }
}
impl Number for f64 {
    type Arrow = Float64Type;
    fn is_valid(self) -> bool {
        self.is_finite()
    }
}

/// Numbers that are checked together.
const CHECKED: usize = 1 << 16;

/// The first number that is not valid.
pub(crate) fn first_invalid<T: Number>(values: &[T]) -> Option<usize> {
    // Without a way out of a chunk the compiler can use vector instructions.
    let wrong = |chunk: &[T]| !chunk.iter().fold(true, |valid, value| valid & value.is_valid());
    let chunk =
        if values.len() > CHECKED { values.par_chunks(CHECKED).position_first(wrong)? } else { 0 };
    let start = chunk * CHECKED;
    values[start..].iter().position(|value| !value.is_valid()).map(|at| start + at)
}

/// The numbers of an array; moved when nobody else holds the buffer.
fn numbers<T: Number>(array: ArrayRef, place: &Place<'_>) -> Result<Vec<T>> {
    place.expect(&array, &T::Arrow::DATA_TYPE)?;
    place.no_nulls(&array)?;
    let typed = array.as_primitive::<T::Arrow>().clone();
    drop(array);
    let (_, values, _) = typed.into_parts();
    Ok(Vec::from(values))
}

impl<T: Number> Column for Vec<T> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, T::Arrow::DATA_TYPE, false)
    }

    fn into_array(self) -> ArrayRef {
        Arc::new(PrimitiveArray::<T::Arrow>::new(self.into(), None))
    }

    fn from_array(array: ArrayRef, place: &Place<'_>) -> Result<Self> {
        let values = numbers::<T>(array, place)?;
        match first_invalid(&values) {
            None => Ok(values),
            Some(row) => Err(place.value(row, "the value is not a finite number")),
        }
    }

    fn push_rows(&mut self, other: Self) {
        self.extend(other);
    }
}

impl<T: Number> Column for Vec<Option<T>> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, T::Arrow::DATA_TYPE, true)
    }

    fn into_array(self) -> ArrayRef {
        Arc::new(self.into_iter().collect::<PrimitiveArray<T::Arrow>>())
    }

    fn from_array(array: ArrayRef, place: &Place<'_>) -> Result<Self> {
        place.expect(&array, &T::Arrow::DATA_TYPE)?;
        let values: Vec<Option<T>> = array.as_primitive::<T::Arrow>().iter().collect();
        match values.iter().position(|value| value.is_some_and(|value| !value.is_valid())) {
            None => Ok(values),
            Some(row) => Err(place.value(row, "the value is not a finite number")),
        }
    }

    fn push_rows(&mut self, other: Self) {
        self.extend(other);
    }
}

impl Column for Vec<bool> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, DataType::Boolean, false)
    }

    fn into_array(self) -> ArrayRef {
        Arc::new(BooleanArray::from(self))
    }

    fn from_array(array: ArrayRef, place: &Place<'_>) -> Result<Self> {
        place.expect(&array, &DataType::Boolean)?;
        place.no_nulls(&array)?;
        Ok(array.as_boolean().values().iter().collect())
    }

    fn push_rows(&mut self, other: Self) {
        self.extend(other);
    }
}

/// Words that a column may hold; plain text in the file.
pub(crate) trait Word: Sized {
    fn text(&self) -> &str;
    fn parse(text: &str) -> Option<Self>;
    const CHOICES: &'static str;
}

impl Word for String {
    fn text(&self) -> &str {
        self
    }
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
    const CHOICES: &'static str = "any text";
}

macro_rules! word_column {
    ($kind:ty) => {
        impl $crate::Column for Vec<$kind> {
            fn rows(&self) -> usize {
                self.len()
            }

            fn field(&self, name: &str) -> arrow::datatypes::Field {
                arrow::datatypes::Field::new(name, arrow::datatypes::DataType::Utf8, false)
            }

            fn into_array(self) -> arrow::array::ArrayRef {
                $crate::column::words_into_array(&self)
            }

            fn from_array(
                array: arrow::array::ArrayRef,
                place: &$crate::column::Place<'_>,
            ) -> $crate::Result<Self> {
                $crate::column::words_from_array(&array, place)
            }

            fn push_rows(&mut self, other: Self) {
                self.extend(other);
            }
        }
    };
}
pub(crate) use word_column;
word_column!(String);

pub(crate) fn words_into_array<W: Word>(words: &[W]) -> ArrayRef {
    Arc::new(words.iter().map(|word| Some(word.text())).collect::<StringArray>())
}

pub(crate) fn words_from_array<W: Word>(array: &ArrayRef, place: &Place<'_>) -> Result<Vec<W>> {
    place.expect(array, &DataType::Utf8)?;
    place.no_nulls(array)?;
    let parse = |(row, text): (usize, Option<&str>)| {
        let text = text.unwrap_or_default();
        W::parse(text)
            .ok_or_else(|| place.value(row, format!("`{text}` is not one of {}", W::CHOICES)))
    };
    array.as_string::<i32>().iter().enumerate().map(parse).collect()
}

/// A vector per row, all of one width: `[rows, width]`, row-major.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors<T> {
    /// Numbers in each row.
    pub width: usize,
    /// All rows, one after another.
    pub values: Vec<T>,
}

impl<T: Copy> Vectors<T> {
    /// Vectors of `width` numbers from their concatenation.
    ///
    /// # Panics
    /// When the length is no multiple of the width: a mistake in the calling code.
    pub fn new(width: usize, values: Vec<T>) -> Self {
        assert!(width > 0 && values.len().is_multiple_of(width), "vectors of unequal width");
        Self { width, values }
    }

    /// One vector.
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// All vectors in order.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T: Number> Vectors<T> {
    fn item() -> Arc<Field> {
        Arc::new(Field::new("item", T::Arrow::DATA_TYPE, false))
    }
}

impl<T: Number> Column for Vectors<T> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, DataType::FixedSizeList(Self::item(), self.width as i32), false)
    }

    fn into_array(self) -> ArrayRef {
        let width = self.width as i32;
        let values = PrimitiveArray::<T::Arrow>::new(self.values.into(), None);
        Arc::new(FixedSizeListArray::new(Self::item(), width, Arc::new(values), None))
    }

    fn from_array(array: ArrayRef, place: &Place<'_>) -> Result<Self> {
        let DataType::FixedSizeList(_, width) = array.data_type().clone() else {
            let found = array.data_type();
            let column = place.column;
            return Err(
                place.schema(format!("column `{column}` is {found}, expected FixedSizeList"))
            );
        };
        place.no_nulls(&array)?;
        let width = usize::try_from(width).unwrap_or(0);
        let list = array.as_fixed_size_list().clone();
        drop(array);
        let (_, _, values, _) = list.into_parts();
        let values = numbers::<T>(values, place)?;
        match first_invalid(&values) {
            None => Ok(Self { width, values }),
            Some(at) => {
                let message = format!("element {} is not a finite number", at % width.max(1));
                Err(place.value(at / width.max(1), message))
            }
        }
    }

    fn push_rows(&mut self, other: Self) {
        if self.values.is_empty() {
            *self = other;
        } else {
            self.values.extend(other.values);
        }
    }
}
