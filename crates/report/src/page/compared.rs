//! Methods against the baseline, clusters and propagated labels against the truth.

use maud::{Markup, html};

use super::{
    boxed,
    headline::{Sources, beside, source_list},
    mean_text, method_name,
};
use crate::{evidence::Evidence, summary::Line};

/// Each method against the baseline, run by run.
pub(super) fn differences(evidence: &Evidence) -> Markup {
    let lines: Vec<&Line> = evidence.lines_of("accuracy_minus_baseline").collect();
    let Some(baseline) = evidence.baseline.as_ref().filter(|_| !lines.is_empty()) else {
        return html! {};
    };
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th scope="col" { "Images" }
                th.num scope="col" { "Difference, points" }
                th scope="col" { "Reading" }
                th.num scope="col" { "Pairs" }
            } }
            tbody { @for line in &lines { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[line.method])) }
                td { (line.split) }
                td.num { (signed(line)) }
                td { (comparison(line)) }
                td.num { (line.estimate.n) }
            } } }
        }
    };
    html! {
        h2 { "Against " code { (baseline) } }
        p.soft {
            "Differences in accuracy between runs on the same seeds. What both runs share, above all \
             which images happened to be labelled, cancels out."
        }
        (boxed(table))
    }
}

fn signed(line: &Line) -> Markup {
    let plus = if line.estimate.mean > 0.0 { "+" } else { "" };
    html! { (plus) (mean_text(line.metric, &line.estimate)) }
}

fn comparison(line: &Line) -> Markup {
    let (words, tone) = match (line.estimate.low, line.estimate.high) {
        (Some(low), _) if low > 0.0 => ("better", "good"),
        (_, Some(high)) if high < 0.0 => ("worse", "warm"),
        (None, None) => ("one pair, no interval", "plain"),
        _ => ("no clear difference", "plain"),
    };
    html! { span.verdict.(tone) { (words) } }
}

/// Clusterings against the classes.
pub(super) fn clusters(evidence: &Evidence) -> Markup {
    let columns = [
        ("naming_accuracy", "Named by majority, %"),
        ("hungarian_accuracy", "Matched one to one, %"),
        ("nmi", "NMI"),
        ("ari", "ARI"),
    ];
    let explained = "Clusters never saw a label. Named by majority: every cluster gets its most \
                     frequent class, which the truth has to tell, and which more clusters always \
                     improve. Matched one to one: no two clusters may share a class. NMI and ARI \
                     compare the groupings themselves (1 is the same, ARI 0 is chance).";
    metric_table(evidence, "Clusters", explained, &columns)
}

/// Labels that propagation added.
pub(super) fn propagated(evidence: &Evidence) -> Markup {
    let columns = [
        ("propagated_accuracy", "Right, %"),
        ("propagated_coverage", "Unlabelled images reached, %"),
    ];
    let explained = "Labels that a propagation stage added to the given ones: how many are right, and \
                     how many images got one.";
    metric_table(evidence, "Propagated labels", explained, &columns)
}

fn metric_table(
    evidence: &Evidence,
    title: &str,
    explained: &str,
    columns: &[(&str, &str)],
) -> Markup {
    let mut keys: Vec<&Line> = Vec::new();
    for (metric, _) in columns {
        for line in evidence.lines_of(metric) {
            let same = |known: &&Line| {
                (known.method, known.setting, known.split)
                    == (line.method, line.setting, line.split)
            };
            if !keys.iter().any(same) {
                keys.push(line);
            }
        }
    }
    if keys.is_empty() {
        return html! {};
    }
    let mut sources = Sources::new();
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th scope="col" { "Images" }
                @for (_, heading) in columns { th.num scope="col" { (heading) } }
                th.num scope="col" { "Runs" }
            } }
            tbody { @for key in &keys { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[key.method])) }
                td { (key.split) }
                @for (metric, _) in columns {
                    td.num {
                        @match evidence.beside(key, metric) {
                            Some(line) => {
                                (mean_text(metric, &line.estimate))
                                @if line.beside.is_some() {
                                    span.verdict { "published " (beside(line, &mut sources)) }
                                }
                            }
                            None => "–",
                        }
                    }
                }
                td.num { (key.estimate.n) }
            } } }
        }
    };
    html! {
        h2 { (title) }
        p.soft { (explained) }
        (boxed(table))
        (source_list(&sources))
    }
}
