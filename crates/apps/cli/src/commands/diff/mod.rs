//! `scarce diff A [B]`: what differs between two runs, and nothing else.
//!
//! Stages are compared by what their keys are made of, figures run by run within what both runs share, and
//! predictions image by image.

mod figures;
mod labels;
mod page;
mod which;

use std::path::Path;

use scarce_orchestrator::{Reason, Record, TaskRecord, differences};
use scarce_pipeline::axis_text;
use scarce_store::{Entry, Lookup, Store};
use serde_json::{Value, json};

use super::stages::{plain_table, trimmed};
use crate::{args::DiffArgs, error::CliError, output::Output};

/// Compares two runs.
pub(crate) fn run(args: &DiffArgs, root: &Path, out: &mut Output) -> Result<(), CliError> {
    let (a, b) = which::pair(&args.a, args.b.as_deref(), root)?;
    let store = Store::open(root)?;
    // Nothing is collected meanwhile.
    let _session = store.session(&mut || true)?;
    let stages = stages(&a, &b);
    let figures = figures::compare(&store, &a, &b)?;
    let changed = labels::compare(&store, &a, &b)?;
    if let Some(page) = &args.page {
        page::write(page, &store, &b, &changed)?;
    }
    if out.json() {
        return out.print_json(&json!({
            "a": which::as_json(&a),
            "b": which::as_json(&b),
            "stages": stages.iter().map(Difference::as_json).collect::<Vec<_>>(),
            "figures": figures,
            "labels": changed,
        }));
    }
    out.line(&format!("a  {}\nb  {}", which::text(&a), which::text(&b)))?;
    if stages.is_empty()
        && figures.is_empty()
        && changed.iter().all(|changed| changed.images.is_empty())
    {
        return out.line("\nno difference: the same stages with the same ingredients");
    }
    if !stages.is_empty() {
        let mut table = plain_table();
        for difference in &stages {
            table.add_row([format!(" {}", difference.stage), difference.what.clone()]);
        }
        out.line(&format!("\nStages\n{}", trimmed(&table)))?;
    }
    if !figures.is_empty() {
        out.line(&format!(
            "\nFigures (mean; the difference run by run, with its 95 % interval)\n{}",
            figures::table(&figures)
        ))?;
    }
    for changed in changed.iter().filter(|changed| !changed.images.is_empty()) {
        out.line(&format!("\n{}", changed.text(args.images)))?;
    }
    Ok(())
}

/// What differs of a stage.
struct Difference {
    stage: String,
    /// For people.
    what: String,
    reasons: Vec<Reason>,
    /// The variants it is so of.
    variants: Vec<Vec<(String, Value)>>,
}

impl Difference {
    fn as_json(&self) -> Value {
        json!({
            "stage": self.stage,
            "what": self.what,
            "reasons": self.reasons,
            "variants": self.variants,
        })
    }
}

/// What differs, stage by stage in the order of the second run; variants that differ alike together.
fn stages(a: &Record, b: &Record) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let mut add = |task: &TaskRecord, what: String, reasons: Vec<Reason>| {
        let alike = found.iter_mut().find(|one| one.stage == task.stage && one.what == what);
        match alike {
            Some(one) => one.variants.push(task.axes.clone()),
            None => found.push(Difference {
                stage: task.stage.clone(),
                what,
                reasons,
                variants: vec![task.axes.clone()],
            }),
        }
    };
    let has_stage = |record: &Record, stage: &str| record.tasks.iter().any(|t| t.stage == stage);
    for task in &b.tasks {
        match a.task(&task.stage, &task.axes) {
            Some(before) if before.key == task.key => {}
            Some(before) => {
                let reasons = match (&before.ingredients, &task.ingredients) {
                    (Some(before), Some(now)) if before != now => differences(before, now),
                    _ => Vec::new(),
                };
                let mut words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                if before.key.is_some() != task.key.is_some() {
                    words.push(match task.key {
                        Some(_) => "has a result in b alone".to_owned(),
                        None => "has a result in a alone".to_owned(),
                    });
                }
                if !words.is_empty() {
                    add(task, words.join(", "), reasons);
                }
            }
            None if has_stage(a, &task.stage) => {
                add(task, "variants in b alone".to_owned(), Vec::new());
            }
            None => add(task, format!("in b alone ({})", task.kind), Vec::new()),
        }
    }
    for task in a.tasks.iter().filter(|task| b.task(&task.stage, &task.axes).is_none()) {
        let what = if has_stage(b, &task.stage) {
            "variants in a alone".to_owned()
        } else {
            format!("in a alone ({})", task.kind)
        };
        add(task, what, Vec::new());
    }
    for difference in &mut found {
        let all = b.tasks.iter().chain(&a.tasks).filter(|task| task.stage == difference.stage);
        let all: std::collections::BTreeSet<String> =
            all.map(|task| axes_text(&task.axes)).collect();
        if all.len() > difference.variants.len() {
            let some: Vec<String> =
                difference.variants.iter().map(|axes| axes_text(axes)).collect();
            difference.what += &format!(" [{}]", shortened(&some));
        }
    }
    found
}

/// The first few of a list, and how many there are.
fn shortened(list: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = list.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if list.len() > SHOWN {
        text += &format!("; … {} in all", list.len());
    }
    text
}

/// `seed=0, k=3`.
fn axes_text(axes: &[(String, Value)]) -> String {
    let parts: Vec<String> =
        axes.iter().map(|(name, value)| format!("{name}={}", axis_text(value))).collect();
    parts.join(", ")
}

/// The entry that a task's result lies in; `None` if it has none, or it is gone.
fn entry(store: &Store, task: &TaskRecord) -> Result<Option<Entry>, CliError> {
    let Some(key) = &task.key else { return Ok(None) };
    Ok(match store.find(&task.kind, key)? {
        Lookup::Hit(entry) => Some(entry),
        Lookup::Absent | Lookup::Damaged(_) => None,
    })
}
