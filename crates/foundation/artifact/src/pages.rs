//! Vectors straight from the pages of a Parquet file into memory.
//!
//! A reader of any Parquet spends most of its time on levels, which say where each list begins. Lists
//! of one fixed width need none: here they are checked run by run and never unpacked. That holds for
//! files as [`Writer`](crate::Writer) writes them; what is kept in another way is left to that general
//! reader, and so are all errors.

use std::{ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, FixedSizeListArray, PrimitiveArray},
    datatypes::{DataType, FieldRef},
};
use fs_err::File;
use parquet::{
    basic::{Encoding, Type},
    column::page::Page,
    file::{
        metadata::{ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
    },
};

use crate::{column::Number, footer::MOST_COMPRESSED, guard::guarded, threads::side_by_side};

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
    // What is wrong is found again by the slower way, which says so.
    let read = |(group, out)| guarded(path, || fill(path, group, leaf, per_row, out)).ok()?;
    side_by_side(work, read).into_iter().collect::<Option<()>>()?;
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
            .is_ok_and(|size| bytes / MOST_COMPRESSED as usize <= size);
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
    let (file, _) = File::open(path).ok()?.into_parts();
    let rows = usize::try_from(group.num_rows()).ok()?;
    let pages = SerializedPageReader::new(Arc::new(file), group.column(leaf), rows, None).ok()?;
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

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;
    use parquet::{
        arrow::ArrowWriter,
        file::properties::{WriterProperties, WriterVersion},
        schema::types::ColumnPath,
    };

    use super::*;
    use crate::{
        Embeddings, EmbeddingsMeta, Images, ImagesMeta, Reader, Shape, Split, Table, Vectors,
        Writer,
    };

    fn embeddings(rows: usize, width: usize) -> Embeddings {
        Embeddings {
            id: (0..rows as u32).collect(),
            split: vec![Split::Train; rows],
            embedding: Vectors::new(width, (0..rows * width).map(|i| i as f32 / 3.0).collect()),
        }
    }

    /// The vectors of a file by way of its pages, if that way is open.
    fn straight(path: &Path, leaf: usize) -> Option<ArrayRef> {
        let builder = crate::open_parquet(path).unwrap();
        let (metadata, field) = (builder.metadata(), builder.schema().field(leaf));
        vectors(path, metadata, leaf, field.data_type(), 0..metadata.num_row_groups())
    }

    #[test]
    fn what_this_crate_writes_is_read_straight() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        for width in [1, 2, 3, 7, 8, 9, 16, 100, 784] {
            let table = embeddings(9_000, width);
            Writer::write_all(&path, EmbeddingsMeta::default(), table.clone()).unwrap();
            assert!(straight(&path, 2).is_some(), "{width}");
            let reader = Reader::<Embeddings>::open(&path).unwrap();
            assert_eq!(reader.read().unwrap(), table);
            let mut streamed = Embeddings::default();
            for batch in reader.batches(1_000) {
                streamed.append(batch.unwrap());
            }
            assert_eq!(streamed, table);
        }
    }

    #[test]
    fn so_are_images() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.parquet");
        let shape = Shape { height: 5, width: 3, channels: 1 };
        let images = Images {
            id: (0..20_000).collect(),
            split: vec![Split::Pool; 20_000],
            source: vec![String::new(); 20_000],
            pixels: Vectors::new(
                15,
                (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 9) as u8).collect(),
            ),
        };
        let meta = ImagesMeta {
            shape,
            dataset: "own".to_owned(),
            max_value: 255,
            ..ImagesMeta::default()
        };
        Writer::write_all(&path, meta, images.clone()).unwrap();
        assert!(straight(&path, 3).is_some());
        assert_eq!(Reader::<Images>::open(&path).unwrap().read().unwrap(), images);
    }

    /// Writes `table` as others might, with the house's metadata.
    fn as_others_do(path: &Path, table: Embeddings, properties: WriterProperties) {
        let own = path.with_extension("own");
        Writer::write_all(&own, EmbeddingsMeta::default(), embeddings(1, 4)).unwrap();
        let pairs = crate::open_parquet(&own).unwrap().metadata().file_metadata().clone();
        let pairs = pairs.key_value_metadata().unwrap().clone();
        let schema = Arc::new(arrow::datatypes::Schema::new(table.fields()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), table.into_arrays()).unwrap();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).unwrap();
        for pair in pairs.into_iter().filter(|pair| pair.key.starts_with("scarce.")) {
            writer.append_key_value_metadata(pair);
        }
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn what_others_write_comes_by_the_slower_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        let table = embeddings(3_000, 4);
        let plain = || WriterProperties::builder().set_dictionary_enabled(false);
        let numbers = ColumnPath::from(vec!["embedding".into(), "list".into(), "item".into()]);
        for (properties, open) in [
            (plain().build(), true),
            (plain().set_writer_version(WriterVersion::PARQUET_2_0).build(), false),
            (WriterProperties::builder().build(), false),
            (plain().set_column_encoding(numbers, Encoding::BYTE_STREAM_SPLIT).build(), false),
        ] {
            as_others_do(&path, table.clone(), properties);
            assert_eq!(straight(&path, 2).is_some(), open);
            assert_eq!(Reader::<Embeddings>::open(&path).unwrap().read().unwrap(), table);
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_named_by_its_row_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.parquet");
        let mut table = embeddings(50_000, 4);
        table.embedding.values[4 * 40_001 + 2] = f32::NAN;
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_max_row_group_row_count(Some(9_000));
        as_others_do(&path, table, properties.build());
        let reader = Reader::<Embeddings>::open(&path).unwrap();
        let found = reader.read().unwrap_err().to_string();
        assert!(found.contains("row 40001") && found.contains("element 2"), "{found}");
        let mut batches = reader.batches(700);
        let streamed = batches.find_map(Result::err).unwrap().to_string();
        assert_eq!(streamed, found);
        assert!(batches.next().is_none(), "nothing follows an error");
    }

    #[test]
    fn runs_are_taken_apart() {
        let runs = |bytes: &[u8], count| {
            let mut levels = Vec::new();
            each_run(bytes, count, |level, length| {
                levels.extend(std::iter::repeat_n(level, length));
                Some(())
            })?;
            Some(levels)
        };
        // 200 ones, then eight packed bits of which four count.
        let bytes = [0x90, 0x03, 1, 0x03, 0b0101];
        let levels = runs(&bytes, 204).unwrap();
        assert!(levels[..200].iter().all(|&level| level));
        assert_eq!(levels[200..], [true, false, true, false]);
        assert_eq!(runs(&bytes, 209), None, "too short");
        assert_eq!(runs(&[0x00, 1], 1), None, "an empty run");
        assert_eq!(runs(&[0x10, 2], 8), None, "a level beyond one bit");
        assert_eq!(runs(&[0xff; 12], 8), None, "a length without end");
    }
}
