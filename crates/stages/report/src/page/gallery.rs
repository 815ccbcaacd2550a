//! Pictures: errors, doubts, classes, clusters, reconstructions.

use maud::{Markup, html};

use super::{confusions, plural, run_text, thousands};
use crate::{
    Result,
    evidence::Evidence,
    examples::{Example, Seen},
    others::Rebuilt,
    overview::number,
    pictures::{Layout, code_uri, data_uri, layout},
};

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
                "Images, their codes (each from its lowest number, black, to its highest, white), and \
                 what the decoder makes of the codes."
            }
            @for (rebuilt, table) in &tables {
                h3 {
                    (evidence.methods.list()[rebuilt.method].name()) " "
                    span.soft.small {
                        "code of " (plural(rebuilt.table.code.width, "number", "numbers"))
                        (shape(rebuilt.table.code.width)) "; "
                        (run_text(&evidence.methods.list()[rebuilt.method], &rebuilt.origin.axes))
                    }
                }
                div.scroll tabindex="0" { (table) }
            }
        }
    })
}

/// How a code is laid out: ` as 6 × 6`.
fn shape(width: usize) -> String {
    match layout(width) {
        Layout::Cells { rows, columns } => format!(" as {rows} × {columns}"),
        Layout::Bars => " as bars".to_owned(),
    }
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
    let pictured = |example: &&Example| {
        example.by_class.iter().flat_map(|(_, seen)| seen).any(|s| has(evidence, s))
    };
    let best = confusions::best(evidence).map(|confusion| confusion.method);
    let examples: Vec<&Example> = evidence.examples.iter().filter(pictured).collect();
    html! {
        @if !examples.is_empty() {
            h2 { "Pictures" }
            p.soft {
                "The first run of each method"
                @if evidence.known.truth.is_some() { ", on test images where there are any" }
                @if evidence.portrayed > evidence.examples.len() {
                    "; of " (evidence.portrayed) " methods the first " (evidence.examples.len())
                }
                "."
            }
            @for example in &examples {
                (of_method(evidence, example, examples.len() == 1 || best == Some(example.method)))
            }
        }
    }
}

fn has(evidence: &Evidence, seen: &Seen) -> bool {
    evidence.album.uri(seen.id).is_some()
}

fn of_method(evidence: &Evidence, example: &Example, open: bool) -> Markup {
    html! {
        details open[open] {
            summary {
                (evidence.methods.list()[example.method].name()) " "
                span.soft { (run_text(&evidence.methods.list()[example.method], &example.origin.axes)) }
            }
            div {
                @if !example.errors.is_empty() {
                    h3 {
                        "Wrong, and most certain of it "
                        span.soft.small { (example.errors.len()) " of " (thousands(example.wrong as u64)) }
                    }
                    (captioned(evidence, &example.errors))
                }
                @if !example.unsure.is_empty() {
                    h3 { "Least certain" }
                    (captioned(evidence, &example.unsure))
                }
                @if !example.sure.is_empty() {
                    h3 { "Most certain" }
                    (captioned(evidence, &example.sure))
                }
                h3 { "By predicted class" }
                div.scroll tabindex="0" { table.rebuilt { tbody {
                    @for (class, seen) in &example.by_class { tr {
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
        @match seen.entropy {
            Some(entropy) => { "entropy " (entropy_text(entropy)) },
            None => { (number("confidence", f64::from(seen.confidence))) " %" },
        }
    }
}

/// Nats with two decimals; a little is not nothing.
fn entropy_text(entropy: f32) -> String {
    if entropy > 0.0 && entropy < 0.005 { "<0.01".to_owned() } else { format!("{entropy:.2}") }
}

fn alt(evidence: &Evidence, seen: &Seen) -> String {
    let source = evidence.album.source(seen.id).unwrap_or_default();
    let said = evidence.class(seen.predicted as usize);
    format!("image {} ({source}), predicted {said}", seen.id)
}
