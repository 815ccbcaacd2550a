//! Images in a column of a Parquet file: encoded (PNG, JPEG; also the struct of bytes and path that
//! Hugging Face writes) or raw bytes of a given shape.

use arrow::{
    array::{Array, ArrayRef, cast::AsArray},
    datatypes::{DataType, UInt8Type},
};
use scarce_artifact::Shape;

use super::picture::{Picture, decode};
use crate::{
    Error, Result,
    columns::{Batch, Words},
};

/// Columns in which `img2dataset` says what became of a row: `success`, or why there is no image.
pub(crate) const STATUS: [&str; 2] = ["status", "error_message"];

/// Rows that are decoded together.
pub(crate) const BATCH_ROWS: usize = 128;

/// The images of a batch.
pub(crate) struct ImageColumn<'a> {
    batch: &'a Batch<'a>,
    name: &'a str,
    bytes: ByteCells,
    /// File names beside the bytes.
    paths: Option<ArrayRef>,
    raw: Option<Shape>,
    /// Why a row may have no image, in words.
    status: Vec<Vec<Option<String>>>,
}

/// The bytes of each row, however the file stores them.
enum ByteCells {
    Binary(ArrayRef),
    List(ArrayRef),
    Fixed(ArrayRef),
    /// No row has any.
    None,
}

impl<'a> ImageColumn<'a> {
    /// Looks at the type of the column. `raw` is the shape of images that are not encoded.
    pub(crate) fn new(batch: &'a Batch<'a>, name: &'a str, raw: Option<Shape>) -> Result<Self> {
        let column = batch.array(name)?;
        let status = STATUS.into_iter().filter(|status| *status != name);
        let status = status.filter_map(|status| batch.words(status).ok()).map(Words::into_text);
        let status = status.collect();
        if !matches!(column.data_type(), DataType::Struct(_)) {
            let bytes = ByteCells::new(batch, name, &column, raw)?;
            return Ok(Self { batch, name, bytes, paths: None, raw, status });
        }
        let fields = column.as_struct();
        let Some(bytes) = fields.column_by_name("bytes") else {
            let message = format!("it is {}", column.data_type());
            let help = "a struct needs a field `bytes` with the encoded image";
            return Err(wrong_type(batch, name, &message, help));
        };
        let bytes = ByteCells::new(batch, name, bytes, raw)?;
        let paths = match fields.column_by_name("path") {
            Some(paths) => Some(batch.cast(name, paths, &DataType::LargeUtf8)?),
            None => None,
        };
        Ok(Self { batch, name, bytes, paths, raw, status })
    }

    /// The file name that the column gives a row.
    pub(crate) fn path(&self, row: usize) -> Option<String> {
        let paths = self.paths.as_ref()?.as_string::<i64>();
        (!paths.is_null(row)).then(|| paths.value(row).to_owned())
    }

    /// What the file says of a row without an image.
    fn reason(&self, row: usize) -> String {
        let words = self.status.iter().filter_map(|words| words.get(row)?.as_deref());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(": ")) }
    }

    /// Decodes a row; `label` stands for it in messages.
    pub(crate) fn picture(&self, row: usize, label: &str) -> Result<Picture> {
        let cell = self.bytes.get(row);
        let Some(bytes) = cell else {
            let message = format!("the image is missing{}", self.reason(row));
            return Err(Error::Image { name: label.to_owned(), message });
        };
        match self.raw {
            None => decode(bytes, label),
            Some(shape) if bytes.len() == shape.pixels() => {
                Ok(Picture { shape, pixels: bytes.to_vec() })
            }
            Some(shape) => {
                let message = format!("it holds {} bytes, not {}", bytes.len(), shape.pixels());
                let help = "`shape` is what every row must have: height × width × channels bytes";
                Err(self.batch.wrong(self.name, row, message, help))
            }
        }
    }
}

impl ByteCells {
    fn new(batch: &Batch<'_>, name: &str, array: &ArrayRef, raw: Option<Shape>) -> Result<Self> {
        use DataType as T;
        match array.data_type() {
            T::Null => Ok(Self::None),
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => {
                Ok(Self::Binary(batch.cast(name, array, &T::LargeBinary)?))
            }
            T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _)
                if item.data_type() != &T::UInt8 || raw.is_none() =>
            {
                let message = format!("it is {}", array.data_type());
                let help = "a list of raw pixels has items of type UInt8 and needs \
                            `shape = { height = …, width = …, channels = … }`";
                Err(wrong_type(batch, name, &message, help))
            }
            T::FixedSizeList(..) => Ok(Self::Fixed(array.clone())),
            T::List(item) | T::LargeList(item) => {
                Ok(Self::List(batch.cast(name, array, &T::LargeList(item.clone()))?))
            }
            found => {
                let help = "images are binary (PNG or JPEG files, or raw), lists of UInt8, or a \
                            struct of `bytes` and `path`";
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
