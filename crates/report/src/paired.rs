//! Methods against a baseline, run by run.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::{
    Error, Result,
    origin::agree,
    rows::{Row, Setting},
    summary::{Estimate, Line, OVER_PAIRS},
};

/// Metrics that are compared, and what their differences are called.
pub(crate) const COMPARED: [(&str, &str); 2] = [
    ("accuracy", "accuracy_minus_baseline"),
    ("propagated_accuracy", "propagated_accuracy_minus_baseline"),
];

/// Runs that are compared with one another: of one method, on one sort of images.
type Group = (usize, Setting, &'static str);

/// Which stage each stage is compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Baselines {
    /// The stage for all that have none of their own.
    pub of_all: Option<String>,
    pub own: BTreeMap<String, String>,
}

impl Baselines {
    /// The named stages; where none is named, the first whose predictions came in. `stages` are all
    /// that have predictions or propagated labels, `first` the first with predictions.
    ///
    /// # Errors
    /// [`Error::Baseline`] for a name that is none of the stages.
    pub(crate) fn new(
        asked: Option<&str>,
        own: &BTreeMap<String, String>,
        stages: &[String],
        first: Option<&String>,
    ) -> Result<Self> {
        let known = |name: &str| {
            if stages.iter().any(|stage| stage == name) {
                return Ok(name.to_owned());
            }
            let known = format!("`{}`", stages.join("`, `"));
            Err(Error::Baseline { name: name.to_owned(), known })
        };
        for (stage, baseline) in own {
            known(stage)?;
            known(baseline)?;
        }
        let of_all = asked.map(known).transpose()?.or_else(|| first.cloned());
        Ok(Self { of_all, own: own.clone() })
    }

    /// What a stage is compared with; nothing is compared with itself.
    fn of(&self, stage: &str) -> Option<&str> {
        let baseline = self.own.get(stage).or(self.of_all.as_ref())?;
        (baseline != stage).then_some(baseline)
    }
}

/// Differences to the baseline, each taken between two runs that agree in the axes that both have.
/// A method without seeds is set against every run of a baseline that has some.
pub(crate) fn differences(rows: &[Row], baselines: &Baselines) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (metric, name) in COMPARED {
        let of_metric = |row: &&Row| {
            row.metric == metric && row.class.is_none() && row.setting != Setting::CrossValidated
        };
        let scores: Vec<&Row> = rows.iter().filter(of_metric).collect();
        let mut groups: IndexMap<Group, Vec<(&Row, f64)>> = IndexMap::new();
        for row in &scores {
            let Some(baseline) = baselines.of(&row.origin.stage) else { continue };
            let partners = partners(row, baseline, &scores);
            let key = (row.method, row.setting, row.split);
            let pairs = partners.iter().map(|other| (*row, row.value - other.value));
            groups.entry(key).or_default().extend(pairs);
        }
        for ((method, setting, split), pairs) in groups {
            let Some((first, _)) = pairs.first() else { continue };
            let values: Vec<f64> = pairs.iter().map(|(_, difference)| *difference).collect();
            lines.push(Line {
                method,
                split,
                setting,
                metric: name,
                class: None,
                estimate: Estimate::of_runs(&values)?,
                interval: OVER_PAIRS,
                support: None,
                labels: None,
                baseline: baselines.of(&first.origin.stage).map(str::to_owned),
                beside: None,
            });
        }
    }
    Ok(lines)
}

/// The runs of the baseline that a run is set against: all of one method. With several variants of
/// the baseline in reach it is the one that had as many labels; else there is no telling which is
/// meant.
fn partners<'a>(row: &Row, baseline: &str, scores: &[&'a Row]) -> Vec<&'a Row> {
    let fits = |other: &&&Row| {
        other.origin.stage == baseline
            && (other.split, other.setting) == (row.split, row.setting)
            && agree(&other.origin.axes, &row.origin.axes)
    };
    let mut fitting: Vec<&Row> = scores.iter().filter(fits).copied().collect();
    let of_one = |fitting: &[&Row]| fitting.windows(2).all(|two| two[0].method == two[1].method);
    if !of_one(&fitting) {
        fitting.retain(|other| other.labels.is_some() && other.labels == row.labels);
    }
    if of_one(&fitting) { fitting } else { Vec::new() }
}
