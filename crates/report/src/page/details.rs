//! Confusion matrices, scores per class, single runs, and what went in.

use maud::{Markup, html};

use super::{axes_text, boxed, mean_text, method_name, plural, setting_text, thousands};
use crate::{
    confusions::{Columns, MeanConfusion},
    evidence::Evidence,
    overview::number,
    rows::Setting,
    summary::Line,
};

/// More classes than this do not fit a matrix; their most frequent confusions are listed.
const MATRIX_CLASSES: usize = 20;
/// How many confusions are listed then.
const LISTED: usize = 20;
/// More runs than this are left to the table of metrics.
const LISTED_RUNS: usize = 400;

/// A matrix for every method and group of images.
pub(super) fn confusions(evidence: &Evidence) -> Markup {
    let all = &evidence.confusions;
    // Few enough to look at are open; the rest wait to be asked.
    let open = all.len() <= 2;
    html! {
        @if all.len() > 0 {
            h2 { "Confusion" }
            p.soft {
                "Rows are true classes, columns what the image was taken for: counts, over several \
                 runs their means. Shades are shares of the row, blue where right."
                @if all.iter().any(|confusion| confusion.columns == Columns::Named) {
                    " Clusters are named after their most frequent class."
                }
            }
            @for confusion in all.iter() {
                details open[open] {
                    (of_method(evidence, confusion))
                    div {
                        @if evidence.known.classes.names().len() <= MATRIX_CLASSES {
                            (matrix(evidence, confusion))
                        } @else {
                            (most_frequent(evidence, confusion))
                        }
                    }
                }
            }
        }
    }
}

fn of_method(evidence: &Evidence, confusion: &MeanConfusion) -> Markup {
    html! {
        summary {
            (evidence.methods.list()[confusion.method].name()) " "
            span.soft {
                (setting_text(confusion.setting, confusion.split)) ", "
                (plural(confusion.runs, "run", "runs"))
            }
        }
    }
}

fn matrix(evidence: &Evidence, confusion: &MeanConfusion) -> Markup {
    let names = evidence.known.classes.names();
    let classes = names.len();
    let row = |truth: usize| &confusion.sums[truth * classes..(truth + 1) * classes];
    let cell = |truth: usize, predicted: usize| {
        let (sum, total) = (row(truth)[predicted], row(truth).iter().sum::<u64>().max(1));
        let shade = format!("--v:{:.2}", sum as f64 / total as f64);
        let side = if sum == 0 {
            "none"
        } else if truth == predicted {
            "right"
        } else {
            "wrong-cell"
        };
        html! { td.(side) style=(shade) { (mean_count(sum, confusion.runs)) } }
    };
    boxed(html! {
        table.matrix {
            thead { tr {
                th.corner { "true ↓ " (columns(confusion.columns)) " →" }
                @for name in names { th.num scope="col" { (name) } }
            } }
            tbody { @for truth in 0..classes { tr {
                th scope="row" { (names[truth]) }
                @for predicted in 0..classes { (cell(truth, predicted)) }
            } } }
        }
    })
}

fn columns(columns: Columns) -> &'static str {
    match columns {
        Columns::Predicted => "predicted",
        Columns::Propagated => "propagated",
        Columns::Named => "cluster",
    }
}

/// A mean of counts: whole, but for those that would round to nothing.
fn mean_count(sum: u64, runs: usize) -> String {
    let mean = sum as f64 / runs.max(1) as f64;
    if sum == 0 {
        "·".to_owned()
    } else if mean >= 0.95 {
        format!("{mean:.0}")
    } else {
        format!("{mean:.1}")
    }
}

fn most_frequent(evidence: &Evidence, confusion: &MeanConfusion) -> Markup {
    let classes = evidence.known.classes.names().len();
    let mut pairs: Vec<(usize, usize, u64)> = confusion
        .sums
        .iter()
        .enumerate()
        .map(|(at, &sum)| (at / classes, at % classes, sum))
        .filter(|(truth, predicted, sum)| truth != predicted && *sum > 0)
        .collect();
    pairs.sort_by_key(|&(truth, predicted, sum)| (std::cmp::Reverse(sum), truth, predicted));
    pairs.truncate(LISTED);
    boxed(html! {
        table {
            caption { "The most frequent confusions of " (classes) " classes" }
            thead { tr {
                th scope="col" { "True" } th scope="col" { "Taken for" }
                th.num scope="col" { "Images" }
            } }
            tbody { @for (truth, predicted, sum) in &pairs { tr {
                td { (evidence.class(*truth)) }
                td { (evidence.class(*predicted)) }
                td.num { (mean_count(*sum, confusion.runs)) }
            } } }
        }
    })
}

/// Precision, recall and F1 of every class.
pub(super) fn per_class(evidence: &Evidence) -> Markup {
    html! {
        @if evidence.confusions.len() > 0 {
            h2 { "Class by class" }
            @for confusion in evidence.confusions.iter() {
                details {
                    (of_method(evidence, confusion))
                    div { (class_table(evidence, confusion)) }
                }
            }
        }
    }
}

fn class_table(evidence: &Evidence, of: &MeanConfusion) -> Markup {
    let find = |metric: &str, class: usize| {
        evidence.lines.iter().find(|line| {
            line.metric == metric
                && line.class == Some(class)
                && (line.method, line.setting, line.split) == (of.method, of.setting, of.split)
        })
    };
    let classes = evidence.known.classes.names().len();
    let images = |class: usize| {
        let row = &of.sums[class * classes..(class + 1) * classes];
        row.iter().sum::<u64>() as f64 / of.runs.max(1) as f64
    };
    boxed(html! {
        table {
            thead { tr {
                th scope="col" { "Class" }
                @for heading in ["Precision, %", "Recall, %", "F1, %", "Images"] {
                    th.num scope="col" { (heading) }
                }
            } }
            tbody { @for class in 0..classes {
                @if find("f1", class).is_some() {
                    tr {
                        th scope="row" { (evidence.class(class)) }
                        @for metric in ["precision", "recall", "f1"] {
                            td.num {
                                @if let Some(line) = find(metric, class) {
                                    (mean_text(line))
                                }
                            }
                        }
                        td.num { (thousands(images(class).round() as u64)) }
                    }
                }
            } }
        }
    })
}

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
    let known = &evidence.known;
    let counts: Vec<String> = known
        .totals
        .iter()
        .map(|(split, count)| format!("{} {split}", thousands(*count as u64)))
        .collect();
    let table = html! {
        table.wide {
            thead { tr {
                th scope="col" { "Input" } th.method scope="col" { "Stage" }
                th scope="col" { "Axes" } th.num scope="col" { "Tables" }
            } }
            tbody { @for wired in &evidence.wired { tr {
                td { code { (wired.port) } }
                th.method scope="row" { (wired.stage) span.axis { (wired.output) } }
                td {
                    @for (axis, values) in &wired.axes {
                        div { (axis) " = " (values.join(", ")) }
                    }
                }
                td.num { (wired.tables) }
            } } }
        }
    };
    html! {
        h2 { "What went in" }
        p.soft {
            @if let Some(dataset) = &known.dataset {
                "Data: " (dataset) ", " (counts.join(", ")) " images. "
            }
            @if !known.classes.names().is_empty() {
                (plural(known.classes.names().len(), "class", "classes")) ". "
            }
            @if known.truth.is_none() { "No truth. " }
        }
        (boxed(table))
        @if evidence.lines.iter().any(|line| line.setting == Setting::Training) {
            p.small.soft {
                "No labels were wired that fit some of the predictions: scores on training images may \
                 include images whose label the learner knew."
            }
        }
    }
}
