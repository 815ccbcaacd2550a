//! Images in a column of a Parquet file as raw bytes of a given shape.

use arrow::{
    array::{Array, ArrayRef, cast::AsArray},
    datatypes::{DataType, UInt8Type},
};
use scarce_artifact::Shape;
use scarce_pictures::Picture;

use super::picture::of_bytes;
use crate::{Error, Result, columns::Batch};

/// Rows that are decoded together.
pub(crate) const BATCH_ROWS: usize = 128;

/// The images of a batch.
pub(crate) struct RawColumn<'a> {
    batch: &'a Batch<'a>,
    name: &'a str,
    bytes: ByteCells,
    shape: Shape,
}

impl<'a> RawColumn<'a> {
    /// Looks at the type of the column.
    pub(crate) fn new(batch: &'a Batch<'a>, name: &'a str, shape: Shape) -> Result<Self> {
        let column = batch.array(name)?;
        Ok(Self { batch, name, bytes: ByteCells::new(batch, name, &column)?, shape })
    }

    /// The image of a row.
    pub(crate) fn picture(&self, row: usize) -> Result<Picture> {
        let Some(bytes) = self.bytes.get(row) else {
            let help = "every row needs an image; leave such rows out of the file";
            return Err(self.batch.wrong(self.name, row, "the image is missing", help));
        };
        if bytes.len() != self.shape.pixels() {
            let message = format!("it holds {} bytes, not {}", bytes.len(), self.shape.pixels());
            let help = "`shape` is what every row must have: height × width × channels bytes";
            return Err(self.batch.wrong(self.name, row, message, help));
        }
        of_bytes(self.shape, bytes.to_vec())
    }
}

/// The bytes of each row, however the file stores them.
enum ByteCells {
    Binary(ArrayRef),
    List(ArrayRef),
    Fixed(ArrayRef),
    /// No row has any.
    None,
}

impl ByteCells {
    fn new(batch: &Batch<'_>, name: &str, array: &ArrayRef) -> Result<Self> {
        use DataType as T;
        match array.data_type() {
            T::Null => Ok(Self::None),
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => {
                Ok(Self::Binary(batch.cast(name, array, &T::LargeBinary)?))
            }
            T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _)
                if item.data_type() != &T::UInt8 =>
            {
                let message = format!("it is {}", array.data_type());
                Err(wrong_type(batch, name, &message, "raw pixels are lists of UInt8"))
            }
            T::FixedSizeList(..) => Ok(Self::Fixed(array.clone())),
            T::List(item) | T::LargeList(item) => {
                Ok(Self::List(batch.cast(name, array, &T::LargeList(item.clone()))?))
            }
            found => {
                let help = "raw pixels are binary or lists of UInt8; without `shape` images are \
                            encoded";
                Err(wrong_type(batch, name, &format!("it is {found}"), help))
            }
        }
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Binary(array) => {
                let array = array.as_binary::<i64>();
                (!array.is_null(row)).then(|| array.value(row))
            }
            Self::List(array) => {
                let list = array.as_list::<i64>();
                let (start, end) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
                bytes(list, list.values(), row, start as usize, end as usize)
            }
            Self::Fixed(array) => {
                let list = array.as_fixed_size_list();
                let start = list.value_offset_at(row);
                let end = start + list.value_length() as usize;
                bytes(list, list.values(), row, start, end)
            }
            Self::None => None,
        }
    }
}

/// A row of a list of bytes, unless the row or one of its bytes is missing.
fn bytes<'a>(
    list: &dyn Array,
    values: &'a ArrayRef,
    row: usize,
    start: usize,
    end: usize,
) -> Option<&'a [u8]> {
    let missing = |at: usize| values.is_null(at);
    let incomplete = values.null_count() > 0 && (start..end).any(missing);
    if list.is_null(row) || incomplete {
        return None;
    }
    values.as_primitive::<UInt8Type>().values().get(start..end)
}

fn wrong_type(batch: &Batch<'_>, column: &str, message: &str, help: &str) -> Error {
    Error::column(batch.path(), column, message, help)
}
