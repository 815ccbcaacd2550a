//! Figures that others published, set beside ours.

use scarce_scores::{prediction_half_width, welch_half_width};
use serde::{Serialize, Serializer};

use crate::{
    origin::Method,
    params::Published,
    rows::{CROSS_VALIDATION, Setting},
    summary::{CONFIDENCE, Estimate, Line},
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
///
/// A single run is compared with the range in which single runs like ours lie, a mean of several runs
/// with our mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A single run, inside the 95 % prediction interval of one more run of ours.
    Inside,
    /// A single run, above that interval.
    Above,
    /// A single run, below that interval.
    Below,
    /// A mean that cannot be told from ours, at 95 %.
    SameMean,
    /// A mean that is higher than ours.
    AboveMean,
    /// A mean that is lower than ours.
    BelowMean,
    /// Our mean rounds to the figure as it was published.
    Same,
    /// Ours is a single run, which has no interval.
    NoInterval,
}

impl Verdict {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 8] = [
        Self::Inside,
        Self::Above,
        Self::Below,
        Self::SameMean,
        Self::AboveMean,
        Self::BelowMean,
        Self::Same,
        Self::NoInterval,
    ];

    /// Judges a published figure by our runs.
    pub(crate) fn of(published: &Published, ours: &Estimate) -> Self {
        let (value, runs) = (published.value, published.runs as usize);
        let Some(deviation) = ours.std else {
            return if same_digits(value, ours.mean) { Self::Same } else { Self::NoInterval };
        };
        let half = match published.std {
            Some(theirs) if runs > 1 => {
                welch_half_width((deviation, ours.n), (theirs, runs), CONFIDENCE)
            }
            _ => prediction_half_width(deviation, ours.n, runs, CONFIDENCE),
        };
        let [inside, above, below] = match runs {
            1 => [Self::Inside, Self::Above, Self::Below],
            _ => [Self::SameMean, Self::AboveMean, Self::BelowMean],
        };
        if (value - ours.mean).abs() <= half {
            inside
        } else if same_digits(value, ours.mean) {
            Self::Same
        } else if value > ours.mean {
            above
        } else {
            below
        }
    }

    /// The verdict in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Inside => "inside our range of single runs",
            Self::Above => "above our range of single runs",
            Self::Below => "below our range of single runs",
            Self::SameMean => "no clear difference of means",
            Self::AboveMean => "above our mean",
            Self::BelowMean => "below our mean",
            Self::Same => "equal to the digits given",
            Self::NoInterval => "one run, no interval",
        }
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
                let verdict = Verdict::of(figure, &line.estimate);
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

    fn published(value: f64, runs: u32, std: Option<f64>) -> Published {
        let params =
            serde_json::json!({ "stage": "knn", "value": value, "runs": runs, "std": std });
        serde_json::from_value(params).unwrap()
    }

    #[test]
    fn a_single_run_is_compared_with_single_runs() {
        let ours = Estimate::of_runs(&[0.50, 0.54, 0.58, 0.52, 0.56]).unwrap();
        let verdict = |value| Verdict::of(&published(value, 1, None), &ours);
        // The interval of the mean ends at 0.579, that of one more run at 0.636.
        assert!(ours.high.unwrap() < 0.58);
        assert_eq!(verdict(0.60), Verdict::Inside);
        assert_eq!(verdict(0.63), Verdict::Inside);
        assert_eq!(verdict(0.64), Verdict::Above);
        assert_eq!(verdict(0.44), Verdict::Below);
    }

    #[test]
    fn a_mean_is_compared_with_our_mean() {
        let ours = Estimate::of_runs(&[0.50, 0.54, 0.58, 0.52, 0.56]).unwrap();
        let verdict = |value, runs, std| Verdict::of(&published(value, runs, std), &ours);
        assert_eq!(verdict(0.57, 5, None), Verdict::SameMean);
        assert_eq!(verdict(0.60, 5, None), Verdict::AboveMean);
        assert_eq!(verdict(0.48, 5, None), Verdict::BelowMean);
        // Their own spread, where it is known.
        assert_eq!(verdict(0.60, 5, Some(0.10)), Verdict::SameMean);
        assert_eq!(verdict(0.59, 100, Some(0.001)), Verdict::AboveMean);
    }

    #[test]
    fn one_run_of_ours_tells_nothing_but_equality() {
        let once = Estimate::of_runs(&[252.0 / 290.0]).unwrap();
        let verdict = |value| Verdict::of(&published(value, 1, None), &once);
        assert_eq!(verdict(0.87), Verdict::Same);
        assert_eq!(verdict(0.88), Verdict::NoInterval);
        assert_eq!(verdict(0.9), Verdict::NoInterval);
        let words: std::collections::BTreeSet<_> = Verdict::ALL.map(Verdict::words).into();
        assert_eq!(words.len(), Verdict::ALL.len());
    }
}
