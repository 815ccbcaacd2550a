//! The claims at the top: what came out, how sure it is, and what others published.

use indexmap::IndexSet;
use maud::{Markup, html};

use super::{boxed, mean_text, method_name, plural, setting_text, thousands};
use crate::{
    evidence::Evidence,
    overview::number,
    predictions::FEWEST_LABELS,
    published::{Beside, Verdict},
    rows::Setting,
    summary::Line,
};

/// Sources of published figures, numbered in the order in which they are met.
pub(super) type Sources<'a> = IndexSet<&'a str>;

/// Scores on images with truth; or what can be said without.
pub(super) fn claims(evidence: &Evidence) -> Markup {
    let scored = |line: &&Line| line.setting != Setting::CrossValidated;
    html! {
        @if evidence.lines_of("accuracy").any(|line| scored(&line)) { (scores(evidence)) }
        @if evidence.known.truth.is_none() && !evidence.scored.stages.is_empty() {
            (without_truth(evidence))
        } @else if evidence.lines_of("accuracy").any(|line| !scored(&line)) {
            h2 { "Cross-validated on the given labels" }
            (cross_validated(evidence))
        }
        (unused(evidence))
    }
}

fn scores(evidence: &Evidence) -> Markup {
    let mut sources = Sources::new();
    let has = |metric| evidence.lines_of(metric).any(|line| line.beside.is_some());
    let (accuracy_beside, f1_beside) = (has("accuracy"), has("macro_f1"));
    let columns = 4 + usize::from(accuracy_beside) + usize::from(f1_beside);
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th.num scope="col" { "Accuracy, %" }
                @if accuracy_beside { th scope="col" { "Published" } }
                th.num scope="col" { "Macro F1, %" }
                @if f1_beside { th scope="col" { "Published" } }
                th.num scope="col" { "Runs" }
            } }
            @for (setting, split) in groups(evidence) {
                tbody {
                    tr { th.group colspan=(columns) scope="rowgroup" {
                        (setting_text(setting, split))
                        (images_of(evidence, setting, split))
                    } }
                    @for line in of_group(evidence, "accuracy", setting, split) {
                        tr {
                            th.method scope="row" { (method_name(&evidence.methods.list()[line.method])) }
                            td.num { (mean_text("accuracy", &line.estimate)) }
                            @if accuracy_beside { td { (beside(line, &mut sources)) } }
                            @match evidence.beside(line, "macro_f1") {
                                Some(f1) => {
                                    td.num { (mean_text("macro_f1", &f1.estimate)) }
                                    @if f1_beside { td { (beside(f1, &mut sources)) } }
                                }
                                None => {
                                    td.num { "–" }
                                    @if f1_beside { td {} }
                                }
                            }
                            td.num { (line.estimate.n) }
                        }
                    }
                }
            }
        }
    };
    html! {
        (boxed(table))
        p.small.soft { (reading(evidence)) }
        (source_list(&sources))
    }
}

/// How the numbers are to be read.
fn reading(evidence: &Evidence) -> Markup {
    let axes = &evidence.params.seed_axes;
    html! {
        "Mean ± half of the 95 % interval of the mean (Student’s t) over runs that differ in "
        @for (at, axis) in axes.iter().enumerate() {
            @if at > 0 { @if at + 1 == axes.len() { " or " } @else { ", " } }
            code { (axis) }
        }
        @if axes.is_empty() { "nothing" }
        " only; a single run has no interval. "
        @if evidence.lines_of("accuracy").any(|line| line.setting == Setting::Transductive) {
            "Transductive scores leave out the images whose label was given. "
        }
        "Macro F1 is the mean over classes, each counting the same."
    }
}

/// Settings and splits that have scores, held-out images first.
pub(super) fn groups(evidence: &Evidence) -> Vec<(Setting, &'static str)> {
    let mut groups: Vec<(Setting, &'static str)> = Vec::new();
    for setting in [Setting::Test, Setting::Transductive, Setting::Training] {
        for line in evidence.lines_of("accuracy").filter(|line| line.setting == setting) {
            if !groups.contains(&(setting, line.split)) {
                groups.push((setting, line.split));
            }
        }
    }
    groups
}

/// A metric's lines on the same images.
pub(super) fn of_group<'a>(
    evidence: &'a Evidence,
    metric: &'a str,
    setting: Setting,
    split: &'a str,
) -> impl Iterator<Item = &'a Line> {
    evidence.lines_of(metric).filter(move |line| line.setting == setting && line.split == split)
}

/// How many images a group is over, where all runs agree.
fn images_of(evidence: &Evidence, setting: Setting, split: &str) -> Markup {
    let mut counts = evidence
        .rows
        .iter()
        .filter(|row| row.metric == "accuracy" && row.setting == setting && row.split == split)
        .map(|row| row.support);
    let first = counts.next();
    let same = first.filter(|first| counts.all(|count| count == *first));
    html! {
        @if let Some(count) = same {
            span.soft.small { " · " (thousands(u64::from(count))) " images" }
        }
    }
}

/// A published figure with its verdict.
pub(super) fn beside<'a>(line: &'a Line, sources: &mut Sources<'a>) -> Markup {
    let Some(Beside { value, source, verdict }) = &line.beside else { return html! {} };
    let number_of = (!source.is_empty()).then(|| sources.insert_full(source).0 + 1);
    html! {
        (as_published(line.metric, *value))
        @if let Some(number) = number_of { span.cite { "[" (number) "]" } }
        span.verdict.(tone(*verdict)) { (verdict.words()) }
    }
}

