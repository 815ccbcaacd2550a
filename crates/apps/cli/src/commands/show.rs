//! `scarce show TABLE`: what a Parquet file holds, without loading it.

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use parquet::file::{
    metadata::ParquetMetaData,
    reader::{FileReader, SerializedFileReader},
    statistics::Statistics,
};
use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};
use scarce_stage::counted;
use serde_json::{Map, Value, json};

use super::{
    pictures, place,
    stages::{plain_table, trimmed},
};
use crate::{args::ShowArgs, error::CliError, output::Output};

/// Pictures drawn on a terminal unless told otherwise.
const PICTURES: usize = 4;
/// A stage varies over fewer axes than this.
const DEEPEST: usize = 32;

/// Shows every table that the argument names. As JSON, an object for a file and a list for a folder.
pub(crate) fn run(args: &ShowArgs, artifacts: &Path, out: &mut Output) -> Result<(), CliError> {
    let found = find(&args.table, artifacts)?;
    if !out.json() {
        for path in found.paths() {
            show(path, args, out)?;
        }
        return Ok(());
    }
    match found {
        Found::File(path) => out.print_json(&read(&path, args.rows, as_json)?),
        Found::Folder(paths) => {
            let tables = paths.iter().map(|path| read(path, args.rows, as_json));
            out.print_json(&tables.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// What an argument names.
enum Found {
    File(PathBuf),
    /// Of a folder, sorted.
    Folder(Vec<PathBuf>),
}

impl Found {
    fn paths(&self) -> &[PathBuf] {
        match self {
            Self::File(path) => std::slice::from_ref(path),
            Self::Folder(paths) => paths,
        }
    }
}

/// A file; or the Parquet files of a folder, given as such or as a place under the runs.
fn find(name: &str, artifacts: &Path) -> Result<Found, CliError> {
    let given = PathBuf::from(name);
    let mut folder = if given.exists() { given } else { place::under_runs(name, artifacts) };
    if folder.is_file() {
        return Ok(Found::File(folder));
    }
    if !folder.is_dir() {
        return Err(place::no_table(name, artifacts));
    }
    for _ in 0..DEEPEST {
        let names = place::visible(&folder)?.into_iter();
        let (files, others): (Vec<PathBuf>, Vec<PathBuf>) =
            names.map(|name| folder.join(name)).partition(|path| is_parquet(path));
        if !files.is_empty() {
            return Ok(Found::Folder(files));
        }
        // A stage with axes: its first variant stands for all.
        let Some(first) = others.into_iter().find(|path| path.is_dir()) else { break };
        folder = first;
    }
    Err(place::no_table(name, artifacts))
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet") && path.is_file()
}

fn show(path: &Path, args: &ShowArgs, out: &mut Output) -> Result<(), CliError> {
    let text = read(path, args.rows, |path, metadata, head| {
        let place = path.display().to_string();
        [place, facts(metadata), columns(metadata, head), head_text(head)].join("\n")
    })?;
    out.line(&text)?;
    let wanted = if out.is_terminal() { PICTURES } else { 0 };
    pictures::draw(path, args.images.unwrap_or(wanted), out)
}

/// Footer and first rows of a file, made into something.
fn read<T>(
    path: &Path,
    rows: usize,
    made: impl FnOnce(&Path, &ParquetMetaData, &DataFrame) -> T,
) -> Result<T, CliError> {
    let unreadable = |message: String| CliError::Unreadable { path: path.to_owned(), message };
    let (footer, _) = fs_err::File::open(path)?.into_parts();
    let (file, _) = fs_err::File::open(path)?.into_parts();
    let read = || {
        let reader =
            SerializedFileReader::new(footer).map_err(|error| unreadable(error.to_string()))?;
        let head = ParquetReader::new(file).with_slice(Some((0, rows))).finish();
        let head = head.map_err(|error| unreadable(error.to_string()))?;
        Ok(made(path, reader.metadata(), &head))
    };
    caught(read).unwrap_or_else(|| Err(unreadable("the reader gave up on it".to_owned())))
}

/// Runs a reader of others, `None` if it panics. Those for Parquet promise errors, yet index, slice and
/// subtract by numbers that stand in the file: over some damage they panic, on a thread of theirs, and
/// neither this program nor a person is served by that. Nothing of theirs is used afterwards.
fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(loud);
    outcome.ok()
}

/// Table name, rows, and the `scarce.*` metadata.
fn facts(metadata: &ParquetMetaData) -> String {
    let meta = scarce_metadata(metadata);
    let name = meta.get("table").and_then(Value::as_str).unwrap_or("table");
    let rows = metadata.file_metadata().num_rows();
    let mut text = format!("{name}, {}", counted(rows.max(0) as usize, "row"));
    for (key, value) in meta.iter().filter(|(key, _)| !matches!(key.as_str(), "table" | "version"))
    {
        text += &format!("\n  {key} = {value}");
    }
    text
}

fn scarce_metadata(metadata: &ParquetMetaData) -> Map<String, Value> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let field = |pair: &parquet::file::metadata::KeyValue| {
        let key = pair.key.strip_prefix("scarce.")?.to_owned();
        let text = pair.value.clone()?;
        Some((key, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    };
    pairs.into_iter().flatten().filter_map(field).collect()
}

/// Name, type, smallest and largest value of each column, from the footer alone.
fn columns(metadata: &ParquetMetaData, head: &DataFrame) -> String {
    let mut table = plain_table();
    table.set_header([" column", "type", "min", "max", "nulls"]);
    for (at, column) in head.columns().iter().enumerate() {
        let range = range(metadata, at);
        let [min, max] = range.bounds.map_or_else(Default::default, |[a, b]| [a.text(), b.text()]);
        let nulls = range.nulls.to_string();
        let name = format!(" {}", column.name());
        table.add_row([name, column.dtype().to_string(), min, max, nulls]);
    }
    format!("\n{}\n", trimmed(&table))
}

/// What the footer says of a leaf column over all row groups.
struct Range {
    bounds: Option<[Bound; 2]>,
    nulls: u64,
}

#[derive(Clone)]
enum Bound {
    Number(f64),
    Text(String),
}

impl Bound {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => format!("{}", *number as f32),
            Self::Text(text) => text.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }

    fn less(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a < b,
            (Self::Text(a), Self::Text(b)) => a < b,
            _ => false,
        }
    }
}

fn range(metadata: &ParquetMetaData, column: usize) -> Range {
    let mut range = Range { bounds: None, nulls: 0 };
    for group in metadata.row_groups() {
        let statistics = group.columns().get(column).and_then(|chunk| chunk.statistics());
        let Some(statistics) = statistics else { continue };
        range.nulls += statistics.null_count_opt().unwrap_or(0);
        let Some([low, high]) = bounds(statistics) else { continue };
        range.bounds = Some(match range.bounds.take() {
            None => [low, high],
            Some([a, b]) => {
                [if low.less(&a) { low } else { a }, if b.less(&high) { high } else { b }]
            }
        });
    }
    range
}

fn bounds(statistics: &Statistics) -> Option<[Bound; 2]> {
    fn number<T: Copy>(pair: (Option<&T>, Option<&T>), to: fn(T) -> f64) -> Option<[Bound; 2]> {
        Some([Bound::Number(to(*pair.0?)), Bound::Number(to(*pair.1?))])
    }
    match statistics {
        Statistics::Int32(s) => number((s.min_opt(), s.max_opt()), f64::from),
        Statistics::Int64(s) => number((s.min_opt(), s.max_opt()), |x| x as f64),
        Statistics::Float(s) => number((s.min_opt(), s.max_opt()), f64::from),
        Statistics::Double(s) => number((s.min_opt(), s.max_opt()), |x| x),
        Statistics::Boolean(s) => {
            let text = |value: &bool| Bound::Text(value.to_string());
            Some([text(s.min_opt()?), text(s.max_opt()?)])
        }
        Statistics::ByteArray(s) => {
            let text = |bytes: &parquet::data_type::ByteArray| {
                Some(Bound::Text(bytes.as_utf8().ok()?.to_owned()))
            };
            Some([text(s.min_opt()?)?, text(s.max_opt()?)?])
        }
        _ => None,
    }
}

/// The first rows as polars prints them, without its shape line (it is the head's shape).
fn head_text(head: &DataFrame) -> String {
    let text = head.to_string();
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

fn as_json(path: &Path, metadata: &ParquetMetaData, head: &DataFrame) -> Value {
    let columns: Vec<Value> = head
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let range = range(metadata, at);
            let bounds = range.bounds.map(|bounds| bounds.map(|bound| bound.json()));
            json!({
                "name": column.name().as_str(),
                "type": column.dtype().to_string(),
                "min": bounds.as_ref().map(|b| &b[0]),
                "max": bounds.as_ref().map(|b| &b[1]),
                "nulls": range.nulls,
            })
        })
        .collect();
    let rows: Vec<Value> = (0..head.height())
        .map(|row| {
            let cell = |column: &polars::prelude::Column| {
                let value = column.get(row).map_or(Value::Null, |value| any_json(&value));
                (column.name().to_string(), value)
            };
            Value::Object(head.columns().iter().map(cell).collect())
        })
        .collect();
    json!({
        "path": path,
        "rows": metadata.file_metadata().num_rows(),
        "metadata": scarce_metadata(metadata),
        "columns": columns,
        "head": rows,
    })
}

fn any_json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => json!(value),
        AnyValue::String(value) => json!(value),
        AnyValue::Float32(value) => json!(value),
        AnyValue::Float64(value) => json!(value),
        AnyValue::Array(series, _) | AnyValue::List(series) => {
            series.iter().map(|value| any_json(&value)).collect()
        }
        other => other.extract::<i64>().map_or_else(|| json!(other.to_string()), |int| json!(int)),
    }
}
