//! The contract of a table, and the macro that derives it from a list of columns.

use std::{fmt::Debug, path::Path};

use arrow::{
    array::ArrayRef,
    datatypes::{DataType, Field},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Checks, Error, Facts, Result};

/// Rows that a streaming stage reads at a time unless it has a reason: large enough for GEMM, small
/// enough that 784 floats a row stay under 16 MiB.
pub const BATCH_ROWS: usize = 4096;

/// A table: a batch of rows held column by column.
///
/// The type is the batch, and every column has the same number of rows. Declare one with the crate's
/// own macro rather than by hand.
pub trait Table: Sized + Default + Send + 'static {
    /// The table's name, as port types and file metadata use it.
    const NAME: &'static str;
    /// Raised when columns change their meaning.
    const VERSION: u32 = 1;
    /// What the file says of all its rows.
    type Meta: Facts
        + Serialize
        + DeserializeOwned
        + Clone
        + Debug
        + PartialEq
        + Default
        + Send
        + Sync;

    /// Rows in this batch, or an error when columns disagree.
    ///
    /// # Errors
    /// [`Error::Schema`] when two columns have different lengths.
    fn rows(&self, path: &Path) -> Result<usize>;

    /// The Arrow fields of this batch; vector columns take their width from the data.
    fn fields(&self) -> Vec<Field>;

    /// The columns as Arrow arrays, in the order of [`Table::fields`], without copying numbers.
    fn into_arrays(self) -> Vec<ArrayRef>;

    /// The batch back from named Arrow columns. `first_row` is the batch's place in the file.
    ///
    /// # Errors
    /// [`Error::Schema`] for a missing column or wrong type, [`Error::Value`] for a null or NaN.
    fn from_arrays(columns: Vec<(String, ArrayRef)>, path: &Path, first_row: usize)
    -> Result<Self>;

    /// Adds another batch's rows below this one's.
    fn append(&mut self, other: Self);

    /// What its rows promise, to be checked as they are read.
    fn checks() -> Checks<Self>;

    /// The table for people: what it is, its columns and what they promise.
    fn about() -> About;
}

/// A table for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name of the table.
    pub name: &'static str,
    /// What it is.
    pub doc: String,
    /// What its rows promise together.
    pub promises: Vec<&'static str>,
    /// Its columns, in order.
    pub columns: Vec<AboutColumn>,
}

/// A column for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboutColumn {
    /// The name of the column.
    pub name: &'static str,
    /// The Arrow type; vectors have the width that the data give them.
    pub kind: DataType,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// What it is.
    pub doc: String,
    /// What its values promise.
    pub promises: Vec<&'static str>,
}

/// The lines of a doc comment as one text.
pub(crate) fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Takes the named column out of the list.
pub(crate) fn take_column(
    columns: &mut Vec<(String, ArrayRef)>,
    name: &str,
    table: &'static str,
    path: &Path,
) -> Result<ArrayRef> {
    let found = columns.iter().position(|(column, _)| column == name);
    found.map(|at| columns.swap_remove(at).1).ok_or_else(|| Error::Schema {
        path: path.to_owned(),
        table,
        message: format!("it has no column `{name}`"),
    })
}

/// Declares a table: its doc comment, name, metadata type, the promises of its rows together, and its
/// columns with the promises of each.
macro_rules! table {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal, meta = $meta:ty $(where [$($whole:ident),+])? {
            $(
                $(#[doc = $column_doc:literal])*
                $column:ident : $kind:ty $(where [$($promise:ident),+])?,
            )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $( $(#[doc = $column_doc])* pub $column: $kind, )+
        }

        impl $crate::Table for $name {
            const NAME: &'static str = $text;
            type Meta = $meta;

            fn rows(&self, path: &std::path::Path) -> $crate::Result<usize> {
                let lengths =
                    [$( (stringify!($column), $crate::Column::rows(&self.$column)), )+];
                let (first, rows) = lengths[0];
                match lengths.iter().find(|(_, n)| *n != rows) {
                    None => Ok(rows),
                    Some((column, n)) => Err($crate::Error::Schema {
                        path: path.to_owned(),
                        table: $text,
                        message: format!("column `{first}` has {rows} rows, `{column}` has {n}"),
                    }),
                }
            }

            fn fields(&self) -> Vec<arrow::datatypes::Field> {
                vec![$( $crate::Column::field(&self.$column, stringify!($column)), )+]
            }

            fn into_arrays(self) -> Vec<arrow::array::ArrayRef> {
                vec![$( $crate::Column::into_array(self.$column), )+]
            }

            fn from_arrays(
                mut columns: Vec<(String, arrow::array::ArrayRef)>,
                path: &std::path::Path,
                first_row: usize,
            ) -> $crate::Result<Self> {
                $(
                    let array = $crate::table::take_column(
                        &mut columns, stringify!($column), $text, path)?;
                    let place = $crate::column::Place {
                        path, table: $text, column: stringify!($column), first_row };
                    let $column = <$kind as $crate::Column>::from_array(array, &place)?;
                )+
                Ok(Self { $($column,)+ })
            }

            fn append(&mut self, other: Self) {
                $( $crate::Column::push_rows(&mut self.$column, other.$column); )+
            }

            fn checks() -> $crate::Checks<Self> {
                $crate::Checks(vec![
                    $( $( $( Box::new($crate::promises::OnColumn {
                        name: stringify!($column),
                        column: |table: &Self| &table.$column,
                        promise: $crate::promises::$promise::default(),
                    }), )+ )? )+
                    $( $( Box::new($crate::promises::OnTable(
                        $crate::promises::$whole::default(),
                    )), )+ )?
                ])
            }

            fn about() -> $crate::About {
                let empty = Self::default();
                $crate::About {
                    name: $text,
                    doc: $crate::table::doc(&[$($doc),*]),
                    promises: vec![$( $(
                        <$crate::promises::$whole as $crate::promises::WholePromise<Self>>::WORDS,
                    )+ )?],
                    columns: vec![$( {
                        let field = $crate::Column::field(&empty.$column, stringify!($column));
                        $crate::AboutColumn {
                            name: stringify!($column),
                            kind: field.data_type().clone(),
                            nullable: field.is_nullable(),
                            doc: $crate::table::doc(&[$($column_doc),*]),
                            promises: vec![$( $(
                                <$crate::promises::$promise as
                                    $crate::promises::Promise<$kind, $meta>>::WORDS,
                            )+ )?],
                        }
                    }, )+],
                }
            }
        }
    };
}
pub(crate) use table;
