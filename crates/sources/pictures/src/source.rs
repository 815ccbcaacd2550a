//! The encoded pictures of a folder or a Parquet column, by row, in bounded memory.

use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, cast::AsArray},
    compute::cast,
    datatypes::DataType,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{RowSelection, RowSelector},
    },
    file::metadata::RowGroupMetaData,
};
use scarce_artifact::{RecordBatches, open_parquet};

use crate::{
    Error, PictureColumn, Result, Unreadable,
    folder::{self, Listing, Validation},
};

/// Encoded pictures that are held together, at most.
const ROWS_AT_ONCE: usize = 256;
/// Columns in which `img2dataset` says what became of a row: `success`, or why there is no picture.
const STATUS: [&str; 2] = ["status", "error_message"];
/// Bytes of encoded pictures that a batch of a Parquet file should hold.
const BATCH_BYTES: u64 = 64 << 20;

/// How a source is read: as `ingest` was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// With a folder: what becomes of `validation`.
    pub validation: Validation,
    /// With a Parquet file: the column of encoded pictures.
    pub image_column: String,
    /// With a Parquet file: the column of names; by default the paths beside the bytes, else the
    /// rows.
    pub name_column: Option<String>,
}

impl Default for SourceOptions {
    fn default() -> Self {
        let image_column = "image".to_owned();
        Self { validation: Validation::default(), image_column, name_column: None }
    }
}

/// Where pictures lie. Rows count as `ingest` counts them, and [`names`](Self::names) are what it
/// writes into the column `source`.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    names: Vec<String>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Folder(Listing),
    Parquet(SourceOptions),
}

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Row of the source.
    pub row: usize,
    /// Its name.
    pub name: String,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File {
        path: PathBuf,
        problem: Option<String>,
    },
    /// `why` is what the file says of a row without a picture.
    Cell {
        column: Arc<PictureColumn>,
        row: usize,
        why: String,
    },
}

impl Encoded {
    /// Whether it is a file of its own.
    pub fn is_file(&self) -> bool {
        matches!(self.place, Place::File { .. })
    }

    /// The bytes; of a folder they are read only now, so that threads can do it side by side.
    ///
    /// # Errors
    /// A file that cannot be read, or a missing value.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, Unreadable> {
        match &self.place {
            Place::File { problem: Some(problem), .. } => Err(Unreadable::File(problem.clone())),
            Place::File { path, .. } => {
                // The system's words without the path, which the name stands for.
                let reason = |error: std::io::Error| {
                    Unreadable::File(format!("it cannot be read: {}", error.kind()))
                };
                fs_err::read(path).map(Cow::Owned).map_err(reason)
            }
            Place::Cell { column, row, why } => column
                .encoded(*row)
                .map(Cow::Borrowed)
                .ok_or_else(|| Unreadable::File(format!("the image is missing{why}"))),
        }
    }
}

impl Source {
    /// Opens a folder or a Parquet file and reads the names.
    ///
    /// # Errors
    /// A layout that is not understood, a file that is no Parquet, a missing column.
    pub fn open(path: &Path, options: &SourceOptions) -> Result<Self> {
        if fs_err::metadata(path)?.is_dir() {
            return Ok(Self::of_listing(path, folder::list(path, options.validation)?));
        }
        let names = parquet_names(path, options)?;
        Ok(Self { path: path.to_owned(), names, form: Form::Parquet(options.clone()) })
    }

    /// A folder that is listed already.
    pub fn of_listing(path: &Path, listing: Listing) -> Self {
        let names = listing.files.iter().map(|file| file.name.clone()).collect();
        Self { path: path.to_owned(), names, form: Form::Folder(listing) }
    }

