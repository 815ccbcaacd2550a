//! Methods against the baseline, clusters and propagated labels against the truth.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::{
    boxed,
    claims::{Shown, difference},
    headline::labels_text,
    mean_text, method_name, setting_text,
};
use crate::{evidence::Evidence, paired::COMPARED, summary::Line};

/// Each method against its baseline, run by run.
pub(super) fn differences(evidence: &Evidence) -> Markup {
    let mut groups: IndexMap<&str, Vec<&Line>> = IndexMap::new();
    for (_, metric) in COMPARED {
        for line in evidence.lines_of(metric) {
            groups.entry(line.baseline.as_deref().unwrap_or("?")).or_default().push(line);
        }
    }
    html! {
        @for (at, (baseline, lines)) in groups.iter().enumerate() {
            h2 { "Against " (evidence.title(baseline)) }
            @if at == 0 {
                p.soft {
                    "Differences in accuracy between runs on the same seeds. What both runs share, \
                     above all which images happened to be labelled, cancels out."
                }
            }
            (boxed(difference_table(evidence, lines)))
        }
    }
}

fn difference_table(evidence: &Evidence, lines: &[&Line]) -> Markup {
    html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th scope="col" { "Images" }
                th.num scope="col" { "Difference, points" }
                th scope="col" { "Reading" }
                th.num scope="col" { "Pairs" }
            } }
            tbody { @for line in lines { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[line.method])) }
                td { (line.split) }
                td.num { (difference(line)) }
                td { (reading(line)) }
                td.num { (line.estimate.n) }
            } } }
        }
    }
}

fn reading(line: &Line) -> Markup {
    let (words, tone) = match Shown::by(line) {
        Shown::Better => ("better", "good"),
        Shown::Worse => ("worse", "warm"),
        Shown::OnePair => ("one pair, no interval", "plain"),
        Shown::NoDifference => ("no clear difference", "plain"),
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
        ("propagated_macro_f1", "Macro F1, %"),
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
    let labels = keys.iter().any(|key| key.labels.is_some());
    let table = html! {
        table.wide {
            thead { tr {
                th.method scope="col" { "Method" }
                th scope="col" { "Images" }
                @for (_, heading) in columns { th.num scope="col" { (heading) } }
                @if labels { th.num scope="col" { "Labels" } }
                th.num scope="col" { "Runs" }
            } }
            tbody { @for key in &keys { tr {
                th.method scope="row" { (method_name(&evidence.methods.list()[key.method])) }
                td title=(setting_text(key.setting, key.split)) { (key.split) }
                @for (metric, _) in columns {
                    td.num {
                        @match evidence.beside(key, metric) {
                            Some(line) => (mean_text(evidence, line)),
                            None => "–",
                        }
                    }
                }
                @if labels { td.num { (labels_text(key)) } }
                td.num { (key.estimate.n) }
            } } }
        }
    };
    html! {
        h2 { (title) }
        p.soft { (explained) }
        (boxed(table))
    }
}
