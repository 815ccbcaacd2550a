//! `scarce plan`: what a run would do, and why.

use scarce_orchestrator::{Plan, Status};

use super::stages::{plain_table, trimmed};
use crate::{error::CliError, output::Output};

/// Prints the plan, a line per task.
pub(crate) fn print(plan: &Plan, out: &mut Output) -> Result<(), CliError> {
    if out.json() {
        return out.print_json(plan);
    }
    let mut table = plain_table();
    for planned in &plan.tasks {
        let (word, why) = match &planned.status {
            Status::Cached { .. } => ("cached", String::new()),
            Status::Run { reasons, .. } => {
                let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                ("run", format!("because {}", reasons.join(", ")))
            }
            Status::Depends { on } => ("depends", depends(on.iter().map(|task| &*task.label))),
        };
        table.add_row([word, &planned.task.label, &why]);
    }
    out.line(&trimmed(&table))?;
    let (cached, run, depends) = plan.counts();
    let mut text = format!("\n{cached} cached, {run} to run");
    if depends > 0 {
        text += &format!(
            ", {depends} that depend on those (and stay cached if their inputs come out the same)"
        );
    }
    out.line(&text)
}

/// The tasks waited for; a fold over many seeds is cut short.
fn depends<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 3;
    let labels: Vec<&str> = labels.collect();
    let shown = labels[..labels.len().min(MOST)].join(", ");
    match labels.len().saturating_sub(MOST) {
        0 => format!("on {shown}"),
        more => format!("on {shown} and {more} more"),
    }
}
