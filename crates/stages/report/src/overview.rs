//! The summary read back, for a terminal.

use std::{fmt, path::Path};

use arrow::{
    array::{Array, RecordBatch, cast::AsArray},
    datatypes::{DataType, Float64Type, Int64Type, UInt32Type},
};
use scarce_artifact::open_parquet;
use serde::Serialize;

use crate::{
    Error, Result,
    rows::Setting,
    standing::cautions,
    summary::{Estimate, exact_counts},
};

/// The headline of one method on one set of images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SummaryRow {
    /// What people call the method: the name that the parameters give its stage, and its axes.
    pub label: String,
    /// The stage.
    pub stage: String,
    /// The axes that make it a method of its own, as words.
    pub axes: Vec<(String, String)>,
    /// `test`, `train`, `pool`, `all` or `cross-validation`.
    pub split: String,
    /// What the images were to the learner, in words: `test (held out)`.
    pub setting: String,
    /// The stages that saw the test images, or those that do not say; none where it is held out.
    pub seen_by: Option<String>,
    /// The stages that bring what was learnt elsewhere, from nobody here knows which images.
    pub elsewhere: Option<String>,
    /// The stages that ran fewer times than the runs, whose luck the interval leaves out.
    pub shared: Option<String>,
    /// Headline figures in order: accuracy and macro F1 first, where there are any.
    pub figures: Vec<Figure>,
}

/// One headline figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The metric's name in the tables: `accuracy`, `macro_f1`, `nmi`, …
    pub metric: String,
    /// Our runs.
    pub estimate: Estimate,
    /// What people call this row: the method, or what its published figure is called.
    pub label: String,
    /// How many images each run is scored on, where all runs agree.
    pub support: Option<u32>,
    /// How many labels the runs were given, on average, where that is known.
    pub labels: Option<f64>,
    /// Whether the interval is over labels (cross-validation) rather than over runs.
    pub over_labels: bool,
    /// What others published of it.
    pub published: Option<PublishedFigure>,
}

/// A published figure and what is to be made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedFigure {
    /// The figure, as a share.
    pub value: f64,
    /// Where it was published.
    pub source: String,
    /// What a reader should know of it; often empty.
    pub note: String,
    /// How it relates to our runs, as [`crate::Verdict::words`].
    pub verdict: String,
}

/// Metrics that are headlines, in the order in which they are shown.
const HEADLINES: [&str; 11] = [
    "accuracy",
    "macro_f1",
    "propagated_accuracy",
    "propagated_macro_f1",
    "propagated_coverage",
    "naming_accuracy",
    "hungarian_accuracy",
    "nmi",
    "ari",
    "coverage",
    "confidence",
];

/// Shown only where there is nothing better to say.
const FALLBACKS: [&str; 2] = ["coverage", "confidence"];

/// A metric's place among the headlines; those that are none come last.
pub(crate) fn rank(metric: &str) -> usize {
    HEADLINES.iter().position(|known| *known == metric).unwrap_or(HEADLINES.len())
}

/// A metric's name for people.
pub fn metric_words(metric: &str) -> &str {
    match metric {
        "accuracy" => "accuracy",
        "macro_f1" => "macro F1",
        "propagated_accuracy" => "accuracy of propagated labels",
        "propagated_macro_f1" => "macro F1 of propagated labels",
        "propagated_coverage" => "unlabelled images reached",
        "naming_accuracy" => "accuracy of clusters named by majority",
        "hungarian_accuracy" => "accuracy of clusters matched one to one",
        "nmi" => "NMI of clusters",
        "ari" => "ARI of clusters",
        other => other,
    }
}

/// Metrics that are indices rather than shares, shown as they are and not in per cent.
pub(crate) fn is_index(metric: &str) -> bool {
    matches!(metric, "nmi" | "ari")
}

impl SummaryRow {
    /// Stage and axes on one line.
    pub fn method(&self) -> String {
        let axes = self.axes.iter().map(|(axis, value)| format!(" · {axis} = {value}"));
        std::iter::once(self.stage.clone()).chain(axes).collect()
    }

    /// What a reader must know before believing the figures, a sentence each.
    pub fn cautions(&self) -> Vec<String> {
        let of = Option::as_deref;
        cautions(&self.setting, of(&self.seen_by), of(&self.elsewhere), of(&self.shared))
    }

    /// A headline figure by its metric.
    pub fn figure(&self, metric: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.metric == metric)
    }
}

