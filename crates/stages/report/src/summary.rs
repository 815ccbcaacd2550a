//! Means and intervals over runs.

use std::{collections::HashMap, path::Path, rc::Rc};

use indexmap::IndexMap;
use scarce_scores::mean_interval;
use serde::Serialize;

use crate::{
    Result,
    lineage::Lineage,
    origin::{Axes, Method},
    published::Beside,
    rows::{self, Row, Setting, axis_columns, class_name},
    standing::{self, Standing, cautions, joined},
};

/// Two-sided confidence of every interval.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// A mean over runs and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
    /// How many images each run's value is over, where all runs agree.
    pub support: Option<u32>,
    /// How many labels the runs were given, on average.
    pub labels: Option<f64>,
    /// The stage that it is a difference to.
    pub baseline: Option<String>,
    /// What others published of it.
    pub beside: Option<Beside>,
    pub standing: Rc<Standing>,
    /// The stages that ran fewer times than the runs, whose luck the interval leaves out.
    pub shared: Option<String>,
}

impl Line {
    /// The line of an estimate over runs.
    pub(crate) fn of_runs(rows: &[&Row]) -> Result<Option<Self>> {
        let Some(first) = rows.first() else { return Ok(None) };
        let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
        let same = rows.iter().all(|row| row.support == first.support);
        let labels: Option<Vec<f64>> = rows.iter().map(|row| row.labels.map(f64::from)).collect();
        Ok(Some(Self {
            method: first.method,
            split: first.split,
            setting: first.setting,
            metric: first.metric,
            class: first.class,
            estimate: Estimate::of_runs(&values)?,
            interval: OVER_RUNS,
            support: same.then_some(first.support),
            labels: labels.map(|labels| labels.iter().sum::<f64>() / labels.len() as f64),
            baseline: None,
            beside: None,
            standing: Standing::of_all(rows),
            shared: None,
        }))
    }

    /// What a reader must know before believing it, a sentence each.
    pub(crate) fn cautions(&self) -> Vec<String> {
        let Standing { seen_by, elsewhere } = &*self.standing;
        let (seen_by, elsewhere) = (seen_by.as_deref(), elsewhere.as_deref());
        cautions(self.setting.words(), seen_by, elsewhere, self.shared.as_deref())
    }

    /// Right and all images of a share that a single run has: `252` of `290`. The exact counts say
    /// more than a mean of one without an interval.
    pub(crate) fn counts(&self) -> Option<(u32, u32)> {
        exact_counts(self.metric, &self.estimate, self.support)
    }
}

/// Metrics that are shares of a whole number of images.
const SHARES: [&str; 6] = [
    "accuracy",
    "propagated_accuracy",
    "propagated_coverage",
    "naming_accuracy",
    "hungarian_accuracy",
    "coverage",
];

/// See [`Line::counts`].
pub(crate) fn exact_counts(
    metric: &str,
    estimate: &Estimate,
    support: Option<u32>,
) -> Option<(u32, u32)> {
    let support = support.filter(|_| estimate.n == 1 && SHARES.contains(&metric))?;
    let right = estimate.mean * f64::from(support);
    ((right - right.round()).abs() < 1e-6).then_some((right.round() as u32, support))
}

/// An interval over runs.
pub(crate) const OVER_RUNS: &str = "Student's t over runs";
/// An interval over the differences of paired runs.
pub(crate) const OVER_PAIRS: &str = "Student's t over paired runs";
/// An interval over labels.
pub(crate) const OVER_LABELS: &str = "Wilson score over labels";

impl Standing {
    /// Of all runs together.
    fn of_all(rows: &[&Row]) -> Rc<Self> {
        let Some(first) = rows.first() else { return Rc::default() };
        if rows.iter().all(|row| row.standing == first.standing) {
            return Rc::clone(&first.standing);
        }
        let of = |text: fn(&Self) -> Option<&String>| {
            joined(rows.iter().filter_map(|row| text(&row.standing)).cloned())
        };
        Rc::new(Self {
            seen_by: of(|standing| standing.seen_by.as_ref()),
            elsewhere: of(|standing| standing.elsewhere.as_ref()),
        })
    }
}

type Key = (usize, Setting, &'static str, &'static str, Option<usize>);

/// Means over the runs of each method, in the order of the rows. Counts of the confusion matrix and
/// cross-validated rows are not averaged here.
pub(crate) fn over_runs(rows: &[Row], lineage: &Lineage) -> Result<Vec<Line>> {
    let mut groups: IndexMap<Key, Vec<&Row>> = IndexMap::new();
    let averaged = |row: &&Row| row.metric != "confusion" && row.setting != Setting::CrossValidated;
    for row in rows.iter().filter(averaged) {
        let key = (row.method, row.setting, row.split, row.metric, row.class);
        groups.entry(key).or_default().push(row);
    }
    // The same runs stand behind every metric.
    let mut shared: HashMap<(usize, Setting, &str), Option<String>> = HashMap::new();
    let mut line = |rows: &Vec<&Row>| {
        let mut line = Line::of_runs(rows).transpose()?;
        if let Ok(line) = &mut line {
            let runs = || rows.iter().map(|row| &row.origin);
            let of = shared.entry((line.method, line.setting, line.split));
            line.shared = of.or_insert_with(|| standing::shared(lineage, runs())).clone();
        }
        Some(line)
    };
    groups.values().filter_map(&mut line).collect()
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
    let labels: Vec<String> = lines.iter().map(|line| row_label(line, methods)).collect();
    let names: Vec<String> = lines.iter().map(|line| of(line).name()).collect();
    let mut columns = vec![
        rows::words("label", labels.iter().map(|label| Some(label.as_str()))),
        rows::words("method", names.iter().map(|name| Some(name.as_str()))),
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
        rows::counts("support", lines.iter().map(|line| line.support)),
        rows::numbers("labels", lines.iter().map(|line| line.labels)),
        rows::words("interval", lines.iter().map(|line| Some(line.interval))),
        rows::words("baseline", lines.iter().map(|line| line.baseline.as_deref())),
        rows::numbers("published", beside().map(|b| b.map(|b| b.value))),
        rows::words("source", beside().map(|b| b.map(|b| b.source.as_str()))),
        rows::words("verdict", verdicts.iter().map(Option::as_deref)),
        rows::words("note", beside().map(|b| b.map(|b| b.note.as_str()).filter(|n| !n.is_empty()))),
        rows::words("seen_by", lines.iter().map(|line| line.standing.seen_by.as_deref())),
        rows::words("elsewhere", lines.iter().map(|line| line.standing.elsewhere.as_deref())),
        rows::words("shared", lines.iter().map(|line| line.shared.as_deref())),
    ];
    let axes: Vec<&Axes> = lines.iter().map(|line| &of(line).axes).collect();
    columns.extend(axis_columns(&axes, &columns));
    rows::write_columns(path, "summary", columns)
}

/// What a row of a table is called: as the published figure beside it says, else as the method.
pub(crate) fn row_label(line: &Line, methods: &[Method]) -> String {
    let said = line.beside.as_ref().map(|beside| &beside.label).filter(|label| !label.is_empty());
    said.cloned().unwrap_or_else(|| methods[line.method].name())
}
