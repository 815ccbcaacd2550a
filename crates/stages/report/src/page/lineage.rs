//! Every parameter, and where every table lies.

use maud::{Markup, html};

use super::{boxed, plural};
use crate::{
    evidence::Evidence,
    lineage::{Param, StageFacts},
};

/// A row for every stage above the report.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let stages = evidence.known.lineage.stages();
    let runs: usize = stages.iter().map(|facts| facts.variants).sum();
    html! {
        @if !stages.is_empty() {
            h2 { "Parameters and tables" }
            p.soft {
                "All stages above this report in the order in which they ran, with every parameter, \
                 every seed and the place of every table."
            }
            details.printed {
                summary {
                    (plural(stages.len(), "stage", "stages")) ", "
                    (plural(runs, "run", "runs"))
                }
                div {
                    p.small.soft {
                        "Parameters that differ from the defaults stand by themselves, the others \
                         below them in grey. Folders lie below the artifacts."
                    }
                    (boxed(html! {
                        table.wide.lineage {
                            thead { tr {
                                th scope="col" { "Stage" }
                                th scope="col" { "Parameters" }
                                th scope="col" { "Tables" }
                            } }
                            tbody { @for facts in &stages { (row(facts)) } }
                        }
                    }))
                }
            }
        }
    }
}

fn row(facts: &StageFacts) -> Markup {
    let of = |chosen: bool| facts.params.iter().filter(move |param| param.chosen == chosen);
    html! {
        tr {
            th scope="row" {
                (facts.stage)
                span.axis { (facts.kind) }
                @if facts.variants > 1 { span.axis { (plural(facts.variants, "run", "runs")) } }
            }
            td.small {
                @for param in of(true) { div { code { (param.text()) } } }
                @if of(false).next().is_some() {
                    div.soft { (of(false).map(Param::text).collect::<Vec<_>>().join(", ")) }
                }
            }
            td.small {
                div { code { (facts.folder) } }
                div.soft { (facts.files.join(", ")) }
            }
        }
    }
}