    /// The folder or file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of each row.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The row of each of these names, as an images table has them in `source`.
    ///
    /// # Errors
    /// A name that no row has, or several.
    pub fn find<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Result<Vec<usize>> {
        let mut rows: HashMap<&str, (usize, bool)> = HashMap::with_capacity(self.names.len());
        for (row, name) in self.names.iter().enumerate() {
            rows.entry(name).and_modify(|(_, several)| *several = true).or_insert((row, false));
        }
        let wrong = |message: String, help: &str| Error::Name {
            path: self.path.clone(),
            message,
            help: help.to_owned(),
        };
        let row = |name: &String| match rows.get(name.as_str()) {
            Some((row, false)) => Ok(*row),
            Some((_, true)) => Err(wrong(
                format!("several rows are called `{name}`"),
                "name a column with a different name in every row by `name_column`",
            )),
            None => Err(wrong(
                format!("there is no picture `{name}`"),
                "give the same folder or file that the images came from, with the same columns",
            )),
        };
        names.into_iter().map(row).collect()
    }

    /// The encoded pictures of `rows`, which are sorted, batch by batch.
    ///
    /// # Errors
    /// A Parquet file that cannot be opened; while iterating, that it cannot be read on. Pictures
    /// that cannot be read are an error of their own [`bytes`](Encoded::bytes) only.
    pub fn encoded(&self, rows: &[usize]) -> Result<EncodedBatches> {
        match &self.form {
            Form::Folder(listing) => {
                let files = rows.iter().filter_map(|&row| {
                    let file = listing.files.get(row)?;
                    let place =
                        Place::File { path: file.path.clone(), problem: file.problem.clone() };
                    Some(Encoded { row, name: file.name.clone(), place })
                });
                Ok(EncodedBatches(Batches::Files(files.collect::<Vec<_>>().into_iter())))
            }
            Form::Parquet(options) => {
                let reader = open_rows(&self.path, &options.image_column, rows)?;
                let names = rows.iter().map(|&row| self.names.get(row).cloned());
                Ok(EncodedBatches(Batches::Cells {
                    path: self.path.clone(),
                    column: options.image_column.clone(),
                    reader: Box::new(reader),
                    rows: rows
                        .iter()
                        .copied()
                        .zip(names.map(Option::unwrap_or_default))
                        .collect::<Vec<_>>()
                        .into_iter(),
                }))
            }
        }
    }
}

/// Batches of encoded pictures; see [`Source::encoded`].
pub struct EncodedBatches(Batches);

enum Batches {
    Files(std::vec::IntoIter<Encoded>),
    Cells {
        path: PathBuf,
        column: String,
        reader: Box<RecordBatches>,
        rows: std::vec::IntoIter<(usize, String)>,
    },
}

impl Iterator for EncodedBatches {
    type Item = Result<Vec<Encoded>>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Batches::Files(files) => {
                let batch: Vec<Encoded> = files.take(ROWS_AT_ONCE).collect();
                (!batch.is_empty()).then_some(Ok(batch))
            }
            Batches::Cells { path, column, reader, rows } => {
                let batch = match reader.next()? {
                    Ok(batch) => batch,
                    Err(error) => return Some(Err(error.into())),
                };
                let pictures = batch.schema().index_of(column).unwrap_or(0);
                let cells = match PictureColumn::new(path, column, batch.column(pictures)) {
                    Ok(cells) => Arc::new(cells),
                    Err(error) => return Some(Err(error)),
                };
                let status = status(&batch, pictures);
                let encoded = |(at, (row, name)): (usize, (usize, String))| {
                    let why = why(&status, at);
                    let place = Place::Cell { column: Arc::clone(&cells), row: at, why };
                    Encoded { row, name, place }
                };
                Some(Ok(rows.take(batch.num_rows()).enumerate().map(encoded).collect()))
            }
        }
    }
}

/// The columns of a batch in which `img2dataset` says what became of a row.
fn status(batch: &RecordBatch, pictures: usize) -> Vec<ArrayRef> {
    let others = batch.columns().iter().enumerate().filter(|(at, _)| *at != pictures);
    others.filter_map(|(_, column)| cast(column, &DataType::LargeUtf8).ok()).collect()
}

