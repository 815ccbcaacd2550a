//! Which images changed their label.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use scarce_artifact::{Images, Labels, Predictions, Reader, Table};
use scarce_orchestrator::Record;
use scarce_store::{Entry, Store};
use serde::Serialize;
use serde_json::Value;

use super::{axes_text, entry, plain_table, trimmed};
use crate::error::CliError;

/// Rows read at a time.
const ROWS: usize = 65_536;

/// What changed in one table of labels or predictions.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    pub(super) stage: String,
    axes: Vec<(String, Value)>,
    port: String,
    /// Images that both runs have a label for.
    compared: usize,
    pub(super) images: Vec<Image>,
}

/// An image whose label changed.
#[derive(Debug, Serialize)]
pub(super) struct Image {
    pub(super) id: u32,
    /// File name or index.
    pub(super) source: Option<String>,
    /// Label and confidence before.
    pub(super) a: (String, f32),
    /// Label and confidence now.
    pub(super) b: (String, f32),
}

impl Changed {
    /// For people: how many, and the first `shown` by what the second run is surest of.
    pub(super) fn text(&self, shown: usize) -> String {
        let axes = match axes_text(&self.axes) {
            axes if axes.is_empty() => axes,
            axes => format!(" [{axes}]"),
        };
        let mut text = format!(
            "{}{axes}: {} of {} images changed their label",
            self.stage,
            self.images.len(),
            self.compared
        );
        let mut images: Vec<&Image> = self.images.iter().collect();
        images.sort_by(|one, other| other.b.1.total_cmp(&one.b.1).then(one.id.cmp(&other.id)));
        let mut table = plain_table();
        for image in images.into_iter().take(shown) {
            let name = image.source.clone().unwrap_or_else(|| image.id.to_string());
            let of = |(label, confidence): &(String, f32)| {
                format!("{label} {:.0} %", confidence * 100.0)
            };
            table.add_row([format!(" {name}"), of(&image.a), "→".to_owned(), of(&image.b)]);
        }
        if table.row_count() > 0 {
            text += &format!("\n{}", trimmed(&table));
        }
        text
    }
}

/// The tables of predictions and propagated labels that both runs have, and that differ in content.
pub(super) fn compare(store: &Store, a: &Record, b: &Record) -> Result<Vec<Changed>, CliError> {
    let mut found: Vec<Changed> = Vec::new();
    for task in &b.tasks {
        let Some(before) = a.task(&task.stage, &task.axes) else { continue };
        if before.key == task.key {
            continue;
        }
        let (Some(before), Some(now)) = (entry(store, before)?, entry(store, task)?) else {
            continue;
        };
        for (port, output) in &now.manifest.outputs {
            let (Some(was), Some(is)) = (before.output(port), output.as_ref()) else { continue };
            if was.digest == is.digest || was.artifact != is.artifact {
                continue;
            }
            let read =
                |entry: &Entry| labels(&entry.stem(port).with_extension("parquet"), &is.artifact);
            let (Some(was), Some(is)) = (read(&before)?, read(&now)?) else { continue };
            found.push(Changed {
                stage: task.stage.clone(),
                axes: task.axes.clone(),
                port: port.clone(),
                compared: is.keys().filter(|id| was.contains_key(id)).count(),
                images: changed(&was, &is),
            });
        }
    }
    if found.iter().any(|changed| !changed.images.is_empty()) {
        let names = names(store, b)?;
        for image in found.iter_mut().flat_map(|changed| &mut changed.images) {
            image.source = names.get(&image.id).cloned();
        }
    }
    Ok(found)
}

/// Class and confidence of every image.
type Answers = HashMap<u32, (String, f32)>;

fn changed(was: &Answers, is: &Answers) -> Vec<Image> {
    let mut images: Vec<Image> = is
        .iter()
        .filter_map(|(&id, b)| {
            let a = was.get(&id).filter(|a| a.0 != b.0)?;
            Some(Image { id, source: None, a: a.clone(), b: b.clone() })
        })
        .collect();
    images.sort_unstable_by_key(|image| image.id);
    images
}

/// What a table says of every image, by class name; `None` for tables that name no class.
fn labels(path: &Path, artifact: &str) -> Result<Option<Answers>, CliError> {
    let mut answers = Answers::new();
    match artifact {
        Predictions::NAME => {
            let reader = Reader::<Predictions>::open(path)?;
            let names = reader.meta().classes.clone();
            for batch in reader.batches(ROWS) {
                let batch = batch?;
                let rows = batch.id.iter().zip(&batch.label).zip(batch.probabilities.iter_rows());
                for ((&id, &label), probabilities) in rows {
                    let at = label as usize;
                    let confidence = probabilities.get(at).copied().unwrap_or(0.0);
                    answers.insert(id, (name(&names, at), confidence));
                }
            }
        }
        Labels::NAME => {
            let reader = Reader::<Labels>::open(path)?;
            let names = reader.meta().classes.clone();
            for batch in reader.batches(ROWS) {
                let batch = batch?;
                for ((&id, &label), &confidence) in
                    batch.id.iter().zip(&batch.label).zip(&batch.confidence)
                {
                    answers.insert(id, (name(&names, label as usize), confidence));
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(answers))
}

fn name(names: &[String], label: usize) -> String {
    names.get(label).cloned().unwrap_or_else(|| label.to_string())
}

/// File names, or indices, of a run's images.
fn names(store: &Store, record: &Record) -> Result<HashMap<u32, String>, CliError> {
    let mut names = HashMap::new();
    for path in images(store, record)? {
        for batch in Reader::<Images>::open(&path)?.batches(ROWS) {
            let batch = batch?;
            names.extend(batch.id.into_iter().zip(batch.source));
        }
    }
    Ok(names)
}

/// Where a run's tables of images lie.
pub(super) fn images(store: &Store, record: &Record) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    for task in &record.tasks {
        let Some(entry) = entry(store, task)? else { continue };
        for (port, output) in &entry.manifest.outputs {
            if output.as_ref().is_some_and(|output| output.artifact == Images::NAME) {
                found.push(entry.stem(port).with_extension("parquet"));
            }
        }
    }
    Ok(found)
}
