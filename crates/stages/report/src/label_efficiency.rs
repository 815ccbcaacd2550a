//! How many labels a method needs to be so accurate: a learning curve read the other way round.

use std::{fmt, path::Path};

use arrow::{
    array::{Array, cast::AsArray},
    datatypes::{DataType, Float64Type},
};
use scarce_artifact::open_parquet;
use serde::Serialize;

use crate::{
    Error, Result,
    overview::metric_words,
    page::thousands,
    rows,
    summary::Line,
    sweeps::{Sweep, Track},
};

/// Scores that have a price in labels.
const PRICED: [&str; 2] = ["accuracy", "propagated_accuracy"];

/// The labels that a method needs for a goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Needed {
    /// What people call the method.
    pub method: String,
    /// What the images were to the learner, in words: `test (held out)`.
    pub setting: String,
    /// `accuracy` or `propagated_accuracy`.
    pub metric: String,
    /// The mean score asked for, as a share.
    pub goal: f64,
    /// Number of labels, or where the numbers tried end.
    pub labels: f64,
    /// What the number is.
    pub bound: Bound,
}

/// How a number of labels is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The mean reaches the goal there.
    At,
    /// The fewest labels tried are enough.
    AtMost,
    /// The most labels tried are not enough.
    MoreThan,
}

impl Bound {
    const ALL: [Self; 3] = [Self::At, Self::AtMost, Self::MoreThan];

    fn words(self) -> &'static str {
        match self {
            Self::At => "at",
            Self::AtMost => "at most",
            Self::MoreThan => "more than",
        }
    }
}

impl fmt::Display for Needed {
    /// `37`, `≤ 10`, `> 2,000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.bound {
            Bound::At => "",
            Bound::AtMost => "≤ ",
            Bound::MoreThan => "> ",
        };
        // A crossing between two budgets is not known to a part of a label: round it up.
        let count = thousands(self.labels.max(0.0).ceil() as u64);
        write!(f, "{sign}{count}")
    }
}

/// What every line of a figure along labels needs for each goal, line by line.
pub(crate) fn of_sweep(sweep: &Sweep, lines: &[Line], goals: &[f64]) -> Vec<Needed> {
    if sweep.along != "labels" || !PRICED.contains(&sweep.metric.as_str()) {
        return Vec::new();
    }
    // one budget is no curve to read
    let tracks = sweep.tracks.iter().filter(|track| !track.level && track.points.len() > 1);
    let needed = |track: &Track, goal: f64| {
        let points: Vec<(f64, f64)> =
            track.points.iter().map(|point| (point.x, lines[point.line].estimate.mean)).collect();
        let (labels, bound) = needed(&points, goal)?;
        Some(Needed {
            method: track.name.clone(),
            setting: sweep.setting.words().to_owned(),
            metric: sweep.metric.clone(),
            goal,
            labels,
            bound,
        })
    };
    tracks.flat_map(|track| goals.iter().filter_map(move |&goal| needed(track, goal))).collect()
}

/// From which number of labels on the curve stays at or above the goal: between two budgets, on the
/// straight line over the logarithm of their numbers.
fn needed(points: &[(f64, f64)], goal: f64) -> Option<(f64, Bound)> {
    let last = points.iter().rposition(|&(_, score)| score < goal);
    match last {
        None => points.first().map(|&(labels, _)| (labels, Bound::AtMost)),
        Some(at) => {
            let (below, under) = points[at];
            let Some(&(above, over)) = points.get(at + 1) else {
                return Some((below, Bound::MoreThan));
            };
            let share = (goal - under) / (over - under);
            let (from, to) = (below.max(1.0).ln(), above.max(1.0).ln());
            Some(((from + share * (to - from)).exp(), Bound::At))
        }
    }
}

/// Writes the table.
pub(crate) fn write(path: &Path, needed: &[Needed]) -> Result<()> {
    let columns = vec![
        rows::words("method", needed.iter().map(|n| Some(n.method.as_str()))),
        rows::words("setting", needed.iter().map(|n| Some(n.setting.as_str()))),
        rows::words("metric", needed.iter().map(|n| Some(n.metric.as_str()))),
        rows::numbers("goal", needed.iter().map(|n| Some(n.goal))),
        rows::numbers("labels", needed.iter().map(|n| Some(n.labels))),
        rows::words("bound", needed.iter().map(|n| Some(n.bound.words()))),
    ];
    rows::write_columns(path, "needed", columns)
}

