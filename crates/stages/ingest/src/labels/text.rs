//! Label files as text: CSV, and lists of labels or ids.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use csv::{ReaderBuilder, StringRecord};
use fs_err::File;

use super::read::{CLASSES, Columns, LabelFile, Wanted, no_column};
use crate::{Error, Result};

/// The labels of a CSV file without keys, one per row: its only column, or the one named `label` or
/// `class`. An empty cell is an unknown label.
pub(crate) fn read_column(path: &Path) -> Result<Vec<Option<String>>> {
    let mut lines = csv_reader(path, true)?;
    let headers = lines.headers().map_err(|error| csv_error(path, &error))?.clone();
    let named = CLASSES.iter().find_map(|known| position(&headers, known));
    let (at, mut first) = match (named, headers.len()) {
        (Some(at), _) => (at, None),
        // A single column without a heading: what looks like one is the first label.
        (None, 1) => (0, Some(headers.get(0).unwrap_or_default().to_owned())),
        (None, _) => return Err(no_column(path, &names(&headers), "classes", &CLASSES)),
    };
    let mut labels = Vec::new();
    labels.extend(first.take().map(Some));
    for record in lines.records() {
        let record = record.map_err(|error| csv_error(path, &error))?;
        let cell = record.get(at).unwrap_or_default().trim();
        labels.push((!cell.is_empty()).then(|| cell.to_owned()));
    }
    Ok(labels)
}

/// Whole numbers of a CSV file with a column `id` or `index`, or of one number a line; with lines.
pub(crate) fn read_ids(path: &Path) -> Result<Vec<(usize, u32)>> {
    let mut lines = csv_reader(path, false)?;
    let mut at = None;
    let mut ids = Vec::new();
    for record in lines.records() {
        let record = record.map_err(|error| csv_error(path, &error))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let is_first = at.is_none();
        let column = *match at {
            Some(ref found) => found,
            None => at.insert(match (position(&record, "id"), position(&record, "index")) {
                (Some(column), _) | (None, Some(column)) => column,
                (None, None) if record.len() == 1 => 0,
                (None, None) => {
                    return Err(no_column(path, &names(&record), "ids", &["id", "index"]));
                }
            }),
        };
        let cell = record.get(column).unwrap_or_default().trim();
        let heading =
            is_first && (cell.eq_ignore_ascii_case("id") || cell.eq_ignore_ascii_case("index"));
        if heading || cell.is_empty() {
            continue;
        }
        let id = cell.parse().map_err(|_| {
            let help = "ids are whole numbers from 0; see the `id` column of the images";
            Error::value(path, format!("line {line}"), format!("`{cell}` is no id"), help)
        })?;
        ids.push((line, id));
    }
    Ok(ids)
}

pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let mut lines = csv_reader(path, true)?;
    let headers = lines.headers().map_err(|error| csv_error(path, &error))?.clone();
    if headers.is_empty() {
        return Ok(LabelFile::empty("line"));
    }
    let names: Vec<&str> = headers.iter().collect();
    let columns = Columns::choose(path, &names, wanted)?;
    let mut file = LabelFile::empty("line");
    names[columns.key].trim().clone_into(&mut file.key_column);
    let separator = separator(path)?;
    for record in lines.records() {
        let record = record.map_err(|error| csv_error(path, &error))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        refuse_swallowed(path, &record, line, &columns, separator)?;
        let cell = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        let annotator = columns.annotator.map(cell).filter(|name| !name.is_empty());
        file.push(path, line, cell(columns.key), cell(columns.class), annotator)?;
    }
    Ok(file)
}

/// A quote that is never closed takes all rows up to the next one into its cell.
fn refuse_swallowed(
    path: &Path,
    record: &StringRecord,
    line: usize,
    columns: &Columns,
    separator: u8,
) -> Result<()> {
    let mut opened = line;
    for (at, cell) in record.iter().enumerate() {
        let more = cell.bytes().filter(|&byte| byte == b'\n').count();
        let count = |line: &str| line.bytes().filter(|&byte| byte == separator).count() + 1;
        let like_a_row = |line: &str| record.len() > 1 && count(line) >= record.len();
        let swallowed = more > 0
            && (at == columns.key || at == columns.class || cell.lines().skip(1).any(like_a_row));
        if swallowed {
            let message = format!(
                "a quote opens here and takes in the lines up to {}, which look like rows",
                opened + more
            );
            let help = "close the quote, or double it (`\"\"`) if it belongs to the text";
            return Err(Error::value(path, format!("line {opened}"), message, help));
        }
        opened += more;
    }
    Ok(())
}

fn names(record: &StringRecord) -> Vec<&str> {
    record.iter().collect()
}

fn position(record: &StringRecord, name: &str) -> Option<usize> {
    record.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name))
}

/// Whatever separates most cells of the first line separates all.
fn separator(path: &Path) -> Result<u8> {
    let mut file = BufReader::new(File::open(path)?);
    let first = file.fill_buf()?;
    let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.split(|&byte| byte == separator).count();
    let most = [b',', b';', b'\t'].into_iter().rev().max_by_key(|&separator| count(separator));
    Ok(most.unwrap_or(b','))
}

fn csv_reader(path: &Path, headers: bool) -> Result<csv::Reader<BufReader<File>>> {
    let separator = separator(path)?;
    let file = BufReader::new(File::open(path)?);
    // The crate skips a byte-order mark itself.
    Ok(ReaderBuilder::new().has_headers(headers).delimiter(separator).from_reader(file))
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let place = error.position().map_or("the file".to_owned(), |at| format!("line {}", at.line()));
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells, the lines before {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    let help = "every line has the cells that the first line names, separated the same way";
    Error::value(path, place, message, help)
}
