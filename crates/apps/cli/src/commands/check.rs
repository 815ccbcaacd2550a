//! `scarce check`: everything that can be said without running.

use scarce_pipeline::{Pipeline, axis_text};
use scarce_stage::counted;
use serde_json::json;

use super::stages::{plain_table, trimmed};
use crate::{error::CliError, output::Output};

/// The pipeline resolved: says what it would be.
pub(crate) fn run(pipeline: &Pipeline, out: &mut Output) -> Result<(), CliError> {
    let tasks = pipeline.graph.node_count();
    if out.json() {
        let stage = |stage: &scarce_pipeline::Stage| {
            json!({ "name": stage.name, "kind": stage.kind, "axes": stage.axes,
                    "variants": stage.tasks.len() })
        };
        return out.print_json(&json!({
            "name": pipeline.name,
            "axes": pipeline.axes.iter().map(|(name, values)| (name.clone(), json!(values))).collect::<serde_json::Map<_, _>>(),
            "stages": pipeline.stages.iter().map(stage).collect::<Vec<_>>(),
            "tasks": tasks,
            "warnings": pipeline.warnings,
        }));
    }
    let (stages, tasks) = (counted(pipeline.stages.len(), "stage"), counted(tasks, "task"));
    out.line(&format!("{}: {stages}, {tasks}", pipeline.name))?;
    for (name, values) in &pipeline.axes {
        let values: Vec<String> = values.iter().map(axis_text).collect();
        out.line(&format!("  axis {name}: {}", values.join(", ")))?;
    }
    let mut table = plain_table();
    for stage in &pipeline.stages {
        let over = if stage.axes.is_empty() {
            String::new()
        } else {
            format!("{} over {}", stage.tasks.len(), stage.axes.join(" × "))
        };
        table.add_row([format!("  {}", stage.name), stage.kind.clone(), over]);
    }
    out.line(&trimmed(&table))
}
