//! The page's server: this machine only, this page only, the pictures of the run only.

mod api;
mod assets;
mod guard;
mod pictures;

use std::{net::Ipv4Addr, pin::pin, sync::Arc, thread};

use axum::{
    Router, middleware,
    routing::{get, post},
    serve::ListenerExt,
};
use futures_util::future::{self, Either};
use scarce_orchestrator::Hosts;
use scarce_pipeline::Document;
use tokio::net::TcpListener;

pub(crate) use self::guard::Guard;
use crate::{
    Error, Result, engine, random,
    roles::Roles,
    session::{Session, Settings},
};

/// A sitting that is ready to be served.
pub struct Page {
    session: Arc<Session>,
    guard: Arc<Guard>,
    listener: std::net::TcpListener,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) session: Arc<Session>,
    pub(crate) guard: Arc<Guard>,
}

impl Page {
    /// Opens the journal and the pipeline, and takes a port: this one, or any.
    ///
    /// # Errors
    /// A pipeline that is wrong or lacks what the page needs, a journal that cannot be written, a port
    /// that is taken.
    pub fn open(settings: Settings, hosts: Hosts, port: Option<u16>) -> Result<Self> {
        let document = Document::read(&settings.pipeline)?.with_data(&settings.data);
        let catalogue = hosts.catalogue();
        let pipeline = engine::resolve(&document, &catalogue)?;
        let roles = Roles::of(&pipeline, &catalogue)?;
        let session = Session::new(settings, hosts, pipeline, roles)?;
        if let (Some(path), _) = engine::label_files(&session) {
            engine::ensure_labels(&path)?;
        }
        let port = port.unwrap_or(0);
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|source| Error::Port { port, source })?;
        let port = listener.local_addr()?.port();
        let token = format!("{:016x}{:016x}", random(), random());
        Ok(Self { session: Arc::new(session), guard: Arc::new(Guard { port, token }), listener })
    }

    /// The address to open. Whoever knows it may label; nobody else.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.guard.port, self.guard.token)
    }

    /// What ends the page, from any thread.
    pub fn stop(&self) -> impl Fn() + Send + Sync + use<> {
        let session = Arc::clone(&self.session);
        move || session.end()
    }

    /// Serves until it is stopped; the pipeline runs beside it.
    ///
    /// # Errors
    /// When the server cannot run, and when the sitting could not begin.
    pub fn serve(self) -> Result<()> {
        let Self { session, guard, listener } = self;
        let beside = Arc::clone(&session);
        let engine = thread::spawn(move || engine::work(&beside));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_io()
            .enable_time()
            .build()?;
        let served =
            runtime.block_on(serve(App { session: Arc::clone(&session), guard }, listener));
        session.end();
        // Pages that still listen for news must not keep the process.
        runtime.shutdown_timeout(std::time::Duration::from_millis(200));
        let _ = engine.join();
        served
    }
}

async fn serve(app: App, listener: std::net::TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    // Small answers go out at once.
    let listener = TcpListener::from_std(listener)?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut changes = app.session.changes.subscribe();
    let session = Arc::clone(&app.session);
    let server = axum::serve(listener, router(app)).into_future();
    let ended = async move {
        while !session.is_ended() {
            if changes.changed().await.is_err() {
                break;
            }
        }
    };
    match future::select(pin!(server), pin!(ended)).await {
        Either::Left((served, _)) => Ok(served?),
        Either::Right(((), _)) => Ok(()),
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(assets::page))
        .route("/assets/{name}", get(assets::asset))
        .route("/picture/{place}/{size}", get(pictures::picture))
        .route("/api/status", get(api::status))
        .route("/api/events", get(api::events))
        .route("/api/next", post(api::next))
        .route("/api/item/{place}", get(api::item))
        .route("/api/decide", post(api::decide))
        .route("/api/skip", post(api::skip))
        .route("/api/undo", post(api::undo))
        .route("/api/class", post(api::class))
        .route("/api/grid", post(api::grid))
        .route("/api/groups", get(api::groups))
        .route("/api/doubts", get(api::doubts))
        .route("/api/map", get(api::map))
        .route("/api/map/classes", get(api::map_classes))
        .layer(middleware::from_fn_with_state(app.clone(), guard::check))
        .with_state(app)
}