/// A report's `needed.parquet`: how many labels each method needs for each goal, in the order of
/// the figures.
///
/// # Errors
/// When the file cannot be read or is not that table.
pub fn needed_table(needed_parquet: &Path) -> Result<Vec<Needed>> {
    let failed = |message: String| Error::Summary { path: needed_parquet.to_owned(), message };
    let batches =
        open_parquet(needed_parquet)?.build().map_err(|error| failed(error.to_string()))?;
    let mut all = Vec::new();
    for batch in batches {
        let batch = batch.map_err(|error| failed(error.to_string()))?;
        let column = |name: &str, kind: DataType| {
            let found = batch.column_by_name(name).filter(|column| *column.data_type() == kind);
            let full = found.filter(|column| column.null_count() == 0);
            full.ok_or_else(|| failed(format!("it has no column `{name}` of {kind} without gaps")))
        };
        let word = |name| Ok::<_, Error>(column(name, DataType::Utf8)?.as_string::<i32>());
        let number =
            |name| Ok::<_, Error>(column(name, DataType::Float64)?.as_primitive::<Float64Type>());
        let (method, setting, metric) = (word("method")?, word("setting")?, word("metric")?);
        let (goal, labels, bound) = (number("goal")?, number("labels")?, word("bound")?);
        for row in 0..batch.num_rows() {
            let said = bound.value(row);
            all.push(Needed {
                method: method.value(row).to_owned(),
                setting: setting.value(row).to_owned(),
                metric: metric.value(row).to_owned(),
                goal: goal.value(row),
                labels: labels.value(row),
                bound: Bound::ALL
                    .into_iter()
                    .find(|bound| bound.words() == said)
                    .ok_or_else(|| failed(format!("row {row}: `{said}` is no bound")))?,
            });
        }
    }
    Ok(all)
}

/// `90 %`, `97.5 %`.
pub fn goal_text(goal: f64) -> String {
    // A share of 0.07 is not exactly 7 %.
    format!("{} %", (goal * 1e6).round() / 1e4)
}

/// Needs of the same score on the same images.
#[derive(Debug, Clone, PartialEq)]
pub struct NeedTable<'a> {
    /// Score and images, in words.
    pub heading: String,
    /// What each method needs, goal by goal.
    pub methods: Vec<(&'a str, Vec<&'a Needed>)>,
}

/// The rows of [`needed_table`] as people read them, a table for each score and set of images.
pub fn needed_by_method(needed: &[Needed]) -> Vec<NeedTable<'_>> {
    let mut tables: Vec<NeedTable<'_>> = Vec::new();
    for one in needed {
        let heading = format!("{}, {}", metric_words(&one.metric), one.setting);
        if tables.last().is_none_or(|table| table.heading != heading) {
            tables.push(NeedTable { heading, methods: Vec::new() });
        }
        let Some(table) = tables.last_mut() else { continue };
        match table.methods.iter_mut().find(|(method, _)| *method == one.method) {
            Some((_, goals)) => goals.push(one),
            None => table.methods.push((&one.method, vec![one])),
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_between_two_budgets_is_read_off_the_logarithm() {
        let points = [(10.0, 0.80), (100.0, 0.90), (1000.0, 0.94)];
        let (labels, bound) = needed(&points, 0.85).unwrap();
        assert_eq!(bound, Bound::At);
        assert!((labels - 1000.0_f64.sqrt()).abs() < 1e-9, "{labels}");
        assert_eq!(needed(&points, 0.80), Some((10.0, Bound::AtMost)));
        assert_eq!(needed(&points, 0.95), Some((1000.0, Bound::MoreThan)));
        assert_eq!(needed(&[], 0.5), None);
    }

    #[test]
    fn a_curve_that_dips_has_not_arrived_before_the_dip() {
        let points = [(10.0, 0.91), (100.0, 0.89), (1000.0, 0.93)];
        let (labels, bound) = needed(&points, 0.90).unwrap();
        assert_eq!(bound, Bound::At);
        assert!(labels > 100.0 && labels < 1000.0, "{labels}");
    }

    #[test]
    fn numbers_are_read_as_they_are_meant() {
        let of = |labels, bound| Needed {
            method: "flow".to_owned(),
            setting: String::new(),
            metric: "accuracy".to_owned(),
            goal: 0.9,
            labels,
            bound,
        };
        assert_eq!(of(36.2, Bound::At).to_string(), "37");
        assert_eq!(of(10.0, Bound::AtMost).to_string(), "≤ 10");
        assert_eq!(of(2000.0, Bound::MoreThan).to_string(), "> 2000");
    }
}
