//! Which two runs are meant.

use std::path::Path;

use scarce_orchestrator::{Outcome, Record};
use serde_json::{Value, json};

use crate::error::CliError;

/// The two runs: of one argument, the last run of a pipeline and the one before.
pub(super) fn pair(a: &str, b: Option<&str>, root: &Path) -> Result<(Record, Record), CliError> {
    if let Some(b) = b {
        return Ok((find(a, root)?, find(b, root)?));
    }
    let before = if a.contains('~') { a.to_owned() } else { format!("{a}~1") };
    let name = a.split('~').next().unwrap_or(a);
    Ok((find(&before, root)?, find(name, root)?))
}

/// A run: `PIPELINE` is its last, `PIPELINE~1` the one before; or the path of a record.
fn find(name: &str, root: &Path) -> Result<Record, CliError> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
        return Ok(Record::read(path)?);
    }
    let (pipeline, back) = match name.split_once('~') {
        None => (name, Some(0)),
        Some((pipeline, back)) => (pipeline, back.parse::<usize>().ok()),
    };
    let known = Record::pipelines(root)?;
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    if !names.contains(&pipeline) {
        let otherwise = "name a pipeline that ran, `PIPELINE~1` for the run before, or a record's file; \
                         `scarce runs` lists runs";
        return Err(CliError::unknown("pipeline that ran", pipeline, &names, otherwise));
    }
    let mut records = Vec::new();
    for path in Record::all(root, pipeline)? {
        let record = Record::read(&path)?;
        if record.outcome != Outcome::Unfinished {
            records.push(record);
        }
    }
    let there = records.len();
    back.and_then(|back| records.into_iter().nth(back)).ok_or_else(|| CliError::Unknown {
        what: "recorded run",
        name: name.to_owned(),
        help: match there {
            0 => format!("no run of `{pipeline}` has ended"),
            1 => format!("`{pipeline}` ran once"),
            _ => format!("`{pipeline}~{}` is the first of {there} runs", there - 1),
        },
    })
}

/// A run in a line.
pub(super) fn text(record: &Record) -> String {
    let started = record.started.strftime("%Y-%m-%d %H:%M:%S UTC");
    let mut text = format!("{}, {started}, {}", record.pipeline, record.tool);
    if !record.overrides.is_empty() {
        text += &format!(", {}", record.overrides.join(" "));
    }
    text
}

/// A run for programs.
pub(super) fn as_json(record: &Record) -> Value {
    json!({
        "pipeline": record.pipeline,
        "started": record.started,
        "tool": record.tool,
        "overrides": record.overrides,
    })
}
