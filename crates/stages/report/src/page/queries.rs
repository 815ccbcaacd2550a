//! The images that strategies asked for.

use maud::{Markup, html};

use super::{axes_text, plural, run_text};
use crate::{evidence::Evidence, queries::Asked};

/// A table for every strategy, a row for every round.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let mut stages: Vec<(&str, Vec<&Asked>)> = Vec::new();
    for asked in &evidence.asked {
        let title = evidence.methods.list()[asked.method].title.as_str();
        match stages.iter_mut().find(|(known, _)| *known == title) {
            Some((_, rounds)) => rounds.push(asked),
            None => stages.push((title, vec![asked])),
        }
    }
    html! {
        @if !stages.is_empty() {
            h2 { "Asked for" }
            p.soft {
                "The images whose label each strategy asked for, the most wanted first"
                @if evidence.known.truth.is_some() { ", with their true class" }
                ". The first run of each."
            }
            @for (title, rounds) in &stages {
                details open[stages.len() == 1] {
                    summary { (title) " " span.soft { (about(rounds)) } }
                    div { (table(evidence, rounds)) }
                }
            }
        }
    }
}

/// `entropy, 6 tables, 30 images`.
fn about(rounds: &[&Asked]) -> String {
    let count: usize = rounds.iter().map(|asked| asked.count).sum();
    let strategy = rounds.first().map_or("", |asked| asked.strategy.as_str());
    let images = plural(count, "image", "images");
    if rounds.len() == 1 {
        format!("{strategy}, {images}")
    } else {
        format!("{strategy}, {images} in {} rounds", rounds.len())
    }
}

fn table(evidence: &Evidence, rounds: &[&Asked]) -> Markup {
    html! {
        div.scroll tabindex="0" { table.rebuilt { tbody { @for asked in rounds {
            @let method = &evidence.methods.list()[asked.method];
            tr {
                th.small scope="row" {
                    @if method.axes.is_empty() { (run_text(method, &asked.origin.axes)) } @else { (axes_text(&method.axes)) }
                }
                td { ul.pictures { @for (id, score) in &asked.images {
                    li {
                        @if let Some(uri) = evidence.album.uri(*id) {
                            img src=(uri) alt=(format!("image {id}")) title=(format!("image {id}, score {score}")) loading="lazy";
                        }
                        (caption(evidence, *id))
                    }
                } } }
            }
        } } } }
    }
}

/// The true class, or the image's number where nobody knows it.
fn caption(evidence: &Evidence, id: u32) -> String {
    let truth = evidence.known.truth.as_ref().and_then(|truth| truth.get(&id));
    truth.map_or_else(|| format!("image {id}"), |&class| evidence.class(class as usize).to_owned())
}
