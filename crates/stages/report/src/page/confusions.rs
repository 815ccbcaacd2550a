//! Confusion matrices and the scores of each class.

use maud::{Markup, html};

use super::{bare_text, boxed, plural, setting_text, shade, thousands};
use crate::{
    confusions::{Columns, MeanConfusion},
    evidence::Evidence,
};

/// More classes than this do not fit a matrix; their most frequent confusions are listed.
const MATRIX_CLASSES: usize = 20;
/// How many confusions are listed then.
const LISTED: usize = 20;

/// A matrix for every method and group of images.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let all = &evidence.confusions;
    let best = best(evidence);
    html! {
        @if all.len() > 0 {
            h2 { "Confusion, class by class" }
            p.soft {
                "Rows are true classes, columns what the image was taken for: counts, over several \
                 runs their means. The stronger the shade, the larger the share of the row; blue is \
                 right. Below each matrix the scores of the classes."
                @if all.iter().any(|confusion| confusion.columns == Columns::Named) {
                    " Clusters are named after their most frequent class."
                }
            }
            @for confusion in all.iter() {
                details open[best.is_some_and(|best| std::ptr::eq(best, confusion))] {
                    (of_method(evidence, confusion))
                    div {
                        @if evidence.known.classes.names().len() <= MATRIX_CLASSES {
                            (matrix(evidence, confusion))
                        } @else {
                            (most_frequent(evidence, confusion))
                        }
                        (class_table(evidence, confusion))
                    }
                }
            }
        }
    }
}

/// The matrix to look at first: on held-out images, where there are any, that of the most right.
pub(super) fn best(evidence: &Evidence) -> Option<&MeanConfusion> {
    let classes = evidence.known.classes.names().len();
    let right = |confusion: &MeanConfusion| {
        let right: u64 = confusion.sums.iter().step_by(classes + 1).sum();
        right as f64 / confusion.sums.iter().sum::<u64>().max(1) as f64
    };
    let first = evidence.confusions.iter().map(|confusion| confusion.setting).min()?;
    let of_first = evidence.confusions.iter().filter(|confusion| confusion.setting == first);
    of_first.reduce(|best, next| if right(next) > right(best) { next } else { best })
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
        let shade = shade(sum, total);
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
                                    (bare_text(line))
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
