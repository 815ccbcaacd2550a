//! Vectors straight from the pages of a Parquet file into memory.
//!
//! A reader of any Parquet spends most of its time on levels, which say where each list begins. Lists
//! of one fixed width need none: here they are checked run by run and never unpacked. That holds for
//! files as [`Writer`](crate::Writer) writes them; what is kept in another way is left to that general
//! reader, and so are all errors.

use std::{fs::File, ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, FixedSizeListArray, PrimitiveArray},
    datatypes::{DataType, FieldRef},
};
use parquet::{
    basic::{Encoding, Type},
    column::page::Page,
    file::{
        metadata::{ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
    },
};
use rayon::prelude::*;

use crate::column::Number;

/// How many times larger than its compressed bytes a column may be to be believed: memory for it is
/// taken before it is read. What is even more uniform takes the slower way.
const MOST_COMPRESSED: usize = 1000;

/// The vectors of leaf column `leaf` in some row groups, or nothing when the file keeps them in
/// another way than this crate does.
pub(crate) fn vectors(
    path: &Path,
    metadata: &ParquetMetaData,
    leaf: usize,
    kind: &DataType,
    groups: Range<usize>,
) -> Option<ArrayRef> {
    let DataType::FixedSizeList(item, width) = kind else { return None };
    match item.data_type() {
        _ if item.is_nullable() => None,
        DataType::Float32 => numbers::<f32>(path, metadata, leaf, (item, *width), groups),
        DataType::UInt8 => numbers::<u8>(path, metadata, leaf, (item, *width), groups),
        _ => None,
    }
}

/// Numbers that a page holds one after another.
trait Plain: Number + Default {
    const STORED_AS: Type;

    /// From four bytes; nothing when they are out of range.
    fn read(bytes: &[[u8; 4]], out: &mut [Self]) -> Option<()>;
}

impl Plain for f32 {
    const STORED_AS: Type = Type::FLOAT;

    fn read(bytes: &[[u8; 4]], out: &mut [Self]) -> Option<()> {
        for (out, bytes) in out.iter_mut().zip(bytes) {
            *out = Self::from_le_bytes(*bytes);
        }
        Some(())
    }
}

impl Plain for u8 {
    const STORED_AS: Type = Type::INT32;

    fn read(bytes: &[[u8; 4]], out: &mut [Self]) -> Option<()> {
        let mut beyond = 0;
        for (out, [low, rest @ ..]) in out.iter_mut().zip(bytes) {
            *out = *low;
            beyond |= rest[0] | rest[1] | rest[2];
        }
        (beyond == 0).then_some(())
    }
}

fn numbers<T: Plain>(
    path: &Path,
    metadata: &ParquetMetaData,
    leaf: usize,
    (item, width): (&FieldRef, i32),
    groups: Range<usize>,
) -> Option<ArrayRef> {
    let per_row = usize::try_from(width).ok().filter(|&width| width > 0)?;
    let groups = &metadata.row_groups()[groups];
    let counts: Option<Vec<usize>> =
        groups.iter().map(|group| promised::<T>(group, leaf, per_row)).collect();
    let counts = counts?;
    let mut values = vec![T::default(); counts.iter().sum()];
    let mut rest = values.as_mut_slice();
    let mut work = Vec::with_capacity(groups.len());
    for (group, count) in groups.iter().zip(counts) {
        let (head, tail) = rest.split_at_mut(count);
        work.push((group, head));
        rest = tail;
    }
    let read = |(group, out)| fill(path, group, leaf, per_row, out);
    if work.len() > 1 {
        work.into_par_iter().try_for_each(read)?;
    } else {
        work.into_iter().try_for_each(read)?;
    }
    let values = Arc::new(PrimitiveArray::<T::Arrow>::new(values.into(), None));
    let array = FixedSizeListArray::try_new(Arc::clone(item), width, values, None).ok()?;
    Some(Arc::new(array))
}

/// The numbers that a row group holds, if its column looks as expected.
fn promised<T: Plain>(group: &RowGroupMetaData, leaf: usize, per_row: usize) -> Option<usize> {
    let column = group.columns().get(leaf)?;
    let kind = column.column_descr();
    let levels = (kind.max_def_level(), kind.max_rep_level());
    let count = usize::try_from(group.num_rows()).ok()?.checked_mul(per_row)?;
    let bytes = count.checked_mul(size_of::<[u8; 4]>())?;
    let fits = usize::try_from(column.num_values()) == Ok(count)
        && usize::try_from(column.uncompressed_size()).is_ok_and(|size| size >= bytes)
        && usize::try_from(column.compressed_size())
            .is_ok_and(|size| bytes / MOST_COMPRESSED <= size);
    (kind.physical_type() == T::STORED_AS && levels == (1, 1) && fits).then_some(count)
}

/// Reads one row group's numbers into `out`, or says nothing and leaves it half done.
fn fill<T: Plain>(
    path: &Path,
    group: &RowGroupMetaData,
    leaf: usize,
    per_row: usize,
    out: &mut [T],
) -> Option<()> {
    // A file of its own: clones would share their place in it.
    let file = Arc::new(File::open(path).ok()?);
    let rows = usize::try_from(group.num_rows()).ok()?;
    let pages = SerializedPageReader::new(file, group.column(leaf), rows, None).ok()?;
    let (mut out, mut place) = (out, 0);
    for page in pages {
        let Page::DataPage {
            buf,
            num_values,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            ..
        } = page.ok()?
        else {
            return None;
        };
        let count = num_values as usize;
        let (repetition, rest) = levels(&buf)?;
        let (definition, values) = levels(rest)?;
        // A list begins where the level is 0, and every list has `per_row` numbers.
        each_run(repetition, count, |level, mut length| {
            while length > 0 {
                let of_this_level = if place == 0 { 1 } else { per_row - place };
                let step = length.min(of_this_level);
                if level != (place != 0) {
                    return None;
                }
                place = (place + step) % per_row;
                length -= step;
            }
            Some(())
        })?;
        // Nothing is missing.
        each_run(definition, count, |level, _| level.then_some(()))?;
        let (numbers, rest) = values.as_chunks();
        if numbers.len() != count || !rest.is_empty() {
            return None;
        }
        let (head, tail) = out.split_at_mut_checked(count)?;
        T::read(numbers, head)?;
        out = tail;
    }
    (out.is_empty() && place == 0).then_some(())
}

/// The levels at the start of a page, behind their length, and what follows.
fn levels(page: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = page.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// Calls `run` with the level and the length of every run of `count` levels of one bit, which are
/// encoded as runs and packed bits in turn (Apache Parquet, "Encodings": RLE, bit-packing hybrid).
fn each_run(
    mut bytes: &[u8],
    count: usize,
    mut run: impl FnMut(bool, usize) -> Option<()>,
) -> Option<()> {
    let mut left = count;
    while left > 0 {
        let (header, rest) = variable_length(bytes)?;
        let length = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let (&level, rest) = rest.split_first()?;
            let length = length.min(left);
            if length == 0 || level > 1 {
                return None;
            }
            run(level == 1, length)?;
            (bytes, left) = (rest, left - length);
        } else {
            let (packed, rest) = rest.split_at_checked(length)?;
            let length = packed.len().saturating_mul(8).min(left);
            if length == 0 {
                return None;
            }
            for at in 0..length {
                run(packed[at / 8] >> (at % 8) & 1 == 1, 1)?;
            }
            (bytes, left) = (rest, left - length);
        }
    }
    Some(())
}

/// A number in groups of seven bits, the lowest first (ULEB128).
fn variable_length(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}
