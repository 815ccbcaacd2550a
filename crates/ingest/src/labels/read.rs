//! Label files: CSV, JSON lines, Parquet; each row a key (file name or id) and a class.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use csv::{ReaderBuilder, StringRecord};
use fs_err::File;
use serde_json::Value;

use crate::{
    Error, Result,
    classes::nearest,
    columns::{self, Table},
    stream,
};

/// Names that a column of keys goes by, in order of preference.
const KEYS: [&str; 7] = ["file", "filename", "file_name", "path", "image", "source", "id"];
/// Names that a column of classes goes by.
const CLASSES: [&str; 2] = ["label", "class"];

/// A row of a label file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Line of the file, counted from 1; for Parquet the row, counted from 0.
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) class: String,
}

/// The rows of a label file that have a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelFile {
    pub(super) key_column: String,
    pub(super) entries: Vec<Entry>,
    /// What an entry's number counts: `line` or `row`.
    pub(super) unit: &'static str,
}

/// Columns that the user names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) class: Option<&'a str>,
}

/// Reads a file whose form its first bytes and its extension tell.
pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if stream::first_bytes(path, 4)? == columns::MAGIC {
        read_parquet(path, wanted)
    } else if matches!(extension.as_deref(), Some("jsonl" | "ndjson" | "json")) {
        read_json(path, wanted)
    } else {
        read_csv(path, wanted)
    }
}

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
        (None, _) => return Err(no_column(path, &headers, "classes", &CLASSES)),
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
                (None, None) => return Err(no_column(path, &record, "ids", &["id", "index"])),
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

fn read_csv(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let mut lines = csv_reader(path, true)?;
    let headers = lines.headers().map_err(|error| csv_error(path, &error))?.clone();
    if headers.is_empty() {
        return Ok(LabelFile { key_column: String::new(), entries: Vec::new(), unit: "line" });
    }
    let names: Vec<&str> = headers.iter().collect();
    let key = choose(path, &names, wanted.key, "file names or ids", &KEYS)?;
    let class = choose(path, &names, wanted.class, "classes", &CLASSES)?;
    let mut entries = Vec::new();
    for record in lines.records() {
        let record = record.map_err(|error| csv_error(path, &error))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let cell = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        push(path, "line", &mut entries, line, cell(key), cell(class))?;
    }
    Ok(LabelFile { key_column: names[key].trim().to_owned(), entries, unit: "line" })
}

fn read_json(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let mut entries = Vec::new();
    let mut columns: Option<(String, String)> = None;
    for (index, text) in BufReader::new(File::open(path)?).lines().enumerate() {
        let line = index + 1;
        let wrong =
            |message: String, help: &str| Error::value(path, format!("line {line}"), message, help);
        let help = "every line is one object, such as {\"file\": \"a.png\", \"label\": \"cat\"}";
        let text = text.map_err(|error| wrong(error.to_string(), "save the file as UTF-8"))?;
        if text.trim().is_empty() {
            continue;
        }
        let row: serde_json::Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string(), help))?;
        if columns.is_none() {
            let names: Vec<&str> = row.keys().map(String::as_str).collect();
            let key = choose(path, &names, wanted.key, "file names or ids", &KEYS)?;
            let class = choose(path, &names, wanted.class, "classes", &CLASSES)?;
            columns = Some((names[key].to_owned(), names[class].to_owned()));
        }
        let Some((key, class)) = &columns else { continue };
        let cell = |name: &str| match row.get(name) {
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            None | Some(Value::Null) => Ok(String::new()),
            Some(other) => Err(wrong(format!("`{name}` is {other}"), help)),
        };
        push(path, "line", &mut entries, line, cell(key)?, cell(class)?)?;
    }
    let key_column = columns.map(|(key, _)| key).unwrap_or_default();
    Ok(LabelFile { key_column, entries, unit: "line" })
}

fn read_parquet(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let table = Table::open(path)?;
    let names: Vec<&str> = table.names().iter().map(String::as_str).collect();
    let key = names[choose(path, &names, wanted.key, "file names or ids", &KEYS)?];
    let class = names[choose(path, &names, wanted.class, "classes", &CLASSES)?];
    let mut entries = Vec::new();
    for batch in table.batches(&[key, class], 1 << 16)? {
        let batch = batch?;
        let keys = batch.words(key)?.into_text();
        let classes = batch.words(class)?.into_text();
        for (row, (key, class)) in keys.into_iter().zip(classes).enumerate() {
            let (key, class) = (key.unwrap_or_default(), class.unwrap_or_default());
            push(path, "row", &mut entries, batch.first_row + row, key, class)?;
        }
    }
    Ok(LabelFile { key_column: key.to_owned(), entries, unit: "row" })
}

/// Rows without a label are images that are not labelled yet.
fn push(
    path: &Path,
    unit: &str,
    entries: &mut Vec<Entry>,
    line: usize,
    key: String,
    class: String,
) -> Result<()> {
    if class.is_empty() {
        return Ok(());
    }
    if key.is_empty() {
        let help = "every labelled row names its image";
        return Err(Error::value(path, format!("{unit} {line}"), "the image is missing", help));
    }
    entries.push(Entry { line, key, class });
    Ok(())
}

/// The position of the column that the user names, or of the first that goes by a known name.
fn choose(
    path: &Path,
    names: &[&str],
    wanted: Option<&str>,
    what: &str,
    known: &[&str],
) -> Result<usize> {
    let find =
        |wanted: &str| names.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
    if let Some(wanted) = wanted {
        return find(wanted).ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Error::column(path, wanted, "there is no such column", nearest(wanted, &names))
        });
    }
    known
        .iter()
        .find_map(|name| find(name))
        .ok_or_else(|| no_column(path, &StringRecord::from(names.to_vec()), what, known))
}

fn no_column(path: &Path, names: &StringRecord, what: &str, known: &[&str]) -> Error {
    let found: Vec<&str> = names.iter().collect();
    Error::column(
        path,
        &found.join("`, `"),
        format!("no column is recognised as the one of {what}"),
        format!("call it `{}`, or name it in the parameters", known.join("`, `")),
    )
}

fn position(record: &StringRecord, name: &str) -> Option<usize> {
    record.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name))
}

/// Whatever separates most cells of the first line separates all.
fn csv_reader(path: &Path, headers: bool) -> Result<csv::Reader<BufReader<File>>> {
    let mut file = BufReader::new(File::open(path)?);
    let first = file.fill_buf()?;
    let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.split(|&byte| byte == separator).count();
    let separator = [b',', b';', b'\t'].into_iter().rev().max_by_key(|&separator| count(separator));
    // The crate skips a byte-order mark itself.
    Ok(ReaderBuilder::new()
        .has_headers(headers)
        .delimiter(separator.unwrap_or(b','))
        .from_reader(file))
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
