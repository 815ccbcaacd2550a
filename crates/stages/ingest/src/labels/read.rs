//! Label files of any form; each row a key (file name or id) and a class.

use std::path::Path;

use super::{Params, json, matching::compose, text};
use crate::{
    Error, Result,
    classes::nearest,
    columns::{self, Table},
    stream,
};

/// Names that a column of keys goes by, in order of preference.
pub(super) const KEYS: [&str; 8] =
    ["file", "filename", "file_name", "path", "image", "source", "id", "image_id"];
/// Names that a column of classes goes by; `choice` is what Label Studio calls it.
pub(super) const CLASSES: [&str; 4] = ["label", "class", "choice", "category"];
/// The name of the column that says who labelled.
pub(super) const ANNOTATOR: &str = "annotator";

/// A row of a label file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Line of the file, counted from 1; for other forms what [`LabelFile::unit`] counts.
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) class: String,
    /// Who says so, where the file tells.
    pub(super) annotator: Option<String>,
}

/// The rows of a label file that have a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelFile {
    pub(super) key_column: String,
    pub(super) entries: Vec<Entry>,
    /// What an entry's number counts: `line`, `row`, `task`.
    pub(super) unit: &'static str,
}

/// Columns that the user names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) class: Option<&'a str>,
}

/// Positions of the columns that are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) key: usize,
    pub(super) class: usize,
    pub(super) annotator: Option<usize>,
}

/// Reads a file whose form its first bytes and its extension tell.
pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if stream::first_bytes(path, 4)? == columns::MAGIC {
        read_parquet(path, wanted)
    } else if matches!(extension.as_deref(), Some("jsonl" | "ndjson" | "json")) {
        json::read(path, wanted)
    } else {
        text::read(path, wanted)
    }
}

impl LabelFile {
    pub(super) fn empty(unit: &'static str) -> Self {
        Self { key_column: String::new(), entries: Vec::new(), unit }
    }

    /// Adds a row. Rows without a label are images that are not labelled yet.
    pub(super) fn push(
        &mut self,
        path: &Path,
        line: usize,
        key: String,
        class: String,
        annotator: Option<String>,
    ) -> Result<()> {
        if class.is_empty() {
            return Ok(());
        }
        if key.is_empty() {
            let help = "every labelled row names its image";
            let place = format!("{} {line}", self.unit);
            return Err(Error::value(path, place, "the image is missing", help));
        }
        // One name, however it was typed.
        let class = compose(&class);
        self.entries.push(Entry { line, key, class, annotator });
        Ok(())
    }

    /// The rows of one person, if the parameters name one.
    pub(super) fn of_annotator(mut self, params: &Params) -> Result<Self> {
        let Some(wanted) = &params.annotator else { return Ok(self) };
        let mut known: Vec<String> =
            self.entries.iter().filter_map(|entry| entry.annotator.clone()).collect();
        known.sort();
        known.dedup();
        self.entries.retain(|entry| entry.annotator.as_ref() == Some(wanted));
        if self.entries.is_empty() {
            let help = if known.is_empty() {
                format!("the file has no column `{ANNOTATOR}`: leave the parameter out")
            } else {
                nearest(wanted, &known)
            };
            let message = format!("no label is by the annotator `{wanted}`");
            return Err(Error::value(&params.path, "the file", message, help));
        }
        Ok(self)
    }
}

impl Columns {
    /// Those that the user names, or the first that go by known names.
    pub(super) fn choose(path: &Path, names: &[&str], wanted: Wanted<'_>) -> Result<Self> {
        let annotator = find(names, ANNOTATOR);
        Ok(Self {
            key: choose(path, names, wanted.key, "file names or ids", &KEYS)?,
            class: choose(path, names, wanted.class, "classes", &CLASSES)?,
            annotator,
        })
    }
}

fn find(names: &[&str], wanted: &str) -> Option<usize> {
    names.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted))
}

fn read_parquet(path: &Path, wanted: Wanted<'_>) -> Result<LabelFile> {
    let table = Table::open(path)?;
    let names: Vec<&str> = table.names().iter().map(String::as_str).collect();
    let columns = Columns::choose(path, &names, wanted)?;
    let (key, class) = (names[columns.key], names[columns.class]);
    let annotator = columns.annotator.map(|at| names[at]);
    let mut file = LabelFile::empty("row");
    key.clone_into(&mut file.key_column);
    let read: Vec<&str> = [key, class].into_iter().chain(annotator).collect();
    for batch in table.batches(&read, 1 << 16)? {
        let batch = batch?;
        let keys = batch.words(key)?.into_text();
        let classes = batch.words(class)?.into_text();
        let mut annotators = match annotator {
            Some(column) => batch.words(column)?.into_text().into_iter(),
            None => Vec::new().into_iter(),
        };
        for (row, (key, class)) in keys.into_iter().zip(classes).enumerate() {
            let (key, class) = (key.unwrap_or_default(), class.unwrap_or_default());
            let annotator = annotators.next().flatten();
            file.push(path, batch.first_row + row, key, class, annotator)?;
        }
    }
    Ok(file)
}

/// The position of the column that the user names, or of the first that goes by a known name.
fn choose(
    path: &Path,
    names: &[&str],
    wanted: Option<&str>,
    what: &str,
    known: &[&str],
) -> Result<usize> {
    if let Some(wanted) = wanted {
        return find(names, wanted).ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Error::column(path, wanted, "there is no such column", nearest(wanted, &names))
        });
    }
    known
        .iter()
        .find_map(|name| find(names, name))
        .ok_or_else(|| no_column(path, names, what, known))
}

pub(super) fn no_column(path: &Path, names: &[&str], what: &str, known: &[&str]) -> Error {
    Error::column(
        path,
        &names.join("`, `"),
        format!("no column is recognised as the one of {what}"),
        format!("call it `{}`, or name it in the parameters", known.join("`, `")),
    )
}
