//! Means and intervals over runs.

use std::path::Path;

use indexmap::IndexMap;
use scarce_kernels::scores::mean_interval;

use crate::{
    Error, Result,
    origin::{Axes, Method},
    published::Beside,
    rows::{self, Row, Setting, axis_columns, class_name},
};

/// Two-sided confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// A mean over runs and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean over the runs; for a cross-validated share, the share over all held-out labels.
    pub mean: f64,
    /// Standard deviation over the runs (divisor n − 1); none for a single run.
    pub std: Option<f64>,
    /// Half the width of the 95 % interval; none for a single run.
    pub half_width: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub high: Option<f64>,
    /// The lowest run.
    pub min: f64,
    /// The highest run.
    pub max: f64,
    /// Number of runs; of labels where the share is cross-validated.
    pub n: usize,
}

impl Estimate {
    /// The mean of runs with Student's interval.
    ///
    /// # Errors
    /// When there is no run or a value is not finite.
    pub(crate) fn of_runs(values: &[f64]) -> Result<Self> {
        let interval = mean_interval(values, CONFIDENCE)?;
        let half = interval.half_width;
        Ok(Self {
            mean: interval.mean,
            std: interval.deviation,
            half_width: half,
            low: half.map(|half| interval.mean - half),
            high: half.map(|half| interval.mean + half),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            n: interval.n,
        })
    }

    /// A share of n labels with the score interval of E. B. Wilson, "Probable inference, the law
    /// of succession, and statistical inference", JASA 22 (1927): it stays within 0 and 1 and is
    /// honest for few labels and for shares near 1.
    pub(crate) fn of_share(share: f64, n: usize) -> Self {
        // The 97.5 % point of the normal distribution.
        const Z: f64 = 1.959_963_984_540_054;
        let count = n.max(1) as f64;
        let shrunk = 1.0 + Z * Z / count;
        let centre = (share + Z * Z / (2.0 * count)) / shrunk;
        let variance = share * (1.0 - share) / count + Z * Z / (4.0 * count * count);
        let half = Z * variance.max(0.0).sqrt() / shrunk;
        Self {
            mean: share,
            std: None,
            half_width: Some(half),
            low: Some((centre - half).max(0.0)),
            high: Some((centre + half).min(1.0)),
            min: share,
            max: share,
            n,
        }
    }
}

/// One line of the summary.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Index into the methods.
    pub method: usize,
    pub split: &'static str,
    pub setting: Setting,
    pub metric: &'static str,
    pub class: Option<usize>,
    pub estimate: Estimate,
    /// How the interval was found.
    pub interval: &'static str,
    /// What others published of it.
    pub beside: Option<Beside>,
}

/// An interval over runs.
pub(crate) const OVER_RUNS: &str = "Student's t over runs";
/// An interval over the differences of paired runs.
pub(crate) const OVER_PAIRS: &str = "Student's t over paired runs";
/// An interval over labels.
pub(crate) const OVER_LABELS: &str = "Wilson score over labels";

type Key = (usize, Setting, &'static str, &'static str, Option<usize>);

/// Means over the runs of each method, in the order of the rows. Counts of the confusion matrix and
/// cross-validated rows are not averaged here.
pub(crate) fn over_runs(rows: &[Row]) -> Result<Vec<Line>> {
    let mut groups: IndexMap<Key, Vec<f64>> = IndexMap::new();
    let averaged = |row: &&Row| row.metric != "confusion" && row.setting != Setting::CrossValidated;
    for row in rows.iter().filter(averaged) {
        let key = (row.method, row.setting, row.split, row.metric, row.class);
        groups.entry(key).or_default().push(row.value);
    }
    let line = |((method, setting, split, metric, class), values): (Key, Vec<f64>)| {
        let estimate = Estimate::of_runs(&values)?;
        Ok(Line {
            method,
            split,
            setting,
            metric,
            class,
            estimate,
            interval: OVER_RUNS,
            beside: None,
        })
    };
    groups.into_iter().map(line).collect()
}

