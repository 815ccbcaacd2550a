//! What the page asks and says, as JSON.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::App;
use crate::{Error, Result, lists::Wanted, session::Wish, status::Item};

/// News are sent together when they come faster than this.
const PACE: Duration = Duration::from_millis(150);

/// A failed request: what happened, and what to do.
struct Failed(Error);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let code = match &self.0 {
            Error::NotKept { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Error::Request { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let failure = scarce_stage::Failure::from(self.0);
        (code, Json(failure)).into_response()
    }
}

/// Does what may wait for a disk away from the threads that serve.
async fn aside<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Json(done).into_response(),
        Ok(Err(error)) => Failed(error).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) async fn status(State(app): State<App>) -> Response {
    aside(move || Ok(app.session.status())).await
}

/// Says whenever something changed: the status as it is then.
pub(super) async fn events(State(app): State<App>) -> impl IntoResponse {
    let changes = app.session.changes.subscribe();
    let news = stream::unfold((app, changes, true), |(app, mut changes, first)| async move {
        if !first {
            changes.changed().await.ok()?;
            tokio::time::sleep(PACE).await;
            changes.mark_unchanged();
        }
        let session = std::sync::Arc::clone(&app.session);
        if session.is_ended() {
            return None;
        }
        let status = tokio::task::spawn_blocking(move || session.status()).await.ok()?;
        let event = Event::default().json_data(status).ok()?;
        Some((Ok::<_, Infallible>(event), (app, changes, false)))
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}

/// Which tab asks, and what it has fetched already.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tab {
    tab: String,
    #[serde(default)]
    keep: Vec<u32>,
}

/// Pictures that a page fetches ahead.
const AHEAD: usize = 4;

fn coming(app: &App, tab: &Tab) -> Vec<Item> {
    let places = app.session.upcoming(&tab.tab, &tab.keep, AHEAD);
    places.into_iter().filter_map(|place| app.session.item(place)).collect()
}

pub(super) async fn next(State(app): State<App>, Json(tab): Json<Tab>) -> Response {
    aside(move || Ok(json!({ "next": coming(&app, &tab) }))).await
}

pub(super) async fn item(State(app): State<App>, Path(place): Path<u32>) -> Response {
    aside(move || app.session.item(place).ok_or_else(|| Error::request("there is no such picture")))
        .await
}

/// A decision, and the tab that waits for the next picture.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Decided {
    #[serde(flatten)]
    wish: Wish,
    #[serde(flatten)]
    tab: Tab,
}

pub(super) async fn decide(State(app): State<App>, Json(decided): Json<Decided>) -> Response {
    aside(move || {
        app.session.decide(&decided.wish)?;
        Ok(json!({ "next": coming(&app, &decided.tab) }))
    })
    .await
}

/// A picture to come again later.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Skipped {
    place: u32,
    #[serde(flatten)]
    tab: Tab,
}

pub(super) async fn skip(State(app): State<App>, Json(skipped): Json<Skipped>) -> Response {
    aside(move || {
        let mut state = app.session.state();
        let decisions = state.tally(&app.session.settings.who_wins).decisions();
        state.queue.skip(skipped.place, decisions);
        drop(state);
        app.session.tell();
        Ok(json!({ "next": coming(&app, &skipped.tab) }))
    })
    .await
}

pub(super) async fn undo(State(app): State<App>, Json(tab): Json<Tab>) -> Response {
    aside(move || {
        let undone = app.session.undo()?;
        let items: Vec<Item> = undone.iter().filter_map(|&p| app.session.item(p)).collect();
        Ok(json!({ "undone": items, "next": coming(&app, &tab) }))
    })
    .await
}

/// A class and perhaps its key.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    name: String,
    #[serde(default)]
    key: Option<char>,
}

pub(super) async fn class(State(app): State<App>, Json(named): Json<Named>) -> Response {
    aside(move || {
        app.session.name_class(&named.name, named.key)?;
        Ok(app.session.status())
    })
    .await
}

/// A part of a grid.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Part {
    #[serde(flatten)]
    wanted: Wanted,
    #[serde(default)]
    from: usize,
    #[serde(default = "screenful")]
    most: usize,
}

fn screenful() -> usize {
    120
}

pub(super) async fn grid(State(app): State<App>, Json(part): Json<Part>) -> Response {
    aside(move || app.session.grid(&part.wanted, part.from, part.most.min(500))).await
}

pub(super) async fn groups(State(app): State<App>) -> Response {
    aside(move || Ok(app.session.groups())).await
}

pub(super) async fn doubts(State(app): State<App>) -> Response {
    aside(move || Ok(app.session.doubts(60))).await
}

pub(super) async fn map(State(app): State<App>) -> Response {
    aside(move || Ok(app.session.state().map.as_deref().cloned())).await
}

pub(super) async fn map_classes(State(app): State<App>) -> Response {
    aside(move || Ok(app.session.map_classes())).await
}
