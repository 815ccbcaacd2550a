//! Pictures: errors, doubts, classes, clusters, reconstructions.

use maud::{Markup, html};

use super::{plural, run_text};
use crate::{
    Result,
    evidence::Evidence,
    others::{ClusterPortrait, Rebuilt, SHOWN_CLUSTERS},
    overview::number,
    pictures::{code_uri, data_uri},
    predictions::{Portrait, Seen},
};

/// More classes than this are not listed after a cluster.
const NAMED: usize = 3;

/// Originals, codes and reconstructions.
pub(super) fn reconstructions(evidence: &Evidence) -> Result<Markup> {
    let mut tables = Vec::new();
    for rebuilt in &evidence.rebuilt {
        tables.push((rebuilt, rebuilt_table(rebuilt)?));
    }
    Ok(html! {
        @if !tables.is_empty() {
            h2 { "Reconstructions" }
            p.soft {
                "Images, their codes as squares (each from its lowest number, black, to its highest, \
                 white), and what the decoder makes of the codes."
            }
            @for (rebuilt, table) in &tables {
                h3 {
                    (evidence.methods.list()[rebuilt.method].name()) " "
                    span.soft.small {
                        "code of " (plural(rebuilt.table.code.width, "number", "numbers")) "; "
                        (run_text(&rebuilt.origin.axes))
                    }
                }
                div.scroll tabindex="0" { (table) }
            }
        }
    })
}

