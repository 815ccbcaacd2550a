//! Scores of all methods; or what can be said without truth.

use maud::{Markup, html};

use super::{boxed, claims, marks, mean_text, method_name, plural, setting_text, thousands};
use crate::{
    evidence::Evidence, overview::number, predictions::FEWEST_LABELS, rows::Setting, summary::Line,
};

/// The top of the page.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let scored = |line: &&Line| line.setting != Setting::CrossValidated;
    let claimed = evidence.lines.iter().any(|line| line.beside.is_some());
    html! {
        (claims::published(evidence))
        @if claimed { (marks(evidence)) }
        (claims::not_better(evidence))
        @if evidence.lines_of("accuracy").any(|line| scored(&line)) {
            @if claimed { h2 { "All scores" } }
            (scores(evidence))
        }
        @if !claimed { (marks(evidence)) }
        @if evidence.lines.iter().any(|line| line.estimate.std.is_some() || line.metric == "accuracy" && scored(&line)) {
            p.small.soft { (reading(evidence)) }
        }
        @if evidence.known.truth.is_none() && !evidence.predictors.is_empty() {
            (without_truth(evidence))
        } @else if evidence.lines_of("accuracy").any(|line| !scored(&line)) {
            h2 { "Cross-validated on the given labels" }
            (cross_validated(evidence))
        }
    }
}

fn scores(evidence: &Evidence) -> Markup {
    // Where nobody said how many labels there were, a column of dashes says no more.
    let labels = evidence.lines_of("accuracy").any(|line| line.labels.is_some());
    let columns = if labels { "5" } else { "4" };
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th.num scope="col" { "Accuracy, %" }
                th.num scope="col" { "Macro F1, %" }
                @if labels { th.num scope="col" { "Labels" } }
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
                            td.num { (mean_text(evidence, line)) }
                            td.num {
                                @match evidence.beside(line, "macro_f1") {
                                    Some(f1) => (mean_text(evidence, f1)),
                                    None => "–",
                                }
                            }
                            @if labels { td.num { (labels_text(line)) } }
                            td.num { (line.estimate.n) }
                        }
                    }
                }
            }
        }
    };
    html! {
        (boxed(table))
    }
}

/// How many labels the runs were given: `50`, `49.7` on average, or a dash.
pub(super) fn labels_text(line: &Line) -> String {
    match line.labels {
        None => "–".to_owned(),
        Some(labels) if labels.fract() == 0.0 => thousands(labels as u64),
        Some(labels) => format!("{labels:.1}"),
    }
}

/// How the numbers are to be read.
fn reading(evidence: &Evidence) -> Markup {
    let axes = &evidence.params.seed_axes;
    html! {
        "± is half of the 95 % interval of the mean (Student’s t) over runs that differ in "
        @for (at, axis) in axes.iter().enumerate() {
            @if at > 0 { @if at + 1 == axes.len() { " or " } @else { ", " } }
            code { (axis) }
        }
        @if axes.is_empty() { "nothing" }
        " only. It covers what those draw anew, in every table of this page, and not what all runs \
         share: the images that are scored, and whatever is marked. A single run has no interval. "
        @if evidence.lines_of("accuracy").any(|line| line.setting == Setting::Transductive) {
            "Transductive scores leave out the images whose label was given. "
        }
        "Macro F1 is the mean over classes, each counting the same."
    }
}

/// Settings and splits that have scores, held-out images first.
pub(super) fn groups(evidence: &Evidence) -> Vec<(Setting, &'static str)> {
    let mut groups: Vec<(Setting, &'static str)> = Vec::new();
    for setting in [
        Setting::Test,
        Setting::TestSeen,
        Setting::TestUnsure,
        Setting::Transductive,
        Setting::Training,
    ] {
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
                td.num { (mean_text(evidence, line)) }
                td.num { (line.estimate.n) }
            } } }
        }
    };
    boxed(table)
}
