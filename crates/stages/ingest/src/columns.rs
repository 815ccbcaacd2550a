//! Columns of Parquet files that others wrote, in the few forms that we need.
//!
//! Hugging Face's `datasets` stores classes as numbers and their names in the file's metadata
//! (`ClassLabel`); such a column reads as words.

use std::{collections::BTreeMap, path::Path};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, cast::AsArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use parquet::arrow::ProjectionMask;
use scarce_artifact::{ParquetFile, RecordBatches, Split, open_parquet};

use crate::{Error, Result};

#[cfg(test)]
mod tests;

/// First bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Class names by column.
type ClassNames = BTreeMap<String, Vec<String>>;

/// A Parquet file and the columns of it that are read.
pub(crate) struct Table<'a> {
    path: &'a Path,
    file: ParquetFile,
    names: Vec<String>,
    classes: ClassNames,
}

/// A batch of a [`Table`].
pub(crate) struct Batch<'a> {
    path: &'a Path,
    /// Row of the file where the batch starts.
    pub(crate) first_row: usize,
    columns: RecordBatch,
    classes: &'a ClassNames,
}

impl<'a> Table<'a> {
    /// Opens a file and looks at its column names.
    pub(crate) fn open(path: &'a Path) -> Result<Self> {
        let file = open_parquet(path)?;
        let names: Vec<String> = file.schema().fields().iter().map(|f| f.name().clone()).collect();
        if let Some(twice) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
            let help = "rename one of them";
            return Err(Error::column(path, &names[twice], "there are two such columns", help));
        }
        let classes = class_names(&file);
        Ok(Self { path, file, names, classes })
    }

    /// Whether there is a column of that name.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    /// The class names in label order, where the file names those of a column.
    pub(crate) fn class_names(&self, column: &str) -> Option<&[String]> {
        self.classes.get(column).map(Vec::as_slice)
    }

    /// What the footer says.
    pub(crate) fn file(&self) -> &ParquetFile {
        &self.file
    }

    /// Names of all columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Refuses a column that is not there.
    pub(crate) fn require(&self, column: &str) -> Result<()> {
        if self.has(column) {
            return Ok(());
        }
        let help = format!("the columns are `{}`", self.names.join("`, `"));
        Err(Error::column(self.path, column, "there is no such column", help))
    }

    /// Streams the named columns, `rows` rows at a time.
    pub(crate) fn batches(&self, columns: &[&str], rows: usize) -> Result<Batches<'_>> {
        for column in columns {
            self.require(column)?;
        }
        // By position: a name may hold a dot, which a path would split.
        let roots = (0..self.names.len()).filter(|&i| columns.contains(&self.names[i].as_str()));
        let mask = ProjectionMask::roots(self.file.parquet_schema(), roots);
        let inner = self.file.clone().with_projection(mask).with_batch_size(rows).build()?;
        Ok(Batches { path: self.path, inner, row: 0, classes: &self.classes })
    }
}

/// The batches of one pass.
pub(crate) struct Batches<'a> {
    path: &'a Path,
    inner: RecordBatches,
    row: usize,
    classes: &'a ClassNames,
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.inner.next()? {
            Ok(columns) => {
                let first_row = self.row;
                self.row += columns.num_rows();
                Ok(Batch { path: self.path, first_row, columns, classes: self.classes })
            }
            Err(error) => Err(error.into()),
        })
    }
}

/// The class names of every column that `datasets` calls a `ClassLabel`: `info.features.COLUMN.names`
/// of the JSON under the key `huggingface`. Whatever is not as expected names nothing.
fn class_names(file: &ParquetFile) -> ClassNames {
    let pairs = file.metadata().file_metadata().key_value_metadata();
    let text = pairs
        .into_iter()
        .flatten()
        .find(|pair| pair.key == "huggingface")
        .and_then(|pair| pair.value.as_deref());
    let info: serde_json::Value =
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let Some(features) = info.pointer("/info/features").and_then(|found| found.as_object()) else {
        return ClassNames::new();
    };
    let names = |(column, feature): (&String, &serde_json::Value)| {
        let names =
            feature.get("names").filter(|_| feature["_type"] == "ClassLabel")?.as_array()?;
        let name = |name: &serde_json::Value| name.as_str().map(str::to_owned);
        Some((column.clone(), names.iter().map(name).collect::<Option<Vec<_>>>()?))
    };
    features.iter().filter_map(names).collect()
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

    /// A column of words or whole numbers; of classes that the file names, their names.
    pub(crate) fn words(&self, column: &str) -> Result<Words> {
        let words = self.stored_words(column)?;
        match (self.classes.get(column), words) {
            (Some(names), Words::Numbers(numbers)) => self.named(column, names, &numbers),
            (_, words) => Ok(words),
        }
    }

    /// Numbers as the class names that they stand for; a negative one stands for none (`ClassLabel`
    /// in the documentation of `datasets`).
    fn named(&self, column: &str, names: &[String], numbers: &[Option<i64>]) -> Result<Words> {
        let name = |(row, number): (usize, &Option<i64>)| match *number {
            None | Some(..0) => Ok(None),
            Some(number) => {
                let name = usize::try_from(number).ok().and_then(|number| names.get(number));
                name.cloned().map(Some).ok_or_else(|| {
                    let count = names.len();
                    let message = format!("the label {number} is no class");
                    let help = format!("the file's metadata names {count} classes for the column");
                    self.wrong(column, row, message, &help)
                })
            }
        };
        Ok(Words::Text(numbers.iter().enumerate().map(name).collect::<Result<_>>()?))
    }

    /// A column of words or whole numbers as it is stored.
    fn stored_words(&self, column: &str) -> Result<Words> {
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
            // Of a column without a single value nobody knew the type.
            DataType::Null => Ok(Words::Text(vec![None; array.len()])),
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
        let Words::Numbers(numbers) = self.stored_words(column)? else {
            return Err(Error::column(self.path, column, "it holds no whole numbers", help));
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

    /// Whether every value is missing.
    pub(crate) fn is_void(&self) -> bool {
        match self {
            Self::Text(words) => words.iter().all(Option::is_none),
            Self::Numbers(numbers) => numbers.iter().all(Option::is_none),
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
