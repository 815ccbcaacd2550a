//! Predicted classes, labels, single runs, and what went in.

use maud::{Markup, html};

use super::{axes_text, boxed, method_name, plural, thousands};
use crate::{evidence::Evidence, overview::number, rows::Setting, summary::Line};

/// More runs than this are left to the table of metrics.
const LISTED_RUNS: usize = 400;

/// How often each class was predicted, where there is no truth to say more.
pub(super) fn shares(evidence: &Evidence) -> Markup {
    if evidence.known.truth.is_some() {
        return html! {};
    }
    let of = |key: &Line| -> Vec<&Line> {
        let same = |line: &&Line| {
            line.metric == "share" && line.method == key.method && line.split == key.split
        };
        evidence.lines.iter().filter(same).collect()
    };
    html! {
        @if evidence.lines_of("confidence").next().is_some() {
            h2 { "Predicted classes" }
            p.soft { "How the predictions fall on the classes: a class that gets far more or fewer than \
                      you expect is the first thing to look at." }
            @for key in evidence.lines_of("confidence") {
                details open[evidence.methods.list().len() <= 3] {
                    summary {
                        (evidence.methods.list()[key.method].name()) " " span.soft { (key.split) }
                    }
                    div { (share_table(evidence, &of(key))) }
                }
            }
        }
    }
}

fn share_table(evidence: &Evidence, lines: &[&Line]) -> Markup {
    let most = lines.iter().map(|line| line.estimate.mean).fold(1e-9, f64::max);
    boxed(html! {
        table.wide {
            thead { tr {
                th scope="col" { "Class" }
                th.num scope="col" { "Share, %" }
                th.track scope="col" {}
            } }
            tbody { @for line in lines { tr {
                th scope="row" { (line.class.map_or("?", |class| evidence.class(class))) }
                td.num { (number("share", line.estimate.mean)) }
                td.track {
                    span.bar style=(format!("width:{:.1}%", line.estimate.mean / most * 100.0)) {}
                }
            } } }
        }
    })
}

/// How many labels of each class the learners saw.
pub(super) fn labels(evidence: &Evidence) -> Markup {
    let names = evidence.known.classes.names();
    let mean = |sum: u64, runs: usize| {
        let mean = sum as f64 / runs.max(1) as f64;
        if sum.is_multiple_of(runs.max(1) as u64) {
            format!("{mean:.0}")
        } else {
            format!("{mean:.1}")
        }
    };
    let table = html! {
        table {
            thead { tr {
                th.method scope="col" { "Labels from" }
                th.num scope="col" { "Runs" }
                th.num scope="col" { "In all" }
                @for name in names { th.num scope="col" { (name) } }
            } }
            tbody { @for counts in &evidence.labels { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[counts.method])) }
                td.num { (counts.runs) }
                td.num { (mean(counts.sums.iter().sum(), counts.runs)) }
                @for &sum in &counts.sums { td.num { (mean(sum, counts.runs)) } }
            } } }
        }
    };
    html! {
        @if !evidence.labels.is_empty() {
            h2 { "Labels" }
            p.soft { "How many labels of each class the learners saw; means over the runs." }
            (boxed(table))
        }
    }
}

/// Every run by itself.
pub(super) fn runs(evidence: &Evidence) -> Markup {
    let rows: Vec<_> = evidence.rows.iter().filter(|row| row.metric == "accuracy").collect();
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Run" } th scope="col" { "Images" }
                th.num scope="col" { "Accuracy, %" } th.num scope="col" { "Of" }
            } }
            tbody { @for row in rows.iter().take(LISTED_RUNS) { tr {
                th.method scope="row" {
                    (row.origin.stage)
                    @if !row.origin.axes.is_empty() { span.axis { (axes_text(&row.origin.axes)) } }
                }
                td { (row.split) }
                td.num { (number("accuracy", row.value)) }
                td.num { (thousands(u64::from(row.support))) }
            } } }
        }
    };
    html! {
        @if !rows.is_empty() {
            h2 { "Every run" }
            details {
                summary { "Accuracy of " (plural(rows.len(), "run", "runs")) }
                div {
                    @if rows.len() > LISTED_RUNS {
                        p.small.soft { "The first " (LISTED_RUNS) " are shown." }
                    }
                    (boxed(table))
                }
            }
        }
    }
}

/// Every stage and axis that went in.
pub(super) fn inputs(evidence: &Evidence) -> Markup {
    let tables: usize = evidence.wired.iter().map(|wired| wired.tables).sum();
    let table = html! {
        table.wide {
            thead { tr {
                th scope="col" { "Input" } th.method scope="col" { "Stage" }
                th scope="col" { "Axes" } th.num scope="col" { "Tables" }
            } }
            tbody { @for wired in &evidence.wired { tr {
                td { code { (wired.port) } }
                th.method scope="row" {
                    (wired.stage)
                    @if wired.output != wired.port { span.axis { (wired.output) } }
                }
                td {
                    @for (axis, values) in &wired.axes {
                        div { (axis) " = " (values.join(", ")) }
                    }
                }
                td.num { (thousands(wired.tables as u64)) }
            } } }
        }
    };
    html! {
        h2 { "What went in" }
        details {
            summary { (plural(tables, "table", "tables")) " of other stages" }
            div { (boxed(table)) }
        }
        @if evidence.lines.iter().any(|line| line.setting == Setting::Training) {
            p.small.soft {
                "No labels were wired that fit some of the predictions: scores on training images may \
                 include images whose label the learner knew."
            }
        }
    }
}

/// The data set in a line: `digits: 1438 train and 359 test images of 10 classes`.
pub(super) fn data(evidence: &Evidence) -> Markup {
    let known = &evidence.known;
    let counts: Vec<String> = ["train", "test", "pool"]
        .into_iter()
        .filter_map(|split| {
            let count = known.totals.get(split)?;
            Some(format!("{} {split}", thousands(*count as u64)))
        })
        .collect();
    let classes = known.classes.names().len();
    html! {
        @if let Some(dataset) = &known.dataset {
            p.soft {
                "Data: " (dataset) ", " (counts.join(" and ")) " images"
                @if classes > 0 { " of " (plural(classes, "class", "classes")) }
                @if known.truth.is_none() { ", without truth" }
                "."
            }
        }
    }
}
