//! What tables promise of their rows, and the checks that hold them to it.
//!
//! A table declares its promises beside its columns (see [`crate::tables`]); a [`Reader`](crate::Reader)
//! checks them as batches go by: once, in the first pass that reaches the end, with no copy. What a
//! check must remember (which ids there were) takes two bytes an id at most, in a compressed bitmap.

mod columns;
mod whole;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use self::{
    columns::{
        Ascending, Class, Distribution, DistributionOrZeros, NotNegative, Percent, Pixels,
        Positive, Share, Unique,
    },
    whole::{Counted, EachEdgeOnce, GivenOnce, OneRepresentative, Ranked, ReachedIsKnown},
};
use crate::{Column, Error, Result, Table};

/// Where a promise is broken: a row of the batch, and how.
pub(crate) type Broken = (usize, String);

/// Something that every row of a column keeps; `M` is what the file says of the table.
pub(crate) trait Promise<C, M> {
    /// The promise, to follow the column's description.
    const WORDS: &'static str;

    /// Learns what the file says.
    fn told(&mut self, _meta: &M) {}

    /// Looks at the next rows.
    fn rows(&mut self, column: &C) -> Result<(), Broken>;
}

/// Something that the rows of a table keep together.
pub(crate) trait WholePromise<T: Table> {
    /// The promise, to follow the table's description.
    const WORDS: &'static str;

    /// Learns what the file says.
    fn told(&mut self, _meta: &T::Meta) {}

    /// Looks at the next rows; a broken promise names its column.
    fn rows(&mut self, table: &T) -> Result<(), (&'static str, Broken)>;

    /// Looks back on all rows; a broken promise names its column and the row of the file.
    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        Ok(())
    }
}

/// All promises of a table, and how far its rows have been held to them.
pub(crate) struct Promises<T: Table> {
    path: PathBuf,
    all: Vec<Box<dyn Check<T>>>,
    row: usize,
}

impl<T: Table> Promises<T> {
    pub(crate) fn of(path: &Path, meta: &T::Meta) -> Self {
        let Checks(mut all) = T::checks();
        for check in &mut all {
            check.told(meta);
        }
        Self { path: path.to_owned(), all, row: 0 }
    }

    /// Holds the next rows of the file to them.
    pub(crate) fn rows(&mut self, batch: &T) -> Result<()> {
        for check in &mut self.all {
            if let Err((column, (row, message))) = check.rows(batch) {
                return Err(self.broken(column, self.row + row, message));
            }
        }
        self.row += batch.rows(&self.path)?;
        Ok(())
    }

    /// Looks back on all rows.
    pub(crate) fn end(mut self) -> Result<()> {
        for check in &mut self.all {
            if let Err((column, (row, message))) = check.end() {
                return Err(self.broken(column, row, message));
            }
        }
        Ok(())
    }

    fn broken(&self, column: &str, row: usize, message: String) -> Error {
        Error::Value { path: self.path.clone(), row, column: column.to_owned(), message }
    }
}

/// The promises of one table, ready to be checked.
pub struct Checks<T>(pub(crate) Vec<Box<dyn Check<T>>>);

/// A promise of a column or of the table.
pub(crate) trait Check<T: Table>: Send {
    fn told(&mut self, meta: &T::Meta);
    fn rows(&mut self, table: &T) -> Result<(), (&'static str, Broken)>;
    fn end(&mut self) -> Result<(), (&'static str, Broken)>;
}

/// A promise of one column.
pub(crate) struct OnColumn<T, C, P> {
    pub(crate) name: &'static str,
    pub(crate) column: fn(&T) -> &C,
    pub(crate) promise: P,
}

impl<T: Table, C: Column, P: Promise<C, T::Meta> + Send> Check<T> for OnColumn<T, C, P> {
    fn told(&mut self, meta: &T::Meta) {
        self.promise.told(meta);
    }

    fn rows(&mut self, table: &T) -> Result<(), (&'static str, Broken)> {
        self.promise.rows((self.column)(table)).map_err(|broken| (self.name, broken))
    }

    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        Ok(())
    }
}

/// A promise of all columns together.
pub(crate) struct OnTable<P>(pub(crate) P);

impl<T: Table, P: WholePromise<T> + Send> Check<T> for OnTable<P> {
    fn told(&mut self, meta: &T::Meta) {
        self.0.told(meta);
    }

    fn rows(&mut self, table: &T) -> Result<(), (&'static str, Broken)> {
        self.0.rows(table)
    }

    fn end(&mut self) -> Result<(), (&'static str, Broken)> {
        self.0.end()
    }
}
