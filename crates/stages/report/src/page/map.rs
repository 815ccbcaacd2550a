//! Maps of the images: points with their pictures to hover, without scripts.

use maud::{Markup, PreEscaped, html};

use super::{chart::COLOURS, plural, run_text, thousands};
use crate::{
    evidence::Evidence,
    maps::{Colouring, Map},
    pictures::Sheet,
};

/// More names than this are not listed.
const LISTED: usize = 24;

/// Every map in every colouring.
pub(super) fn section(evidence: &Evidence) -> Markup {
    let mut colourings = evidence.maps.iter().flat_map(|map| &map.colourings);
    let clusters = evidence.known.truth.is_some()
        && colourings.any(|colouring| colouring.by.starts_with("cluster"));
    html! {
        @if !evidence.maps.is_empty() {
            @if let Some(sheet) = &evidence.sheet { (pictures(sheet)) }
            h2 { (if evidence.maps.len() == 1 { "Map" } else { "Maps" }) }
            p.soft {
                "Each point is an image"
                @if evidence.sheet.is_some() { "; hover or tap to see it" }
                ". What lies together is similar to the embedding; far distances on a map mean little."
                @if clusters { " Clusters are named after their most frequent class, with their number in brackets." }
            }
            @for map in &evidence.maps { (of_embedding(evidence, map)) }
        }
    }
}

fn of_embedding(evidence: &Evidence, map: &Map) -> Markup {
    let method = &evidence.methods.list()[map.method];
    let shown = map.points.len();
    html! {
        h3 {
            (method.name()) " "
            span.soft.small {
                (run_text(method, &map.origin.axes)) "; "
                @if shown < map.total { (thousands(shown as u64)) " of " }
                (plural(map.total, "image", "images"))
            }
        }
        div.plots { @for colouring in &map.colourings { (figure(evidence, map, colouring)) } }
        @if map.colourings.is_empty() {
            @let names = Vec::new();
            @let plain = Colouring { by: String::new(), names, of: vec![None; shown] };
            div.plots { (figure(evidence, map, &plain)) }
        }
    }
}

fn figure(evidence: &Evidence, map: &Map, colouring: &Colouring) -> Markup {
    let label =
        format!("{shown} images as points, coloured by {}", colouring.by, shown = map.points.len());
    html! {
        figure {
            @if !colouring.by.is_empty() { figcaption { "By " strong { (colouring.by) } } }
            div.map role="img" aria-label=(label) {
                @for (point, name) in map.points.iter().zip(&colouring.of) {
                    i.(class(*name)).r[point.x > 0.5] tabindex="-1"
                        style=(style(evidence, point.id, point.x, point.y))
                        data-n=(caption(colouring, *name, point.id)) {}
                }
            }
            @if !colouring.names.is_empty() && colouring.names.len() <= LISTED {
                ul.legend.small { @for (at, name) in colouring.names.iter().enumerate() {
                    li { i.dot.(class(Some(at))) {} (name) }
                } }
            }
            @if colouring.names.len() > 2 * COLOURS { p.small.soft { "Colours repeat." } }
        }
    }
}

/// A colour, and beyond as many a ring of it; points without a name are grey.
fn class(name: Option<usize>) -> String {
    match name {
        None => "none".to_owned(),
        Some(at) if (at / COLOURS).is_multiple_of(2) => format!("c{}", at % COLOURS),
        Some(at) => format!("c{} ring", at % COLOURS),
    }
}

fn style(evidence: &Evidence, id: u32, x: f32, y: f32) -> String {
    let place = format!("left:{:.1}%;top:{:.1}%", x * 100.0, y * 100.0);
    match evidence.sheet.as_ref().and_then(|sheet| sheet.place(id)) {
        Some((column, row)) => format!("{place};--x:{column};--y:{row}"),
        None => place,
    }
}

fn caption(colouring: &Colouring, name: Option<usize>, id: u32) -> String {
    match name.and_then(|at| colouring.names.get(at)) {
        Some(name) => format!("{name} · image {id}"),
        None => format!("image {id}"),
    }
}

/// All pictures in one, of which every point shows its part.
fn pictures(sheet: &Sheet) -> Markup {
    let css = format!(
        ".map i:hover::before,.map i:focus::before{{background-image:url({});\
         background-size:calc({}*var(--side)) auto}}",
        sheet.uri, sheet.columns
    );
    html! { style { (PreEscaped(css)) } }
}
