//! A column of encoded pictures: binary, or the struct of `bytes` and `path` that Hugging Face
//! writes.

use std::path::Path;

use arrow::{
    array::{Array, ArrayRef, cast::AsArray},
    compute::cast,
    datatypes::DataType,
};

use crate::{Error, Result};

/// The encoded pictures of a batch of rows.
#[derive(Debug, Clone)]
pub struct PictureColumn {
    bytes: ArrayRef,
    /// The nulls of the struct, where it is one.
    whole: ArrayRef,
    /// File names beside the bytes.
    paths: Option<ArrayRef>,
}

impl PictureColumn {
    /// Looks at the type of a column; `path` and `name` stand for it in errors.
    ///
    /// # Errors
    /// It holds neither bytes nor structs of bytes.
    pub fn new(path: &Path, name: &str, column: &ArrayRef) -> Result<Self> {
        let into = |array: &ArrayRef, to: &DataType| {
            cast(array, to).map_err(|error| {
                Error::column(path, name, error.to_string(), "store it in another type")
            })
        };
        let (bytes, paths) = match column.data_type() {
            DataType::Struct(_) => {
                let fields = column.as_struct();
                let Some(bytes) = fields.column_by_name("bytes") else {
                    let message = format!("it is {}", column.data_type());
                    let help = "a struct needs a field `bytes` with the encoded image";
                    return Err(Error::column(path, name, message, help));
                };
                let paths = fields.column_by_name("path");
                (bytes, paths.map(|paths| into(paths, &DataType::LargeUtf8)).transpose()?)
            }
            _ => (column, None),
        };
        if !is_binary(bytes.data_type()) {
            let message = format!("it is {}", bytes.data_type());
            let help = "images are binary (whole files), or a struct of `bytes` and `path`; pixels \
                        that are not encoded need `shape = { height = …, width = …, channels = … }`";
            return Err(Error::column(path, name, message, help));
        }
        Ok(Self { bytes: into(bytes, &DataType::LargeBinary)?, whole: column.clone(), paths })
    }

    /// The encoded picture of a row; `None` where it is missing.
    pub fn encoded(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.bytes.as_binary::<i64>();
        (!self.whole.is_null(row) && !bytes.is_null(row)).then(|| bytes.value(row))
    }

    /// The file name that the column gives a row.
    pub fn path(&self, row: usize) -> Option<&str> {
        let paths = self.paths.as_ref()?.as_string::<i64>();
        (!self.whole.is_null(row) && !paths.is_null(row)).then(|| paths.value(row))
    }
}

fn is_binary(found: &DataType) -> bool {
    use DataType as T;
    // Of nulls alone: every picture is missing, which is said row by row.
    matches!(found, T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) | T::Null)
}
