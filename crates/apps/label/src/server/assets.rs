//! The page's own files, which are part of the program.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

const PAGE: &str = include_str!("../../assets/page.html");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Name, media type, text.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", CSS, include_str!("../../assets/style.css")),
    ("main.js", JAVASCRIPT, include_str!("../../assets/main.js")),
    ("server.js", JAVASCRIPT, include_str!("../../assets/server.js")),
    ("elements.js", JAVASCRIPT, include_str!("../../assets/elements.js")),
    ("side.js", JAVASCRIPT, include_str!("../../assets/side.js")),
    ("one.js", JAVASCRIPT, include_str!("../../assets/one.js")),
    ("grid.js", JAVASCRIPT, include_str!("../../assets/grid.js")),
    ("many.js", JAVASCRIPT, include_str!("../../assets/many.js")),
    ("correct.js", JAVASCRIPT, include_str!("../../assets/correct.js")),
    ("map.js", JAVASCRIPT, include_str!("../../assets/map.js")),
];

pub(super) async fn page() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Html(PAGE)).into_response()
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, text)) => {
            ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-store")], *text)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