/// What they say of one row, in brackets.
fn why(status: &[ArrayRef], row: usize) -> String {
    let words = status.iter().map(AsArray::as_string::<i64>);
    let words = words.filter(|words| !words.is_null(row)).map(|words| words.value(row));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(": ")) }
}

/// The column of a Parquet file by position: a name may hold a dot, which a path would split.
fn position(path: &Path, names: &[&str], column: &str) -> Result<usize> {
    names.iter().position(|name| *name == column).ok_or_else(|| {
        let help = format!("the columns are `{}`", names.join("`, `"));
        Error::column(path, column, "there is no such column", help)
    })
}

fn open_rows(path: &Path, column: &str, rows: &[usize]) -> Result<RecordBatches> {
    let builder = open_parquet(path)?;
    let schema = builder.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let at = position(path, &names, column)?;
    let says = |at: &usize| {
        let field = schema.field(*at);
        STATUS.contains(&field.name().as_str()) && field.data_type().is_string()
    };
    let status = (0..names.len()).filter(|other| *other != at).filter(says);
    let mask = ProjectionMask::roots(builder.parquet_schema(), std::iter::once(at).chain(status));
    let metadata = builder.metadata();
    let total = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let bytes: i64 = metadata.row_groups().iter().map(RowGroupMetaData::total_byte_size).sum();
    let per_row = (bytes.max(0) as u64 / total.max(1) as u64).max(1);
    let at_once = (BATCH_BYTES / per_row).clamp(1, ROWS_AT_ONCE as u64) as usize;
    let selected = builder.with_projection(mask).with_row_selection(selection(rows, total));
    Ok(selected.with_batch_size(at_once).build()?)
}

/// Sorted rows as what to skip and what to read.
fn selection(rows: &[usize], total: usize) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    let mut rows = rows.iter().copied().filter(|&row| row < total).peekable();
    while let Some(start) = rows.next() {
        let mut end = start + 1;
        while rows.next_if_eq(&end).is_some() {
            end += 1;
        }
        if start > at {
            selectors.push(RowSelector::skip(start - at));
        }
        selectors.push(RowSelector::select(end - start));
        at = end;
    }
    if total > at {
        selectors.push(RowSelector::skip(total - at));
    }
    RowSelection::from(selectors)
}

/// The names as `ingest` writes them, without reading the pictures where their type allows.
fn parquet_names(path: &Path, options: &SourceOptions) -> Result<Vec<String>> {
    let builder = open_parquet(path)?;
    let schema = builder.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let image = position(path, &names, &options.image_column)?;
    let parquet = builder.parquet_schema();
    let paths = format!("{}.path", options.image_column);
    let leaf = parquet.columns().iter().position(|leaf| leaf.path().string() == paths);
    let mask = match (&options.name_column, leaf) {
        (Some(column), _) => ProjectionMask::roots(parquet, [position(path, &names, column)?]),
        (None, Some(leaf)) if parquet.get_column_root_idx(leaf) == image => {
            ProjectionMask::leaves(parquet, [leaf])
        }
        (None, _) => {
            let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
            return Ok((0..rows).map(|row| row.to_string()).collect());
        }
    };
    let wrong = |message: String| {
        let column = options.name_column.as_ref().unwrap_or(&options.image_column);
        Error::column(path, column, message, "names are text or whole numbers")
    };
    let reader = builder.with_projection(mask).build()?;
    let mut found: Vec<String> = Vec::new();
    for batch in reader {
        let batch = batch?;
        let column = batch.column(0);
        let inner = match column.data_type() {
            DataType::Struct(_) => column.as_struct().column(0),
            _ => column,
        };
        let text = cast(inner, &DataType::LargeUtf8).map_err(|error| wrong(error.to_string()))?;
        let text = text.as_string::<i64>();
        for row in 0..batch.num_rows() {
            let missing = column.is_null(row) || text.is_null(row);
            let at = found.len();
            found.push(if missing { at.to_string() } else { text.value(row).to_owned() });
        }
    }
    Ok(found)
}