impl Figure {
    /// Our runs without their number: `56.1 ± 3.0`, `86.9 = 252/290`, `83.3 [66.4, 92.7]`.
    pub fn ours(&self) -> String {
        let number = |value: f64| number(&self.metric, value);
        let Estimate { mean, half_width, low, high, .. } = self.estimate;
        match (self.counts(), low, high, half_width) {
            (Some((right, all)), ..) => format!("{} = {right}/{all}", number(mean)),
            (_, Some(low), Some(high), _) if self.over_labels => {
                format!("{} [{}, {}]", number(mean), number(low), number(high))
            }
            (.., Some(half)) => format!("{} ± {}", number(mean), number(half)),
            _ => format!("{} ± –", number(mean)),
        }
    }

    /// The published figure in per cent with the digits that it came with.
    pub fn published_text(&self) -> Option<String> {
        Some(as_published(&self.metric, self.published.as_ref()?.value))
    }

    /// Right and all images, where a single run's share is one: 252 of 290.
    pub fn counts(&self) -> Option<(u32, u32)> {
        exact_counts(&self.metric, &self.estimate, self.support.filter(|_| !self.over_labels))
    }
}

impl fmt::Display for Figure {
    /// `56.1 ± 3.0 (10)`: per cent, half the 95 % interval, number of runs. A cross-validated share
    /// has its interval spelt out, since it is not symmetric: `83.3 [66.4, 92.7] (30 labels)`. A share
    /// of a single run has its count instead: `86.9 = 252/290`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ours())?;
        match self.counts() {
            Some(_) => Ok(()),
            None if self.over_labels => write!(f, " ({} labels)", self.estimate.n),
            None => write!(f, " ({})", self.estimate.n),
        }
    }
}

/// A published share in per cent with the digits that it came with: 0.8442 is 84.42, 0.49 is 49.
pub(crate) fn as_published(metric: &str, value: f64) -> String {
    if is_index(metric) {
        return value.to_string();
    }
    let written = value.to_string();
    let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{:.*}", decimals.saturating_sub(2), value * 100.0)
}

