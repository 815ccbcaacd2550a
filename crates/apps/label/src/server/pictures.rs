//! Pictures of the run, by their place in its list and never by a path.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::App;
use crate::{Error, gallery::Size};

pub(super) async fn picture(
    State(app): State<App>,
    Path((place, size)): Path<(u32, String)>,
) -> Response {
    let work = move || {
        let gallery = app.session.gallery()?;
        match size.as_str() {
            "thumb" => Ok((gallery.copy(place, Size::Thumb)?, "image/jpeg")),
            "display" => Ok((gallery.copy(place, Size::Display)?, "image/jpeg")),
            "full" => gallery.full(place),
            other => Err(Error::request(format!("`{other}` is no size"))),
        }
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok((bytes, kind))) => {
            // The same place is another picture in another sitting.
            let headers =
                [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, max-age=600")];
            (headers, bytes).into_response()
        }
        Ok(Err(error)) => (StatusCode::NOT_FOUND, error.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
