//! Methods against a baseline, run by run.

use std::{collections::BTreeMap, rc::Rc};

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    Error, Result,
    origin::agree,
    params::OneOrMore,
    rows::{Row, Setting},
    summary::{Estimate, Line, OVER_PAIRS},
};

/// Metrics that are compared, and what their differences are called.
pub(crate) const COMPARED: [(&str, &str); 2] =
    [("accuracy", "accuracy_minus_baseline"), (PROPAGATED, "propagated_accuracy_minus_baseline")];

const PROPAGATED: &str = "propagated_accuracy";

/// Runs that are compared with one another: of one method, on one sort of images, and the baseline.
type Group<'a> = (usize, Setting, &'static str, &'a str);

/// Which stage each stage is compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Baselines {
    /// The stage for all that have none of their own.
    pub of_all: Option<String>,
    pub own: BTreeMap<String, OneOrMore>,
}

impl Baselines {
    /// The named stages; where none is named, the first whose predictions came in. `stages` are all
    /// that have predictions or propagated labels, `first` the first with predictions.
    ///
    /// # Errors
    /// [`Error::Baseline`] for a name that is none of the stages.
    pub(crate) fn new(
        asked: Option<&str>,
        own: &BTreeMap<String, OneOrMore>,
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
        for (stage, baselines) in own {
            known(stage)?;
            for baseline in baselines.names() {
                known(baseline)?;
            }
        }
        let of_all = asked.map(known).transpose()?.or_else(|| first.cloned());
        Ok(Self { of_all, own: own.clone() })
    }

    /// What a stage is compared with; nothing is compared with itself.
    fn of<'a>(&'a self, stage: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.of_all.as_slice();
        let baselines = self.own.get(stage).map_or(all, OneOrMore::names);
        baselines.iter().map(String::as_str).filter(move |baseline| *baseline != stage)
    }
}

/// A pair of runs of a method and its baseline.
struct Pair<'a> {
    run: &'a Row,
    difference: f64,
    /// The values of the seeds that both have.
    shared: Vec<&'a Value>,
    /// Whether the method, and the baseline, have a seed that the other does not.
    own: [bool; 2],
}

impl<'a> Pair<'a> {
    fn new(run: &'a Row, other: &Row, seeds: &[String]) -> Self {
        let value = |row: &'a Row, seed: &String| {
            row.origin.axes.iter().find(|(axis, _)| axis == seed).map(|(_, value)| value)
        };
        let has = |row: &Row, seed: &String| row.origin.axes.iter().any(|(axis, _)| axis == seed);
        let both = seeds.iter().filter(|seed| has(run, seed) && has(other, seed));
        Self {
            run,
            difference: run.value - other.value,
            shared: both.filter_map(|seed| value(run, seed)).collect(),
            own: [
                seeds.iter().any(|seed| has(run, seed) && !has(other, seed)),
                seeds.iter().any(|seed| !has(run, seed) && has(other, seed)),
            ],
        }
    }
}

/// The differences that are independent of one another. Pairs that share their seeds (the labels that
/// were drawn, say) are averaged first: they are one draw, however often another seed repeats it.
/// Without a common seed each run of the one that has seeds stands for itself, and where both have
/// some of their own all pairs are one.
fn independent(pairs: &[Pair<'_>]) -> Vec<f64> {
    let common = pairs.iter().any(|pair| !pair.shared.is_empty());
    let crossed = pairs.iter().any(|pair| pair.own == [true, true]);
    if !common && !crossed {
        return pairs.iter().map(|pair| pair.difference).collect();
    }
    let mut groups: Vec<(&[&Value], Vec<f64>)> = Vec::new();
    for pair in pairs {
        match groups.iter_mut().find(|(shared, _)| *shared == pair.shared) {
            Some((_, values)) => values.push(pair.difference),
            None => groups.push((&pair.shared, vec![pair.difference])),
        }
    }
    groups.iter().map(|(_, values)| values.iter().sum::<f64>() / values.len() as f64).collect()
}

/// Differences to the baseline, each taken between two runs that agree in the axes that both have.
/// A method without seeds is set against every run of a baseline that has some.
pub(crate) fn differences(
    rows: &[Row],
    baselines: &Baselines,
    seeds: &[String],
) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (metric, name) in COMPARED {
        let of_metric = |row: &&Row| {
            row.metric == metric && row.class.is_none() && row.setting != Setting::CrossValidated
        };
        let scores: Vec<&Row> = rows.iter().filter(of_metric).collect();
        let mut groups: IndexMap<Group<'_>, Vec<Pair<'_>>> = IndexMap::new();
        for row in &scores {
            for baseline in baselines.of(&row.origin.stage) {
                let mut partners = partners(row, baseline, &scores);
                // Who names no baseline has one that may be about something else.
                let asked = baselines.own.contains_key(&row.origin.stage);
                if partners.is_empty() && asked && metric == PROPAGATED {
                    partners = predicted(row, baseline, rows);
                }
                let key = (row.method, row.setting, row.split, baseline);
                let pairs = partners.iter().map(|other| Pair::new(row, other, seeds));
                groups.entry(key).or_default().extend(pairs);
            }
        }
        for ((method, setting, split, baseline), pairs) in groups {
            let Some(Pair { run: first, .. }) = pairs.first() else { continue };
            let values = independent(&pairs);
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
                baseline: Some(baseline.to_owned()),
                beside: None,
                standing: Rc::clone(&first.standing),
                shared: None,
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

/// The runs of a baseline that propagates no labels but predicts them, for the same images: those of
/// the split without a given label, of which labels were propagated to all.
fn predicted<'a>(row: &Row, baseline: &str, rows: &'a [Row]) -> Vec<&'a Row> {
    let of_same = |other: &&Row| {
        other.metric == "accuracy" && other.class.is_none() && other.support == row.support
    };
    partners(row, baseline, &rows.iter().filter(of_same).collect::<Vec<_>>())
}
