//! Accuracy with intervals, a strip per method.
//!
//! Positions are percentages of the strip's width, so the figure fits any screen and its text stays
//! the size of text.

use maud::{Markup, html};

use super::{headline, method_name, setting_text};
use crate::{evidence::Evidence, overview::number, rows::Setting, summary::Line};

/// A figure for every group of images that has at least two methods, or one with a spread.
pub(super) fn accuracies(evidence: &Evidence) -> Markup {
    let mut groups: Vec<(Setting, &str)> = headline::groups(evidence);
    if evidence.lines_of("accuracy").any(|line| line.setting == Setting::CrossValidated) {
        groups.push((Setting::CrossValidated, crate::rows::CROSS_VALIDATION));
    }
    if groups.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Accuracy" }
        @for (setting, split) in groups { (strips(evidence, setting, split)) }
    }
}

fn strips(evidence: &Evidence, setting: Setting, split: &str) -> Markup {
    let lines: Vec<&Line> = headline::of_group(evidence, "accuracy", setting, split).collect();
    let scale = Scale::around(&lines);
    let published = lines.iter().any(|line| line.beside.is_some());
    let ranges = lines.iter().any(|line| line.estimate.max > line.estimate.min);
    html! {
        figure {
            figcaption {
                strong { (setting_text(setting, split)) }
                ". Dot: mean. Thick: 95 % interval."
                @if ranges { " Thin: lowest to highest run." }
                @if published { " Diamond: published." }
            }
            div.strips {
                @for line in &lines {
                    div.name { (method_name(&evidence.methods.list()[line.method])) }
                    div.plot { (strip(line, &scale)) }
                }
                div.name.empty {}
                div.plot { (ticks(&scale)) }
            }
        }
    }
}

fn strip(line: &Line, scale: &Scale) -> Markup {
    let estimate = &line.estimate;
    let at = |value: f64| format!("{:.2}%", scale.percent(value));
    html! {
        svg aria-hidden="true" {
            @for tick in &scale.ticks { line x1=(at(*tick)) x2=(at(*tick)) y1="0" y2="100%" {} }
            @if estimate.max > estimate.min {
                line.range x1=(at(estimate.min)) x2=(at(estimate.max)) y1="50%" y2="50%" {}
            }
            @if let (Some(low), Some(high)) = (estimate.low, estimate.high) {
                line.interval x1=(at(low.max(0.0))) x2=(at(high.min(1.0))) y1="50%" y2="50%" {}
            }
            circle cx=(at(estimate.mean)) cy="50%" r="4.5" { title { (note(line)) } }
            @if let Some(beside) = &line.beside {
                svg x=(at(beside.value)) y="50%" overflow="visible" {
                    path d="M0-6 6 0 0 6-6 0z" {}
                }
            }
        }
    }
}

/// `81.7 % ± 5.0, 75.5 to 88.6 over 5 runs`.
fn note(line: &Line) -> String {
    let estimate = &line.estimate;
    let share = |value: f64| number(line.metric, value);
    let half = estimate.half_width.map(|half| format!(" ± {}", share(half))).unwrap_or_default();
    let range = if estimate.max > estimate.min {
        format!(", {} to {} over {} runs", share(estimate.min), share(estimate.max), estimate.n)
    } else {
        String::new()
    };
    format!("{} %{half}{range}", share(estimate.mean))
}

fn ticks(scale: &Scale) -> Markup {
    html! {
        svg.scale aria-hidden="true" {
            @for tick in &scale.ticks {
                text x=(format!("{:.2}%", scale.percent(*tick))) y="0.95em" {
                    (format!("{:.0}", tick * 100.0))
                    " %"
                }
            }
        }
    }
}

/// A stretch of 0 to 1 with round ends.
struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Scale {
    /// A scale that shows all runs, intervals and published figures.
    fn around(lines: &[&Line]) -> Self {
        let values = lines.iter().flat_map(|line| {
            let e = &line.estimate;
            let published = line.beside.as_ref().map(|beside| beside.value);
            [Some(e.min), Some(e.max), Some(e.mean), e.low, e.high, published].into_iter().flatten()
        });
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((1.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        Self::over(low.clamp(0.0, 1.0), high.clamp(0.0, 1.0))
    }

    fn over(low: f64, high: f64) -> Self {
        let span = (high - low).max(0.02);
        // Whole steps in per cent, so that ticks are the same numbers on every machine.
        let step = [1, 2, 5, 10, 20].into_iter().find(|&s| span * 100.0 / f64::from(s) <= 6.0);
        let step = step.unwrap_or(20);
        let first = (low * 100.0 / f64::from(step)).floor() as i32 * step;
        let last = ((high * 100.0 / f64::from(step)).ceil() as i32 * step).max(first + step);
        let ticks: Vec<f64> =
            (first..=last).step_by(step as usize).map(|tick| f64::from(tick) / 100.0).collect();
        Self { low: f64::from(first) / 100.0, high: f64::from(last) / 100.0, ticks }
    }

    fn percent(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_on_round_numbers() {
        let scale = Scale::over(0.41, 0.63);
        assert_eq!((scale.low, scale.high), (0.40, 0.65));
        assert_eq!(scale.ticks.len(), 6);
        assert!((scale.percent(0.525) - 50.0).abs() < 1e-9);
        let narrow = Scale::over(0.9, 0.9);
        assert!(narrow.high > narrow.low);
        assert_eq!(Scale::over(0.0, 1.0).ticks.len(), 6);
    }
}