fn rebuilt_table(rebuilt: &Rebuilt) -> Result<Markup> {
    let (mut originals, mut codes, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..rebuilt.table.id.len() {
        originals.push(data_uri(&rebuilt.meta, rebuilt.table.original.row(at))?);
        codes.push(code_uri(rebuilt.table.code.row(at))?);
        decoded.push(data_uri(&rebuilt.meta, rebuilt.table.reconstruction.row(at))?);
    }
    let lines = [("original", originals), ("code", codes), ("decoded", decoded)];
    Ok(html! {
        table.rebuilt { tbody { @for (name, uris) in &lines { tr {
            th.soft.small scope="row" { (name) }
            @for (uri, id) in uris.iter().zip(&rebuilt.table.id) {
                td { img src=(uri) alt=(format!("{name} {id}")) loading="lazy"; }
            }
        } } } }
    })
}

/// Errors, doubts and samples of every method's first run.
pub(super) fn predictions(evidence: &Evidence) -> Markup {
    let pictured = |portrait: &&Portrait| {
        portrait.by_class.iter().flat_map(|(_, seen)| seen).any(|s| has(evidence, s))
    };
    let portraits: Vec<&Portrait> = evidence.scored.portraits.iter().filter(pictured).collect();
    html! {
        @if !portraits.is_empty() {
            h2 { "Pictures" }
            p.soft {
                "The first run of each method"
                @if evidence.known.truth.is_some() { ", on test images where there are any" } "."
            }
            @for portrait in &portraits { (of_method(evidence, portrait, portraits.len() == 1)) }
        }
    }
}

fn has(evidence: &Evidence, seen: &Seen) -> bool {
    evidence.album.uri(seen.id).is_some()
}

fn of_method(evidence: &Evidence, portrait: &Portrait, open: bool) -> Markup {
    html! {
        details open[open] {
            summary {
                (evidence.methods.list()[portrait.method].name()) " "
                span.soft { (run_text(&portrait.origin.axes)) }
            }
            div {
                @if !portrait.errors.is_empty() {
                    h3 { "Wrong, and most confident of it" }
                    (captioned(evidence, &portrait.errors))
                }
                @if !portrait.unsure.is_empty() {
                    h3 { "Least confident" }
                    (captioned(evidence, &portrait.unsure))
                }
                h3 { "By predicted class" }
                div.scroll tabindex="0" { table.rebuilt { tbody {
                    @for (class, seen) in &portrait.by_class { tr {
                        th.small scope="row" { (evidence.class(*class)) }
                        td { ul.pictures.tight { @for seen in seen {
                            @if let Some(uri) = evidence.album.uri(seen.id) {
                                li { img src=(uri) alt=(alt(evidence, seen)) title=(alt(evidence, seen)) loading="lazy"; }
                            }
                        } } }
                    } }
                } } }
            }
        }
    }
}

fn captioned(evidence: &Evidence, seen: &[Seen]) -> Markup {
    html! {
        ul.pictures { @for seen in seen {
            @if let Some(uri) = evidence.album.uri(seen.id) {
                li {
                    img src=(uri) alt=(alt(evidence, seen)) title=(alt(evidence, seen)) loading="lazy";
                    (caption(evidence, seen))
                }
            }
        } }
    }
}

/// `3, said 5, 98 %`; without truth only what was said.
fn caption(evidence: &Evidence, seen: &Seen) -> Markup {
    let said = evidence.class(seen.predicted as usize);
    html! {
        @match seen.truth {
            Some(truth) if truth != seen.predicted => {
                (evidence.class(truth as usize)) ", said " span.wrong { (said) }
            }
            _ => (said),
        }
        br;
        (number("confidence", f64::from(seen.confidence))) " %"
    }
}

fn alt(evidence: &Evidence, seen: &Seen) -> String {
    let source = evidence.album.source(seen.id).unwrap_or_default();
    let said = evidence.class(seen.predicted as usize);
    format!("image {} ({source}), predicted {said}", seen.id)
}

/// Some images of every cluster.
pub(super) fn clusters(evidence: &Evidence) -> Markup {
    let pictured = |portrait: &&ClusterPortrait| {
        portrait.samples.iter().flat_map(|(_, ids)| ids).any(|id| evidence.album.uri(*id).is_some())
            || !portrait.contents.is_empty()
    };
    let portraits: Vec<&ClusterPortrait> = evidence.clusters.iter().filter(pictured).collect();
    html! {
        @if !portraits.is_empty() {
            h2 { "Inside the clusters" }
            p.soft {
                "The first run of each clustering: the image nearest to the centre first, then some \
                 others. Clusters also gather by what labels do not say."
            }
            @for portrait in &portraits {
                details open[portraits.len() == 1] {
                    summary {
                        (evidence.methods.list()[portrait.method].name()) " "
                        span.soft {
                            (plural(portrait.count, "cluster", "clusters")) ", "
                            (run_text(&portrait.origin.axes))
                        }
                    }
                    div {
                        @if portrait.count > SHOWN_CLUSTERS {
                            p.small.soft { "The first " (SHOWN_CLUSTERS) " are shown." }
                        }
                        (cluster_table(evidence, portrait))
                    }
                }
            }
        }
    }
}

fn cluster_table(evidence: &Evidence, portrait: &ClusterPortrait) -> Markup {
    let truth = !portrait.contents.is_empty();
    html! {
        div.scroll tabindex="0" { table.wide {
            thead { tr {
                th scope="col" { "Cluster" }
                th scope="col" { "Images" }
                @if truth { th scope="col" { "Most frequent classes" } }
            } }
            tbody { @for (cluster, ids) in &portrait.samples { tr {
                th scope="row" { (cluster) }
                td { ul.pictures.tight { @for id in ids {
                    @if let Some(uri) = evidence.album.uri(*id) {
                        li { img src=(uri) alt=(format!("image {id}")) loading="lazy"; }
                    }
                } } }
                @if truth { td.small { (contents(evidence, portrait, *cluster)) } }
            } } }
        } }
    }
}

/// `seven 62 %, nine 21 %, four 12 %`.
fn contents(evidence: &Evidence, portrait: &ClusterPortrait, cluster: i32) -> Markup {
    let counts = portrait.contents.iter().find(|(known, _)| *known == cluster).map(|(_, of)| of);
    let Some(counts) = counts else { return html! { "–" } };
    let total: u64 = counts.iter().sum::<u64>().max(1);
    let mut order: Vec<(usize, u64)> =
        counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    order.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
    order.truncate(NAMED);
    html! {
        @for (at, (class, count)) in order.iter().enumerate() {
            @if at > 0 { ", " }
            (evidence.class(*class)) " "
            span.soft { (format!("{:.0} %", *count as f64 / total as f64 * 100.0)) }
        }
    }
}