/// A published share in per cent with the digits that it came with: 0.8442 is 84.42, 0.49 is 49.
fn as_published(metric: &str, value: f64) -> String {
    if crate::overview::is_index(metric) {
        return value.to_string();
    }
    let written = value.to_string();
    let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{:.*}", decimals.saturating_sub(2), value * 100.0)
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Inside | Verdict::Same => "good",
        Verdict::Higher => "warm",
        Verdict::Lower => "cool",
        Verdict::AmongRuns | Verdict::NoInterval => "plain",
    }
}

pub(super) fn source_list(sources: &Sources<'_>) -> Markup {
    html! {
        @if !sources.is_empty() {
            p.small.soft {
                "Published: "
                @for (at, source) in sources.iter().enumerate() {
                    @if at > 0 { "; " }
                    "[" (at + 1) "] " (source)
                }
                ". A figure is inside our interval when our mean cannot be told from it; a single \
                 published run may well lie outside and still be one of ours, hence “among our runs”."
            }
        }
    }
}

fn unused(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.unused.is_empty() {
            div.note { p {
                "Published figures that fit no result here: "
                @for (at, figure) in evidence.unused.iter().enumerate() {
                    @if at > 0 { "; " }
                    (figure.metric) " of " code { (figure.stage) } " on " (figure.split) ", "
                    (as_published(&figure.metric, figure.value))
                }
                "."
            } }
        }
    }
}

/// Coverage, confidence and an estimate: all there is to say without truth.
fn without_truth(evidence: &Evidence) -> Markup {
    let labels = evidence.labels.iter().map(|counts| {
        let total: u64 = counts.sums.iter().sum();
        total / counts.runs.max(1) as u64
    });
    html! {
        div.note {
            p {
                strong { "No truth was given, so these predictions have not been scored. " }
                "Coverage is the share of images that got a prediction; confidence is what the \
                 classifier says of itself, which is often too much."
            }
            @if !evidence.lines_of("accuracy").any(|line| line.setting == Setting::CrossValidated) {
                p { (not_estimated(evidence, labels.max())) }
            }
        }
        (cross_validated(evidence))
        (unscored(evidence))
    }
}

fn not_estimated(evidence: &Evidence, labels: Option<u64>) -> Markup {
    let most = evidence.too_few.iter().map(|(_, n)| *n).max();
    html! {
        "The accuracy cannot be estimated: "
        @match (most, labels) {
            (Some(n), _) => {
                "only " (plural(n, "label", "labels")) " could be held out, and at least "
                (FEWEST_LABELS) " are needed. Label a few more images."
            }
            (None, Some(n)) => {
                "none of the " (plural(n as usize, "given label was", "given labels were"))
                " held out from any run. Add cross-validation folds, or label a few more images \
                 (at least two of every class)."
            }
            (None, None) => { "no labels were held out. Wire cross-validation folds to " code { "held_out" } "." }
        }
    }
}

fn cross_validated(evidence: &Evidence) -> Markup {
    let lines: Vec<&Line> = evidence
        .lines_of("accuracy")
        .filter(|line| line.setting == Setting::CrossValidated)
        .collect();
    let most = lines.iter().map(|line| line.estimate.n).max().unwrap_or(0);
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th.num scope="col" { "Estimated accuracy, %" }
                th.num scope="col" { "95 % interval" }
                th.num scope="col" { "Macro F1, %" }
                th.num scope="col" { "Labels" }
            } }
            tbody { @for line in &lines { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[line.method])) }
                td.num { (number("accuracy", line.estimate.mean)) }
                td.num { (interval(line)) }
                td.num {
                    @if let Some(f1) = evidence.beside(line, "macro_f1") {
                        (number("macro_f1", f1.estimate.mean))
                    }
                }
                td.num { (line.estimate.n) }
            } } }
        }
    };
    html! {
        @if !lines.is_empty() {
            p {
                "The accuracy below is an estimate, " (Setting::CrossValidated.words()) ": the "
                (plural(most, "label", "labels")) " were split into folds, and each was predicted by \
                 a run that had not seen it. The interval says how far so few labels can be off \
                 (Wilson’s). It holds for all images if the labelled ones were picked at random; \
                 the final runs learn from a few labels more than each fold did."
            }
            (boxed(table))
        }
    }
}

fn interval(line: &Line) -> String {
    match (line.estimate.low, line.estimate.high) {
        (Some(low), Some(high)) => {
            format!("{} to {}", number(line.metric, low), number(line.metric, high))
        }
        _ => "–".to_owned(),
    }
}

fn unscored(evidence: &Evidence) -> Markup {
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th scope="col" { "Images" }
                th.num scope="col" { "Coverage, %" }
                th.num scope="col" { "Mean confidence, %" }
                th.num scope="col" { "Runs" }
            } }
            tbody { @for line in evidence.lines_of("confidence") { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[line.method])) }
                td { (line.split) }
                td.num {
                    @match evidence.beside(line, "coverage") {
                        Some(coverage) => (number("coverage", coverage.estimate.mean)),
                        None => "–",
                    }
                }
                td.num { (mean_text("confidence", &line.estimate)) }
                td.num { (line.estimate.n) }
            } } }
        }
    };
    boxed(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_figures_keep_their_digits() {
        assert_eq!(as_published("accuracy", 0.49), "49");
        assert_eq!(as_published("accuracy", 0.8442), "84.42");
        assert_eq!(as_published("accuracy", 0.5), "50");
        assert_eq!(as_published("accuracy", 0.965), "96.5");
        assert_eq!(as_published("nmi", 0.52), "0.52");
    }
}