/// Differences in accuracy to the baseline, each taken between two runs on the same seeds.
pub(crate) fn paired(rows: &[Row], baseline: &str) -> Result<Vec<Line>> {
    let accuracies: Vec<&Row> = rows
        .iter()
        .filter(|row| row.metric == "accuracy" && row.setting != Setting::CrossValidated)
        .collect();
    let partner = |row: &Row| {
        let mut fitting = accuracies.iter().filter(|other| {
            let same_images = other.split == row.split && other.setting == row.setting;
            let agree = crate::origin::agree(&other.origin.axes, &row.origin.axes);
            other.origin.stage == baseline && same_images && agree
        });
        let first = fitting.next()?;
        // With several variants of the baseline in reach there is no telling which is meant.
        fitting.next().is_none().then_some(first.value)
    };
    let mut groups: IndexMap<(usize, Setting, &'static str), Vec<f64>> = IndexMap::new();
    for row in accuracies.iter().filter(|row| row.origin.stage != baseline) {
        if let Some(other) = partner(row) {
            let key = (row.method, row.setting, row.split);
            groups.entry(key).or_default().push(row.value - other);
        }
    }
    let line = |((method, setting, split), values): ((usize, Setting, &'static str), Vec<f64>)| {
        Ok(Line {
            method,
            split,
            setting,
            metric: "accuracy_minus_baseline",
            class: None,
            estimate: Estimate::of_runs(&values)?,
            interval: OVER_PAIRS,
            beside: None,
        })
    };
    groups.into_iter().map(line).collect()
}

/// Writes the summary table.
pub(crate) fn write(
    path: &Path,
    lines: &[Line],
    methods: &[Method],
    classes: &[String],
) -> Result<()> {
    let of = |line: &Line| &methods[line.method];
    let estimates = || lines.iter().map(|line| &line.estimate);
    let beside = || lines.iter().map(|line| line.beside.as_ref());
    let verdicts: Vec<Option<String>> =
        beside().map(|b| b.map(|b| b.verdict.words().to_owned())).collect();
    let mut columns = vec![
        rows::words("stage", lines.iter().map(|line| Some(of(line).stage.as_str()))),
        rows::words("split", lines.iter().map(|line| Some(line.split))),
        rows::words("setting", lines.iter().map(|line| Some(line.setting.words()))),
        rows::words("metric", lines.iter().map(|line| Some(line.metric))),
        rows::words("class", lines.iter().map(|line| class_name(classes, line.class))),
        rows::numbers("mean", estimates().map(|e| Some(e.mean))),
        rows::numbers("std", estimates().map(|e| e.std)),
        rows::counts("n", estimates().map(|e| u32::try_from(e.n).ok())),
        rows::numbers("half_width", estimates().map(|e| e.half_width)),
        rows::numbers("low", estimates().map(|e| e.low)),
        rows::numbers("high", estimates().map(|e| e.high)),
        rows::numbers("min", estimates().map(|e| Some(e.min))),
        rows::numbers("max", estimates().map(|e| Some(e.max))),
        rows::words("interval", lines.iter().map(|line| Some(line.interval))),
        rows::numbers("published", beside().map(|b| b.map(|b| b.value))),
        rows::words("source", beside().map(|b| b.map(|b| b.source.as_str()))),
        rows::words("verdict", verdicts.iter().map(Option::as_deref)),
    ];
    let axes: Vec<&Axes> = lines.iter().map(|line| &of(line).axes).collect();
    columns.extend(axis_columns(&axes, &columns));
    rows::write_columns(path, "summary", columns)
}

/// The baseline: the named stage, or the first whose predictions came in.
pub(crate) fn baseline(asked: Option<&str>, stages: &[String]) -> Result<Option<String>> {
    match asked {
        None => Ok(stages.first().cloned()),
        Some(name) if stages.iter().any(|stage| stage == name) => Ok(Some(name.to_owned())),
        Some(name) => Err(Error::Baseline {
            name: name.to_owned(),
            known: format!("`{}`", stages.join("`, `")),
        }),
    }
}
