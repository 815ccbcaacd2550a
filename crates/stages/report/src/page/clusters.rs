//! What the clusters hold.

use maud::{Markup, html};

use super::{boxed, plural, run_text, shade, thousands};
use crate::{
    clusters::{ClusterPortrait, SHOWN_CLUSTERS},
    evidence::Evidence,
    score::majority,
};

/// More classes than this do not fit a matrix; the most frequent ones are listed.
const MATRIX_CLASSES: usize = 20;
/// More clusters than this are shown to those who ask.
const OPEN: usize = 20;
/// More classes than this are not listed after a cluster.
const NAMED: usize = 3;

/// Some images of every cluster.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let pictured = |example: &&ClusterPortrait| {
        example.samples.iter().flat_map(|(_, ids)| ids).any(|id| evidence.album.uri(*id).is_some())
            || !example.contents.is_empty()
    };
    let examples: Vec<&ClusterPortrait> = evidence.clusters.iter().filter(pictured).collect();
    html! {
        @if !examples.is_empty() {
            h2 { "Inside the clusters" }
            p.soft {
                "The first run of each clustering: the image nearest to the centre first, then some \
                 others. Clusters also gather by what labels do not say."
            }
            @for (at, example) in examples.iter().enumerate() {
                details open[at == 0 && example.count <= OPEN] {
                    summary {
                        (evidence.methods.list()[example.method].name()) " "
                        span.soft {
                            (plural(example.count, "cluster", "clusters")) ", "
                            (run_text(&evidence.methods.list()[example.method], &example.origin.axes))
                        }
                    }
                    div {
                        @if example.count > SHOWN_CLUSTERS {
                            p.small.soft { "The first " (SHOWN_CLUSTERS) " of " (example.count) " are shown." }
                        }
                        (cluster_table(evidence, example))
                        (matrix(evidence, example))
                    }
                }
            }
        }
    }
}

/// Images of each class in each cluster.
fn matrix(evidence: &Evidence, example: &ClusterPortrait) -> Markup {
    let names = evidence.known.classes.names();
    if example.contents.is_empty() || names.len() > MATRIX_CLASSES {
        return html! {};
    }
    // Those of the pictures; clusters of the same name stand together.
    let shown = |cluster: i32| example.samples.iter().any(|(of, _)| *of == cluster);
    let mut rows: Vec<&(i32, Vec<u64>)> = example.contents.iter().collect();
    rows.retain(|(cluster, _)| shown(*cluster));
    rows.sort_by_key(|(cluster, counts)| (majority(counts), *cluster));
    html! {
        h3 { "Clusters against classes" }
        p.small.soft {
            "Images of each class in each cluster, which is named after the class in blue. The \
             stronger the shade, the larger the share of the cluster."
        }
        (boxed(html! {
            table.matrix {
                thead { tr {
                    th.corner { "cluster ↓ class →" }
                    @for name in names { th.num scope="col" { (name) } }
                    th.num scope="col" { "Images" }
                } }
                tbody { @for (cluster, counts) in rows {
                    @let (name, total) = (majority(counts), counts.iter().sum::<u64>().max(1));
                    tr {
                        th scope="row" { (names[name]) " " span.soft { "(" (cluster) ")" } }
                        @for (class, &count) in counts.iter().enumerate() {
                            td.(if count == 0 { "none" } else if class == name { "right" } else { "wrong-cell" })
                                style=(shade(count, total)) {
                                (if count == 0 { "·".to_owned() } else { thousands(count) })
                            }
                        }
                        td.plain { (thousands(total)) }
                    }
                } }
            }
        }))
    }
}

fn cluster_table(evidence: &Evidence, example: &ClusterPortrait) -> Markup {
    let truth = !example.contents.is_empty();
    html! {
        div.scroll tabindex="0" { table.wide.pictured {
            thead { tr {
                th scope="col" { "Cluster" }
                th scope="col" { "Images" }
                @if truth { th scope="col" { "Most frequent classes" } }
            } }
            tbody { @for (cluster, ids) in &example.samples { tr {
                th scope="row" { (cluster) }
                td { ul.pictures.tight { @for id in ids {
                    @if let Some(uri) = evidence.album.uri(*id) {
                        li { img src=(uri) alt=(format!("image {id}")) loading="lazy"; }
                    }
                } } }
                @if truth { td.small { (contents(evidence, example, *cluster)) } }
            } } }
        } }
    }
}

/// `seven 62 %, nine 21 %, four 12 %`.
fn contents(evidence: &Evidence, example: &ClusterPortrait, cluster: i32) -> Markup {
    let counts = example.contents.iter().find(|(known, _)| *known == cluster).map(|(_, of)| of);
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
