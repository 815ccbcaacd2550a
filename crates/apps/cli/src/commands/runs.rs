//! `scarce runs`: what ran, when, and how it ended.

use std::path::Path;

use scarce_orchestrator::{Outcome, Record, TaskStatus};
use serde_json::json;

use super::stages::{plain_table, trimmed};
use crate::{error::CliError, output::Output, progress::seconds};

/// Lists the recorded runs of one pipeline or all, the last first.
pub(crate) fn run(pipeline: Option<&str>, root: &Path, out: &mut Output) -> Result<(), CliError> {
    let known = Record::pipelines(root)?;
    let wanted = match pipeline {
        None => known,
        Some(name) if known.iter().any(|known| known == name) => vec![name.to_owned()],
        Some(name) => {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(CliError::unknown(
                "pipeline that ran",
                name,
                &names,
                "`scarce runs` lists them",
            ));
        }
    };
    let mut records = Vec::new();
    for name in wanted {
        for path in Record::all(root, &name)? {
            records.push((Record::read(&path)?, path));
        }
    }
    if out.json() {
        let rows: Vec<_> =
            records.iter().map(|(record, path)| json!({ "record": path, "run": record })).collect();
        return out.print_json(&rows);
    }
    if records.is_empty() {
        return out.line("no run is recorded here");
    }
    let mut table = plain_table();
    table.set_header([
        "pipeline",
        "started (UTC)",
        "outcome",
        "ran",
        "cached",
        "failed",
        "time",
        "changed",
    ]);
    for (record, _) in &records {
        let count = |status| record.tasks.iter().filter(|task| task.status == status).count();
        let time = (record.ended - record.started).total(jiff::Unit::Second).unwrap_or(0.0);
        let time = match record.outcome {
            Outcome::Unfinished => String::new(),
            _ => seconds(time),
        };
        table.add_row([
            record.pipeline.clone(),
            record.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            outcome(record.outcome).to_owned(),
            count(TaskStatus::Ran).to_string(),
            count(TaskStatus::Cached).to_string(),
            count(TaskStatus::Failed).to_string(),
            time,
            record.overrides.join(" "),
        ]);
    }
    out.line(&trimmed(&table))
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Interrupted => "interrupted",
        Outcome::Unfinished => "unfinished",
    }
}
