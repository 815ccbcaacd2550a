//! Columns of Parquet files that others wrote, in the few forms that we need.

use std::path::Path;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, cast::AsArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReader};
use scarce_artifact::{Split, open_parquet};

use crate::{Error, Result};

/// First bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// A Parquet file and the columns of it that are read.
pub(crate) struct Table<'a> {
    path: &'a Path,
    names: Vec<String>,
}

/// A batch of a [`Table`].
pub(crate) struct Batch<'a> {
    path: &'a Path,
    /// Row of the file where the batch starts.
    pub(crate) first_row: usize,
    columns: RecordBatch,
}

impl<'a> Table<'a> {
    /// Opens a file and looks at its column names.
    pub(crate) fn open(path: &'a Path) -> Result<Self> {
        let names =
            open_parquet(path)?.schema().fields().iter().map(|f| f.name().clone()).collect();
        Ok(Self { path, names })
    }

    /// Names of all columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Refuses a column that is not there.
    pub(crate) fn require(&self, column: &str) -> Result<()> {
        if self.names.iter().any(|name| name == column) {
            return Ok(());
        }
        let help = format!("the columns are `{}`", self.names.join("`, `"));
        Err(Error::column(self.path, column, "there is no such column", help))
    }

    /// Streams the named columns, `rows` rows at a time.
    pub(crate) fn batches(&self, columns: &[&str], rows: usize) -> Result<Batches<'a>> {
        for column in columns {
            self.require(column)?;
        }
        let builder = open_parquet(self.path)?;
        // By position: a name may hold a dot, which a path would split.
        let roots = (0..self.names.len()).filter(|&i| columns.contains(&self.names[i].as_str()));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let inner = builder
            .with_projection(mask)
            .with_batch_size(rows)
            .build()
            .map_err(|error| Error::parquet(self.path, &error))?;
        Ok(Batches { path: self.path, inner, row: 0 })
    }
}

/// The batches of one pass.
pub(crate) struct Batches<'a> {
    path: &'a Path,
    inner: ParquetRecordBatchReader,
    row: usize,
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.inner.next()?.map_err(|error| Error::parquet(self.path, &error));
        Some(batch.map(|columns| {
            let first_row = self.row;
            self.row += columns.num_rows();
            Batch { path: self.path, first_row, columns }
        }))
    }
}

impl Batch<'_> {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// Rows in it.
    pub(crate) fn rows(&self) -> usize {
        self.columns.num_rows()
    }

    /// A column as it is stored, dictionaries unpacked.
    pub(crate) fn array(&self, column: &str) -> Result<ArrayRef> {
        let array = self.columns.column_by_name(column).cloned().ok_or_else(|| {
            Error::column(self.path, column, "there is no such column", "check the name")
        })?;
        match array.data_type().clone() {
            DataType::Dictionary(_, values) => self.cast(column, &array, &values),
            _ => Ok(array),
        }
    }

    /// Converts a column to another Arrow type.
    pub(crate) fn cast(&self, column: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        cast(array, to).map_err(|error| {
            Error::column(self.path, column, error.to_string(), "store it in another type")
        })
    }

    /// An error about a row of this batch.
    pub(crate) fn wrong(
        &self,
        column: &str,
        row: usize,
        message: impl std::fmt::Display,
        help: &str,
    ) -> Error {
        let place = format!("row {}, column `{column}`", self.first_row + row);
        Error::value(self.path, place, message.to_string(), help)
    }

    /// A column of words or whole numbers.
    pub(crate) fn words(&self, column: &str) -> Result<Words> {
        let array = self.array(column)?;
        if array.data_type().is_integer() {
            let numbers = self.cast(column, &array, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            // A `u64` beyond `i64` becomes a null, which must not pass for a missing value.
            if numbers.null_count() != array.null_count() {
                let message = "it holds numbers beyond 2^63";
                return Err(Error::column(self.path, column, message, "use smaller numbers"));
            }
            return Ok(Words::Numbers(numbers.iter().collect()));
        }
        match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let words = self.cast(column, &array, &DataType::LargeUtf8)?;
                let words = words.as_string::<i64>().iter();
                Ok(Words::Text(words.map(|word| word.map(str::to_owned)).collect()))
            }
            found => {
                let message = format!("it is {found}, expected text or whole numbers");
                Err(Error::column(self.path, column, message, "name another column"))
            }
        }
    }

    /// A column of ids.
    pub(crate) fn ids(&self, column: &str) -> Result<Vec<u32>> {
        let help = "ids are whole numbers from 0 to 4294967295";
        let Words::Numbers(numbers) = self.words(column)? else {
            return Err(Error::column(self.path, column, "it holds text", help));
        };
        let id = |(row, number): (usize, Option<i64>)| match number {
            None => Err(self.wrong(column, row, "the id is missing", help)),
            Some(number) => u32::try_from(number)
                .map_err(|_| self.wrong(column, row, format!("the id is {number}"), help)),
        };
        numbers.into_iter().enumerate().map(id).collect()
    }

    /// A column that says the split of each row.
    pub(crate) fn splits(&self, column: &str) -> Result<Vec<Split>> {
        let help = "a split is `train`, `test` or `pool`";
        let Words::Text(words) = self.words(column)? else {
            return Err(Error::column(self.path, column, "it holds numbers", help));
        };
        let split = |(row, word): (usize, &Option<String>)| match word.as_deref() {
            Some("train") => Ok(Split::Train),
            Some("test") => Ok(Split::Test),
            Some("pool") => Ok(Split::Pool),
            Some(other) => Err(self.wrong(column, row, format!("`{other}` is no split"), help)),
            None => Err(self.wrong(column, row, "the split is missing", help)),
        };
        words.iter().enumerate().map(split).collect()
    }
}

/// Values of a column of words or numbers; `None` where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Words {
    /// Text.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Numbers(Vec<Option<i64>>),
}

impl Words {
    /// The number of values, missing ones included.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(words) => words.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Every value as text.
    pub(crate) fn into_text(self) -> Vec<Option<String>> {
        match self {
            Self::Text(words) => words,
            Self::Numbers(numbers) => {
                numbers.into_iter().map(|number| number.map(|n| n.to_string())).collect()
            }
        }
    }
}
