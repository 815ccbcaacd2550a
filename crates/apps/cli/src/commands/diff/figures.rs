//! Figures of two runs, run by run.

use std::collections::BTreeMap;

use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};
use scarce_orchestrator::Record;
use scarce_scores::mean_interval;
use scarce_store::Store;
use serde::Serialize;

use super::{entry, plain_table, trimmed};
use crate::error::CliError;

/// Columns of a report's metrics that are no axis.
const NO_AXIS: [&str; 11] = [
    "stage",
    "split",
    "setting",
    "metric",
    "class",
    "predicted",
    "value",
    "support",
    "labels",
    "seen_by",
    "elsewhere",
];
/// The axis over which runs are repetitions of one another.
const REPEATED: &str = "seed";
const CONFIDENCE: f64 = 0.95;

/// A figure that both runs have, where it differs.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    report: String,
    stage: String,
    setting: String,
    metric: String,
    /// The axes but for the seed.
    axes: String,
    a: f64,
    b: f64,
    /// The mean of the differences, run by run.
    difference: f64,
    /// Half the width of its 95 % interval; absent for one run.
    half_width: Option<f64>,
    /// Runs that both have.
    runs: usize,
    /// Runs that only one of them has.
    unpaired: usize,
}

/// What one figure is of: report, stage, setting, metric, and the axes but for the seed.
type Name = [String; 5];

/// Figures that differ, of reports that both runs have.
pub(super) fn compare(store: &Store, a: &Record, b: &Record) -> Result<Vec<Figure>, CliError> {
    let (mut before, mut now) = (read(store, a)?, read(store, b)?);
    before.retain(|name, _| now.contains_key(name));
    now.retain(|name, _| before.contains_key(name));
    let mut figures = Vec::new();
    for (name, now) in now {
        let before = &before[&name];
        let pairs: Vec<(f64, f64)> =
            now.iter().filter_map(|(run, &b)| Some((*before.get(run)?, b))).collect();
        if pairs.iter().all(|(a, b)| a.to_bits() == b.to_bits()) {
            continue;
        }
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        let Ok(interval) = mean_interval(&differences, CONFIDENCE) else { continue };
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let [report, stage, setting, metric, axes] = name;
        figures.push(Figure {
            report,
            stage,
            setting,
            metric,
            axes,
            a: mean(pairs.iter().map(|pair| pair.0).collect()),
            b: mean(pairs.iter().map(|pair| pair.1).collect()),
            difference: interval.mean,
            half_width: interval.half_width,
            runs: pairs.len(),
            unpaired: before.len() + now.len() - 2 * pairs.len(),
        });
    }
    Ok(figures)
}

/// The figures of a run's reports, by name and by seed.
fn read(store: &Store, record: &Record) -> Result<BTreeMap<Name, BTreeMap<String, f64>>, CliError> {
    let mut found: BTreeMap<Name, BTreeMap<String, f64>> = BTreeMap::new();
    for task in record.tasks.iter().filter(|task| task.kind == "report") {
        let Some(entry) = entry(store, task)? else { continue };
        let path = entry.stem("metrics").with_extension("parquet");
        let (file, _) = fs_err::File::open(&path)?.into_parts();
        let unreadable = |error: &dyn ToString| CliError::Unreadable {
            path: path.clone(),
            message: error.to_string(),
        };
        let frame = ParquetReader::new(file).finish().map_err(|error| unreadable(&error))?;
        for row in 0..frame.height() {
            let text = |column: &str| cell(&frame, column, row);
            if text("class").is_some() || text("predicted").is_some() {
                continue;
            }
            let Some(value) = text("value").and_then(|value| value.parse::<f64>().ok()) else {
                continue;
            };
            let words = |column: &str| text(column).unwrap_or_default();
            let axes: Vec<String> = frame
                .columns()
                .iter()
                .map(|column| column.name().as_str())
                .filter(|name| !NO_AXIS.contains(name) && *name != REPEATED)
                .filter_map(|name| Some(format!("{name}={}", text(name)?)))
                .collect();
            let name = [
                task.stage.clone(),
                words("stage"),
                words("setting"),
                words("metric"),
                axes.join(", "),
            ];
            found.entry(name).or_default().insert(words(REPEATED), value);
        }
    }
    Ok(found)
}

/// A cell as text; `None` if it is null or there is no such column.
fn cell(frame: &DataFrame, column: &str, row: usize) -> Option<String> {
    match frame.column(column).ok()?.get(row).ok()? {
        AnyValue::Null => None,
        AnyValue::String(text) => Some(text.to_owned()),
        AnyValue::StringOwned(text) => Some(text.to_string()),
        AnyValue::Float64(value) => Some(value.to_string()),
        other => Some(other.to_string()),
    }
}

/// The figures for people; shares of images in per cent are left as shares, as in the tables.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = plain_table();
    table.set_header([" method", "metric", "on", "a", "b", "b − a", "runs"]);
    for figure in figures {
        let method = match figure.axes.as_str() {
            "" => format!(" {}", figure.stage),
            axes => format!(" {} [{axes}]", figure.stage),
        };
        let difference = match figure.half_width {
            Some(half) => format!("{:+.4} ± {half:.4}", figure.difference),
            None => format!("{:+.4}", figure.difference),
        };
        let runs = match figure.unpaired {
            0 => figure.runs.to_string(),
            more => format!("{} ({more} unpaired)", figure.runs),
        };
        table.add_row([
            method,
            figure.metric.replace('_', " "),
            figure.setting.clone(),
            format!("{:.4}", figure.a),
            format!("{:.4}", figure.b),
            difference,
            runs,
        ]);
    }
    trimmed(&table)
}
