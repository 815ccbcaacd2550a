//! Figures that others published, set beside ours.

use serde::{Serialize, Serializer};

use crate::{
    origin::Method,
    params::Published,
    rows::{CROSS_VALIDATION, Setting},
    summary::{Estimate, Line},
};

/// A published figure and what is to be made of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Beside {
    pub value: f64,
    pub source: String,
    /// What to call the row; empty for the method's name.
    pub label: String,
    pub note: String,
    pub verdict: Verdict,
    /// Its place among the published figures.
    pub place: usize,
}

/// A published figure of a variant that these runs leave out: `labelled = 500` where 200 ran.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NotRun {
    pub figure: Published,
    /// Its place among the published figures.
    pub place: usize,
    /// The images that the other variants were scored on.
    pub setting: Setting,
    pub split: &'static str,
}

/// Published figures beside which there is nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Unmatched {
    /// Of a variant that did not run.
    pub not_run: Vec<NotRun>,
    /// Of a stage, metric, split or axis that is not here at all.
    pub unknown: Vec<Published>,
}

/// How a published figure relates to our runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It lies inside our 95 % interval of the mean.
    Inside,
    /// Our mean rounds to the figure as it was published.
    Same,
    /// Outside the interval, but between our lowest and highest run: a single run could have given
    /// it.
    AmongRuns,
    /// It is above our interval and above all our runs.
    Higher,
    /// It is below our interval and below all our runs.
    Lower,
    /// Ours is a single run, which has no interval.
    NoInterval,
}

impl Verdict {
    const ALL: [Self; 6] =
        [Self::Inside, Self::Same, Self::AmongRuns, Self::Higher, Self::Lower, Self::NoInterval];

    /// Judges a published figure by our runs.
    pub(crate) fn of(published: f64, ours: &Estimate) -> Self {
        let inside = matches!((ours.low, ours.high), (Some(low), Some(high)) if low <= published && published <= high);
        if inside {
            Self::Inside
        } else if same_digits(published, ours.mean) {
            Self::Same
        } else if ours.low.is_none() {
            Self::NoInterval
        } else if (ours.min..=ours.max).contains(&published) {
            Self::AmongRuns
        } else if published > ours.mean {
            Self::Higher
        } else {
            Self::Lower
        }
    }

    /// The verdict in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Inside => "inside our interval",
            Self::Same => "equal to the digits given",
            Self::AmongRuns => "outside, but among our runs",
            Self::Higher => "above our interval",
            Self::Lower => "below our interval",
            Self::NoInterval => "one run, no interval",
        }
    }

    /// The verdict behind [`Verdict::words`].
    pub(crate) fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.words() == words)
    }
}

impl Serialize for Verdict {
    /// As [`Verdict::words`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.words())
    }
}

/// Whether `ours`, rounded to as many decimals as the published figure has, is that figure.
fn same_digits(published: f64, ours: f64) -> bool {
    let written = published.to_string();
    // Whole per cent at least: numbers lose their trailing zeros, and 0.9 was 0.90.
    let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len()).max(2);
    format!("{ours:.decimals$}") == format!("{published:.decimals$}")
}

/// Puts each figure beside the lines that it is about; returns those that fit none.
pub(crate) fn attach(lines: &mut [Line], methods: &[Method], published: &[Published]) -> Unmatched {
    let mut unmatched = Unmatched::default();
    for (place, figure) in published.iter().enumerate() {
        let mut used = false;
        for line in lines.iter_mut() {
            let method = &methods[line.method];
            let fits = same_score(figure, line, method) && same_variant(figure, method);
            if fits && line.beside.is_none() {
                let verdict = Verdict::of(figure.value, &line.estimate);
                line.beside = Some(Beside {
                    value: figure.value,
                    source: figure.source.clone(),
                    label: figure.label.clone(),
                    note: figure.note.clone(),
                    verdict,
                    place,
                });
                used = true;
            }
        }
        if used {
            continue;
        }
        let other_variant = lines.iter().find(|line| {
            let method = &methods[line.method];
            let varies = same_axes(figure, method) && !same_variant(figure, method);
            same_score(figure, line, method) && varies
        });
        match other_variant {
            Some(&Line { setting, split, .. }) => {
                let figure = figure.clone();
                unmatched.not_run.push(NotRun { figure, place, setting, split });
            }
            None => unmatched.unknown.push(figure.clone()),
        }
    }
    unmatched
}

/// Whether a line is the figure's metric of its stage on its images, of whatever variant.
fn same_score(figure: &Published, line: &Line, method: &Method) -> bool {
    let split = match figure.split.as_str() {
        "transductive" => matches!(line.setting, Setting::Transductive),
        CROSS_VALIDATION => line.setting == Setting::CrossValidated,
        split => line.split == split,
    };
    split && line.class.is_none() && figure.metric == line.metric && figure.stage == method.stage
}

/// Whether a method has all axes that the figure names, whatever their values.
fn same_axes(figure: &Published, method: &Method) -> bool {
    figure.axes.keys().all(|name| method.axes.iter().any(|(axis, _)| axis == name))
}

/// Whether a method is the variant that the figure names.
fn same_variant(figure: &Published, method: &Method) -> bool {
    let fits = |(name, value): (&String, &serde_json::Value)| {
        method.axes.iter().any(|(axis, found)| axis == name && found == value)
    };
    figure.axes.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_say_where_a_published_figure_lies() {
        let ours = Estimate::of_runs(&[0.50, 0.54, 0.58]).unwrap();
        assert_eq!(Verdict::of(0.56, &ours), Verdict::Inside);
        let tight = Estimate::of_runs(&[0.40, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50]).unwrap();
        assert!(tight.low.unwrap() > 0.41);
        assert_eq!(Verdict::of(0.41, &tight), Verdict::AmongRuns);
        assert_eq!(Verdict::of(0.9, &tight), Verdict::Higher);
        assert_eq!(Verdict::of(0.1, &tight), Verdict::Lower);
        let once = Estimate::of_runs(&[252.0 / 290.0]).unwrap();
        assert_eq!(Verdict::of(0.87, &once), Verdict::Same);
        assert_eq!(Verdict::of(0.88, &once), Verdict::NoInterval);
        assert_eq!(Verdict::of(0.9, &once), Verdict::NoInterval);
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::parse(verdict.words()), Some(verdict));
        }
    }
}
