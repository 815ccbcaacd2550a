//! What a Parquet file says of itself, and the comparison with what it holds.
//!
//! A footer is believed when its columns lie inside the file and its counts agree; the pages of a
//! column when their headers fill its bytes exactly, hold as many values as the footer says, and unpack
//! to no more than their bytes can hold. All of it is done before memory is taken for any of it.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
    sync::Arc,
};

use fs_err::File;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    },
    basic::Compression,
    file::metadata::{
        ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
    },
};

use crate::{
    Error, Result,
    guard::guarded,
    thrift::{Compact, FALSE, I32, LIST, STRUCT},
};

/// Length of the footer and `PAR1`, at the end of the file.
const TAIL: usize = 8;
/// A page that unpacks to no more is believed whatever its packed size: readers hold a few at a time.
const SMALL_PAGE: u64 = 64 << 20;
/// How many times larger than its packed bytes a larger page, or a row of lists, may be to be believed.
pub(crate) const MOST_COMPRESSED: u64 = 1000;
/// Values of lists that are believed whatever their bytes: one row may hold them all.
const SMALL_LISTS: u64 = 64 << 20;
/// Bytes read at a time in search of a page's header.
const HEADER: usize = 512;
/// Headers may carry the least and the largest value, but nothing makes them larger than this.
const LONGEST_HEADER: usize = 16 << 20;

/// The footer of a file, compared with the file's length.
pub(crate) fn read(path: &Path) -> Result<ArrowReaderMetadata> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let lie = |message: String| Error::Parquet { path: path.to_owned(), message };
    let bytes = footer_bytes(&mut file, length, &lie)?;
    if plausible_schema(&bytes).is_none() {
        return Err(lie("its footer is damaged".to_owned()));
    }
    let footer = guarded(path, || {
        let metadata = ParquetMetaDataReader::decode_metadata(&bytes)?;
        ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::default())
    })?;
    let footer = footer.map_err(|error| lie(error.to_string()))?;
    refuse_lies(footer.metadata(), length).map_err(lie)?;
    Ok(footer)
}

fn footer_bytes(file: &mut File, length: u64, lie: &dyn Fn(String) -> Error) -> Result<Vec<u8>> {
    let Some(before) = length.checked_sub(TAIL as u64) else {
        return Err(lie(format!("it has {length} bytes")));
    };
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    match &magic {
        b"PAR1" => {}
        b"PARE" => return Err(lie("it is encrypted".to_owned())),
        _ => return Err(lie("it does not end as a Parquet file does".to_owned())),
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let Some(start) = before.checked_sub(size) else {
        return Err(lie(format!("its footer is said to take {size} bytes, the file has {length}")));
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the schema is a tree of the elements that are there, and no deep one: the decoder recurses
/// into it, and takes memory for as many children as an element claims.
fn plausible_schema(footer: &[u8]) -> Option<()> {
    const SCHEMA: i64 = 2;
    const CHILDREN: i64 = 5;
    const DEEPEST: usize = 64;
    // How many children are still to come at each depth.
    let mut open: Vec<i64> = Vec::new();
    Compact::new(footer).fields(|bytes, id, kind| {
        if (id, kind) != (SCHEMA, LIST) {
            return Some(false);
        }
        let (_, elements) = bytes.list()?;
        for _ in 0..elements {
            let mut children = 0;
            bytes.fields(|bytes, id, kind| {
                let wanted = (id, kind) == (CHILDREN, I32);
                if wanted {
                    children = bytes.integer()?;
                }
                Some(wanted)
            })?;
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                (children as u64 <= elements && open.len() < DEEPEST).then_some(())?;
                open.push(children);
            }
            while open.last() == Some(&0) {
                open.pop();
            }
        }
        open.is_empty().then_some(true)
    })
}

/// A footer that promises more than the file holds is refused.
fn refuse_lies(metadata: &ParquetMetaData, length: u64) -> Result<(), String> {
    let mut rows = 0_i64;
    for group in metadata.row_groups() {
        if group.num_rows() < 0 {
            return Err(format!("a row group is said to have {} rows", group.num_rows()));
        }
        rows = rows.saturating_add(group.num_rows());
        for column in group.columns() {
            let name = || column.column_path().string();
            let Some((start, size)) = span(column) else {
                return Err(format!("column `{}` is said to lie before the file", name()));
            };
            let end = start.saturating_add(size);
            if end > length {
                return Err(format!(
                    "column `{}` is said to end at byte {end}, the file has {length}",
                    name()
                ));
            }
            let (values, rows) = (column.num_values(), group.num_rows());
            let flat = column.column_descr().max_rep_level() == 0;
            if values < 0 || (flat && values != rows) {
                return Err(format!(
                    "column `{}` is said to hold {values} values in {rows} rows",
                    name()
                ));
            }
        }
    }
    match metadata.file_metadata().num_rows() {
        promised if promised == rows => Ok(()),
        promised => Err(format!("the footer promises {promised} rows, its row groups {rows}")),
    }
}

/// Where a column's bytes start and how many they are.
fn span(column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    // Not believed where it is negative: the decoder subtracts it.
    u64::try_from(column.data_page_offset()).ok()?;
    u64::try_from(column.uncompressed_size()).ok()?;
    Some((u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?))
}

/// Compares the headers of all pages of some row groups and columns with the footer.
///
/// # Errors
/// [`Error::Parquet`] where a page reaches beyond its column, unpacks to more than its bytes can hold,
/// or the pages hold another number of values than the footer promises.
pub(crate) fn survey(
    path: &Path,
    metadata: &ParquetMetaData,
    groups: Range<usize>,
    columns: &ProjectionMask,
) -> Result<()> {
    let mut file = File::open(path)?;
    for group in &metadata.row_groups()[groups] {
        for (leaf, column) in group.columns().iter().enumerate() {
            if columns.leaf_included(leaf) {
                survey_column(&mut file, path, group, column)?;
            }
        }
    }
    Ok(())
}

fn survey_column(
    file: &mut File,
    path: &Path,
    group: &RowGroupMetaData,
    column: &ColumnChunkMetaData,
) -> Result<()> {
    let lie = |message: String| {
        let name = column.column_path().string();
        Error::Parquet { path: path.to_owned(), message: format!("column `{name}`: {message}") }
    };
    let Some((mut at, mut left)) = span(column) else {
        return Err(lie("it is said to lie before the file".to_owned()));
    };
    let promised = column.num_values().max(0) as u64;
    let (mut values, mut unpacked) = (0_u64, 0_u64);
    let packed = left;
    while left > 0 {
        let Some(page) = page_header(file, at, left)? else {
            return Err(lie(format!("there is no page at byte {at}")));
        };
        let room = left.checked_sub(page.header).filter(|room| page.packed <= *room);
        let Some(room) = room else {
            return Err(lie(format!("the page at byte {at} reaches beyond the column")));
        };
        if !believed(&page) {
            let Page { packed, unpacked, .. } = page;
            return Err(lie(format!(
                "the page at byte {at} is said to unpack from {packed} to {unpacked} bytes"
            )));
        }
        if matches!(column.compression(), Compression::BROTLI(_))
            && !unpacks_as_promised(file, at, &page)?
        {
            return Err(lie(format!(
                "the page at byte {at} unpacks to another length than it says"
            )));
        }
        unpacked = unpacked.saturating_add(page.unpacked);
        if page.of_data {
            values = values.saturating_add(page.values);
        }
        at += page.header + page.packed;
        left = room - page.packed;
    }
    if values != promised {
        let rows = group.num_rows();
        return Err(lie(format!(
            "its pages hold {values} values, the footer promises {promised} in {rows} rows"
        )));
    }
    // A row may hold them all, and memory for a row is taken at once.
    let lists = column.column_descr().max_rep_level() > 0;
    if lists && values > SMALL_LISTS && values / MOST_COMPRESSED > packed.max(unpacked) {
        return Err(lie(format!("its lists are said to hold {values} values in {packed} bytes")));
    }
    Ok(())
}

/// Whether a page may unpack to as much as it says.
fn believed(page: &Page) -> bool {
    page.unpacked <= SMALL_PAGE || page.unpacked / MOST_COMPRESSED <= page.packed
}

/// Whether the Brotli data of a page are as long as its header says. The other methods pack a
/// thousand bytes into one at most, and the decoder of the `parquet` crate unpacks until it has them
/// all; Brotli packs without bound.
fn unpacks_as_promised(file: &mut File, at: u64, page: &Page) -> Result<bool> {
    let (Some(packed), Some(unpacked)) =
        (page.packed.checked_sub(page.levels), page.unpacked.checked_sub(page.levels))
    else {
        return Ok(false);
    };
    if page.stored || unpacked == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(at + page.header + page.levels))?;
    let data = brotli_decompressor::Decompressor::new(file.take(packed), 1 << 13);
    let found = io::copy(&mut data.take(unpacked + 1), &mut io::sink());
    Ok(found.is_ok_and(|found| found == unpacked))
}

/// What a page says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Page {
    /// Bytes of the header.
    header: u64,
    packed: u64,
    unpacked: u64,
    values: u64,
    /// Neither a dictionary nor an index.
    of_data: bool,
    /// Bytes of levels that are not packed, in front of the others.
    levels: u64,
    /// Whether nothing of it is packed.
    stored: bool,
}

