//! Scores along an axis: learning curves, budget curves, sweeps of a parameter.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    origin::Method,
    params::{Along, Curve},
    rows::Setting,
    summary::Line,
};

/// Scores that get a figure without being asked for.
const DRAWN: [&str; 4] = ["accuracy", "propagated_accuracy", "naming_accuracy", "nmi"];
/// With fewer values a figure says no more than a table.
const FEWEST_VALUES: usize = 3;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    /// Empty where nobody said one.
    pub title: String,
    pub metric: String,
    pub setting: Setting,
    pub split: &'static str,
    /// What the horizontal axis counts: `labels`, or the name of an axis.
    pub along: String,
    pub tracks: Vec<Track>,
}

/// One line of a figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    pub name: String,
    /// From left to right; `line` is an index into the lines of the summary.
    pub points: Vec<Point>,
    /// It varies over nothing that is drawn along, and is the same everywhere.
    pub level: bool,
}

/// One point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub x: f64,
    /// Index into the lines of the summary.
    pub line: usize,
}

/// The figures asked for, or those that suggest themselves; and what was asked for in vain.
pub(crate) fn find(
    lines: &[Line],
    methods: &[Method],
    asked: Option<&[Curve]>,
) -> (Vec<Sweep>, Vec<Curve>) {
    let finder = Finder { lines, methods };
    match asked {
        None => (finder.obvious(), Vec::new()),
        Some(curves) => {
            let (mut sweeps, mut undrawn) = (Vec::new(), Vec::new());
            for curve in curves {
                let found = finder.asked(curve);
                if found.is_empty() {
                    undrawn.push(curve.clone());
                }
                sweeps.extend(found);
            }
            (sweeps, undrawn)
        }
    }
}

struct Finder<'a> {
    lines: &'a [Line],
    methods: &'a [Method],
}

