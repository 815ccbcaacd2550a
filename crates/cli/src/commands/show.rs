//! `scarce show TABLE`: what a Parquet file holds, without loading it.

use std::path::{Path, PathBuf};

use parquet::file::{
    metadata::ParquetMetaData,
    reader::{FileReader, SerializedFileReader},
    statistics::Statistics,
};
use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};
use serde_json::{Map, Value, json};

use super::{
    pictures,
    stages::{plain_table, trimmed},
};
use crate::{args::ShowArgs, error::CliError, output::Output};

/// Pictures drawn on a terminal unless told otherwise.
const PICTURES: usize = 4;

/// Shows every table that the argument names.
pub(crate) fn run(args: &ShowArgs, artifacts: &Path, out: &mut Output) -> Result<(), CliError> {
    for path in find(&args.table, artifacts)? {
        show(&path, args, out)?;
    }
    Ok(())
}

/// A file; or the Parquet files of a folder, given as such or as a place under the runs.
fn find(name: &str, artifacts: &Path) -> Result<Vec<PathBuf>, CliError> {
    let given = PathBuf::from(name);
    let under_runs = artifacts.join("runs").join(name);
    let place = if given.exists() { given } else { under_runs };
    if place.is_file() {
        return Ok(vec![place]);
    }
    if !place.exists() {
        return Err(CliError::NoTable { name: name.to_owned() });
    }
    let mut files = parquet_files(&place)?;
    if files.is_empty() {
        // A stage with axes: its first variant stands for all.
        let mut below: Vec<PathBuf> =
            fs_err::read_dir(&place)?.flatten().map(|entry| entry.path()).collect();
        below.sort();
        if let Some(first) = below.iter().find(|path| path.is_dir()) {
            return find(&first.to_string_lossy(), artifacts);
        }
        return Err(CliError::NoTable { name: name.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let paths = fs_err::read_dir(folder)?.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|e| e == "parquet")).collect())
}

fn show(path: &Path, args: &ShowArgs, out: &mut Output) -> Result<(), CliError> {
    let unreadable = |error: &dyn std::error::Error| CliError::Unreadable {
        path: path.to_owned(),
        message: error.to_string(),
    };
    let (file, _) = fs_err::File::open(path)?.into_parts();
    let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
    let metadata = reader.metadata();
    let (file, _) = fs_err::File::open(path)?.into_parts();
    let head = ParquetReader::new(file)
        .with_slice(Some((0, args.rows)))
        .finish()
        .map_err(|error| unreadable(&error))?;
    if out.json() {
        return out.print_json(&as_json(path, metadata, &head));
    }
    out.line(&format!("{}", path.display()))?;
    out.line(&facts(metadata))?;
    out.line(&columns(metadata, &head))?;
    out.line(&head_text(&head))?;
    let wanted = if out.is_terminal() { PICTURES } else { 0 };
    pictures::draw(path, args.images.unwrap_or(wanted), out)
}

/// Table name, rows, and the `scarce.*` metadata.
fn facts(metadata: &ParquetMetaData) -> String {
    let meta = scarce_metadata(metadata);
    let name = meta.get("table").and_then(Value::as_str).unwrap_or("table");
    let rows = metadata.file_metadata().num_rows();
    let mut text = format!("{name}, {rows} rows");
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