/// The header of the page at a place in the file; none where there is none within `room` bytes.
fn page_header(file: &mut File, at: u64, room: u64) -> Result<Option<Page>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    let mut window = HEADER;
    loop {
        let more = (window - bytes.len()) as u64;
        let limit = room.saturating_sub(bytes.len() as u64).min(more);
        let read = (&mut *file).take(limit).read_to_end(&mut bytes)?;
        if let Some(page) = parse_page(&bytes) {
            return Ok(Some(page));
        }
        if read == 0 || window >= LONGEST_HEADER {
            return Ok(None);
        }
        window *= 8;
    }
}

fn parse_page(bytes: &[u8]) -> Option<Page> {
    const KIND: i64 = 1;
    const UNPACKED: i64 = 2;
    const PACKED: i64 = 3;
    const DATA: i64 = 5;
    const DATA_V2: i64 = 8;
    let mut page = Page::default();
    let mut sizes = [None; 2];
    let mut compact = Compact::new(bytes);
    compact.fields(|bytes, id, kind| {
        match (id, kind) {
            (UNPACKED, I32) => sizes[0] = Some(bytes.integer()?),
            (PACKED, I32) => sizes[1] = Some(bytes.integer()?),
            (KIND, I32) => page.of_data = matches!(bytes.integer()?, 0 | 3),
            (DATA | DATA_V2, STRUCT) => {
                let second = id == DATA_V2;
                bytes.fields(|bytes, id, kind| {
                    match (id, kind) {
                        (1, I32) => page.values = u64::try_from(bytes.integer()?).ok()?,
                        (5 | 6, I32) if second => {
                            page.levels += u64::try_from(bytes.integer()?).ok()?;
                        }
                        (7, FALSE) if second => page.stored = true,
                        _ => return Some(false),
                    }
                    Some(true)
                })?;
            }
            _ => return Some(false),
        }
        Some(true)
    })?;
    page.unpacked = u64::try_from(sizes[0]?).ok()?;
    page.packed = u64::try_from(sizes[1]?).ok()?;
    page.header = compact.at() as u64;
    Some(page)
}

#[cfg(test)]
mod tests;