/// The lines of a score on the same images.
type Group = (Setting, &'static str, Vec<usize>);

impl Finder<'_> {
    fn method(&self, line: usize) -> &Method {
        &self.methods[self.lines[line].method]
    }

    /// The lines of a metric by what their images are.
    fn groups(&self, metric: &str) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            if line.metric != metric || line.class.is_some() {
                continue;
            }
            match groups.iter_mut().find(|(s, p, _)| (*s, *p) == (line.setting, line.split)) {
                Some((.., of)) => of.push(at),
                None => groups.push((line.setting, line.split, vec![at])),
            }
        }
        groups.sort_by_key(|(setting, ..)| *setting);
        groups
    }

    /// The numeric axes of a stage, with their values.
    fn axes(&self, of: &[usize]) -> Vec<(String, usize)> {
        let Some(first) = of.first() else { return Vec::new() };
        let names = self.method(*first).axes.iter().map(|(name, _)| name.clone());
        let count = |name: String| {
            let values: Option<Vec<f64>> =
                of.iter().map(|&line| number(self.method(line), &name)).collect();
            let distinct: BTreeSet<u64> = values?.iter().map(|value| value.to_bits()).collect();
            Some((name, distinct.len()))
        };
        names.filter_map(count).collect()
    }

    fn by_stage(&self, of: &[usize]) -> Vec<(&str, Vec<usize>)> {
        let mut stages: Vec<(&str, Vec<usize>)> = Vec::new();
        for &line in of {
            let stage = self.method(line).stage.as_str();
            match stages.iter_mut().find(|(known, _)| *known == stage) {
                Some((_, lines)) => lines.push(line),
                None => stages.push((stage, vec![line])),
            }
        }
        stages
    }

    /// Whether so many labels go with these lines that they can be drawn along.
    fn labels_vary(&self, of: &[usize], fewest: usize) -> bool {
        let labels: Option<Vec<f64>> = of.iter().map(|&line| self.lines[line].labels).collect();
        labels.is_some_and(|labels| {
            labels.iter().map(|count| count.to_bits()).collect::<BTreeSet<_>>().len() >= fewest
        })
    }

    /// The lines of a stage along one of its axes, one for each combination of the others.
    fn tracks(&self, of: &[usize], axis: Option<&str>, labels: bool) -> Vec<Track> {
        let mut tracks: Vec<Track> = Vec::new();
        for &line in of {
            let method = self.method(line);
            let place = axis.and_then(|axis| number(method, axis));
            let x = if labels { self.lines[line].labels } else { place };
            let level = x.is_none();
            if level && labels {
                continue;
            }
            let name = method.without_axis(axis);
            let point = Point { x: x.unwrap_or(0.0), line };
            match tracks.iter_mut().find(|track| track.name == name) {
                Some(track) => track.points.push(point),
                None => tracks.push(Track { name, points: vec![point], level }),
            }
        }
        for track in &mut tracks {
            track.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        }
        tracks
    }

    /// A figure for every score and numeric axis; all stages along their labels share one.
    fn obvious(&self) -> Vec<Sweep> {
        let mut sweeps: Vec<Sweep> = Vec::new();
        for metric in DRAWN {
            for (setting, split, of) in self.groups(metric) {
                for (_, lines) in self.by_stage(&of) {
                    let axes = self.axes(&lines).into_iter();
                    for (axis, _) in axes.filter(|(_, values)| *values >= FEWEST_VALUES) {
                        let labels = self.follows_labels(&lines, &axis);
                        let along = if labels { "labels".to_owned() } else { axis.clone() };
                        let tracks = self.tracks(&lines, Some(&axis), labels);
                        let same = |sweep: &&mut Sweep| {
                            (sweep.metric.as_str(), sweep.setting, sweep.split, &sweep.along)
                                == (metric, setting, split, &along)
                        };
                        if let Some(sweep) = sweeps.iter_mut().find(same) {
                            sweep.tracks.extend(tracks);
                            continue;
                        }
                        let (title, metric) = (String::new(), metric.to_owned());
                        sweeps.push(Sweep { title, metric, setting, split, along, tracks });
                    }
                }
            }
        }
        sweeps
    }

    /// Whether each value of the axis goes with a number of labels of its own.
    fn follows_labels(&self, of: &[usize], axis: &str) -> bool {
        self.tracks(of, Some(axis), false).iter().all(|track| {
            let lines: Vec<usize> = track.points.iter().map(|point| point.line).collect();
            self.labels_vary(&lines, lines.len().max(2))
        })
    }

    fn asked(&self, curve: &Curve) -> Vec<Sweep> {
        let wanted = |setting: Setting, split: &str| match curve.split.as_deref() {
            None => true,
            Some("transductive") => setting == Setting::Transductive,
            Some(asked) => asked == split,
        };
        let mut sweeps = Vec::new();
        for (setting, split, of) in self.groups(&curve.metric) {
            if !wanted(setting, split) {
                continue;
            }
            let stages: Vec<(Vec<usize>, Option<String>)> = self
                .by_stage(&of)
                .into_iter()
                .filter_map(|(stage, lines)| {
                    let axis = self.axis_of(&lines, curve.axis.as_deref());
                    let listed = curve.stages.iter().any(|known| known == stage);
                    let fits = curve.axis.is_none() || axis == curve.axis;
                    let all = curve.stages.is_empty() && axis.is_some() && fits;
                    (listed || all).then_some((lines, axis))
                })
                .collect();
            let lines: Vec<usize> = stages.iter().flat_map(|(lines, _)| lines.clone()).collect();
            let labels = match curve.along {
                Along::Auto => self.labels_vary(&lines, 2),
                Along::Labels => true,
                Along::Axis => false,
            };
            let tracks: Vec<Track> = stages
                .iter()
                .flat_map(|(lines, axis)| self.tracks(lines, axis.as_deref(), labels))
                .collect();
            let axes = stages.iter().find_map(|(_, axis)| axis.clone());
            let along = if labels { "labels".to_owned() } else { axes.unwrap_or_default() };
            if tracks.iter().any(|track| !track.level) {
                let (title, metric) = (curve.title.clone(), curve.metric.clone());
                sweeps.push(Sweep { title, metric, setting, split, along, tracks });
            }
        }
        sweeps
    }

    /// The axis asked for, or the numeric axis with the most values.
    fn axis_of(&self, of: &[usize], asked: Option<&str>) -> Option<String> {
        let axes = self.axes(of);
        let named = axes.iter().find(|(name, _)| Some(name.as_str()) == asked);
        let most = axes.iter().rev().filter(|(_, values)| *values > 1).max_by_key(|axis| axis.1);
        named.or(most).map(|(name, _)| name.clone())
    }
}

fn number(method: &Method, axis: &str) -> Option<f64> {
    method.axes.iter().find(|(name, _)| name == axis).and_then(|(_, value)| Value::as_f64(value))
}