/// A number as it is shown: shares in per cent with one decimal, indices with three.
pub(crate) fn number(metric: &str, value: f64) -> String {
    let text = match value {
        value if !value.is_finite() => return "–".to_owned(),
        value if is_index(metric) => format!("{value:.3}"),
        value => format!("{:.1}", value * 100.0),
    };
    // A minus as long as a plus, and none before a zero.
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// The headline figures of a report's `summary.parquet`: a row for every method and set of images,
/// in the order of the pipeline.
///
/// # Errors
/// When the file cannot be read or is no summary.
pub fn summary_table(summary_parquet: &Path) -> Result<Vec<SummaryRow>> {
    let failed = |message: String| Error::Summary { path: summary_parquet.to_owned(), message };
    let batches =
        open_parquet(summary_parquet)?.build().map_err(|error| failed(error.to_string()))?;
    let mut rows: Vec<SummaryRow> = Vec::new();
    for batch in batches {
        let batch = batch.map_err(|error| failed(error.to_string()))?;
        let columns = Columns::of(&batch).map_err(failed)?;
        for row in 0..batch.num_rows() {
            columns.add(row, &mut rows).map_err(failed)?;
        }
    }
    for row in &mut rows {
        let rank = |figure: &Figure| HEADLINES.iter().position(|known| *known == figure.metric);
        row.figures.sort_by_key(rank);
        if row.figures.iter().any(|figure| !FALLBACKS.contains(&figure.metric.as_str())) {
            row.figures.retain(|figure| !FALLBACKS.contains(&figure.metric.as_str()));
        }
    }
    Ok(rows)
}

/// The columns of a batch by name.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

/// Columns of the summary that are not axes.
const FIXED: [&str; 23] = [
    "label",
    "method",
    "stage",
    "split",
    "setting",
    "metric",
    "class",
    "mean",
    "std",
    "n",
    "half_width",
    "low",
    "high",
    "min",
    "max",
    "support",
    "labels",
    "interval",
    "baseline",
    "published",
    "source",
    "verdict",
    "note",
];

/// Columns that summaries of older versions lack.
const LATER: [&str; 3] = ["seen_by", "elsewhere", "shared"];

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        for name in FIXED {
            let expected = match name {
                "n" | "support" => DataType::UInt32,
                "mean" | "std" | "half_width" | "low" | "high" | "min" | "max" | "labels"
                | "published" => DataType::Float64,
                _ => DataType::Utf8,
            };
            match batch.column_by_name(name).map(|column| column.data_type().clone()) {
                Some(found) if found == expected => {}
                Some(found) => return Err(format!("column `{name}` is {found}, not {expected}")),
                None => return Err(format!("it has no column `{name}`")),
            }
        }
        Ok(Self { batch })
    }

    fn column(&self, name: &str) -> Result<&'a dyn Array, String> {
        self.batch
            .column_by_name(name)
            .map(AsRef::as_ref)
            .ok_or_else(|| format!("it has no column `{name}`"))
    }

    fn word(&self, name: &str, row: usize) -> Result<Option<&'a str>, String> {
        let column = self.column(name)?.as_string::<i32>();
        Ok((!column.is_null(row)).then(|| column.value(row)))
    }

    /// A word of a column that may be missing.
    fn later(&self, name: &str, row: usize) -> Result<Option<String>, String> {
        match self.batch.column_by_name(name) {
            Some(column) if column.data_type() != &DataType::Utf8 => {
                Err(format!("column `{name}` is {}, not {}", column.data_type(), DataType::Utf8))
            }
            Some(_) => Ok(self.word(name, row)?.map(str::to_owned)),
            None => Ok(None),
        }
    }

    fn number(&self, name: &str, row: usize) -> Result<Option<f64>, String> {
        let column = self.column(name)?.as_primitive::<Float64Type>();
        Ok((!column.is_null(row)).then(|| column.value(row)))
    }

    fn count(&self, name: &str, row: usize) -> Result<Option<u32>, String> {
        let column = self.column(name)?.as_primitive::<UInt32Type>();
        Ok((!column.is_null(row)).then(|| column.value(row)))
    }

    fn axes(&self, row: usize) -> Result<Vec<(String, String)>, String> {
        let mut axes = Vec::new();
        for field in self.batch.schema_ref().fields() {
            let name = field.name().as_str();
            if FIXED.contains(&name) || LATER.contains(&name) {
                continue;
            }
            let column = self.column(name)?;
            if column.is_null(row) {
                continue;
            }
            let text = match column.data_type() {
                DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
                DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
                DataType::Boolean => column.as_boolean().value(row).to_string(),
                DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
                other => return Err(format!("the axis `{name}` is {other}")),
            };
            axes.push((name.to_owned(), text));
        }
        Ok(axes)
    }

    /// Adds a line of the file to the row that it belongs to.
    fn add(&self, row: usize, rows: &mut Vec<SummaryRow>) -> Result<(), String> {
        let word = |name| Ok::<_, String>(self.word(name, row)?.unwrap_or_default().to_owned());
        let metric = word("metric")?;
        if self.word("class", row)?.is_some() || !HEADLINES.contains(&metric.as_str()) {
            return Ok(());
        }
        let key = (word("stage")?, self.axes(row)?, word("split")?, word("setting")?);
        let due = |name| {
            self.number(name, row)?.ok_or_else(|| format!("row {row}, column `{name}`: no number"))
        };
        let published = match (self.number("published", row)?, self.word("verdict", row)?) {
            (Some(value), Some(verdict)) => Some(PublishedFigure {
                value,
                source: word("source")?,
                note: word("note")?,
                verdict: verdict.to_owned(),
            }),
            _ => None,
        };
        let figure = Figure {
            metric,
            estimate: Estimate {
                mean: due("mean")?,
                std: self.number("std", row)?,
                half_width: self.number("half_width", row)?,
                low: self.number("low", row)?,
                high: self.number("high", row)?,
                min: due("min")?,
                max: due("max")?,
                n: self.count("n", row)?.unwrap_or(0) as usize,
            },
            label: word("label")?,
            support: self.count("support", row)?,
            labels: self.number("labels", row)?,
            over_labels: Setting::parse(&key.3) == Some(Setting::CrossValidated),
            published,
        };
        let (stage, axes, split, setting) = key;
        let same = |known: &SummaryRow| {
            known.stage == stage
                && known.axes == axes
                && known.split == split
                && known.setting == setting
        };
        if let Some(known) = rows.iter_mut().find(|known| same(known)) {
            known.figures.push(figure);
        } else {
            rows.push(SummaryRow {
                label: word("method")?,
                stage,
                axes,
                split,
                setting,
                seen_by: self.later("seen_by", row)?,
                elsewhere: self.later("elsewhere", row)?,
                shared: self.later("shared", row)?,
                figures: vec![figure],
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_figures_keep_their_digits() {
        assert_eq!(as_published("accuracy", 0.49), "49");
        assert_eq!(as_published("accuracy", 0.8442), "84.42");
        assert_eq!(as_published("accuracy", 0.5), "50");
        assert_eq!(as_published("accuracy", 0.965), "96.5");
        assert_eq!(as_published("nmi", 0.52), "0.52");
    }
}
