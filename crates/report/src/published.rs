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
pub(crate) fn attach(
    lines: &mut [Line],
    methods: &[Method],
    published: &[Published],
) -> Vec<Published> {
    let mut unused = Vec::new();
    for figure in published {
        let mut used = false;
        for line in lines.iter_mut() {
            if line.beside.is_none() && fits(figure, line, &methods[line.method]) {
                let verdict = Verdict::of(figure.value, &line.estimate);
                line.beside = Some(Beside {
                    value: figure.value,
                    source: figure.source.clone(),
                    label: figure.label.clone(),
                    note: figure.note.clone(),
                    verdict,
                });
                used = true;
            }
        }
        if !used {
            unused.push(figure.clone());
        }
    }
    unused
}

fn fits(figure: &Published, line: &Line, method: &Method) -> bool {
    let split = match figure.split.as_str() {
        "transductive" => matches!(line.setting, Setting::Transductive),
        CROSS_VALIDATION => line.setting == Setting::CrossValidated,
        split => line.split == split,
    };
    let axis = |(name, value): (&String, &serde_json::Value)| {
        method.axes.iter().any(|(axis, found)| axis == name && found == value)
    };
    split
        && line.class.is_none()
        && figure.metric == line.metric
        && figure.stage == method.stage
        && figure.axes.iter().all(axis)
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
