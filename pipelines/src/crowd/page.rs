//! The HTTP server of the page: live pictures, charts and `/metrics`.
//!
//! The page shows pictures of people. So it listens to this computer alone unless configured otherwise, and then requires a
//! token. Without a token it answers only requests whose host is `localhost` or an IP address, so that no page of another
//! site in a browser here can read it through a host name of that site. It loads nothing from other sites.

mod access;
mod mjpeg;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use gstemotion::face::EmotionResult;
use gstemotion::record::{LineRecord, ZoneRecord};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::access::AccessControl;
use super::api::ApiRoutes;
use super::config::{ApiSettings, PageSettings, PictureMode};
use super::history::HistoryPoint;
use super::log::log;
use super::metrics::Metrics;
use super::picture_check::PictureProblem;
use super::stream::Stream;
use super::stream_list::StreamList;

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page loads only its own files, cannot be embedded, and sends no referrer.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The running server; dropping it ends the server.
pub(super) struct PageServer {
    /// Dropping it ends the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    streams: Arc<StreamList>,
    metrics: Arc<Metrics>,
    pictures: PictureMode,
}

impl PageServer {
    pub(super) fn start(
        settings: &PageSettings,
        streams: &Arc<StreamList>,
        metrics: Arc<Metrics>,
        api: ApiRoutes,
        control: Option<&ApiSettings>,
    ) -> anyhow::Result<Self> {
        let control = control.and_then(|control| control.token.clone());
        let access = AccessControl::new(settings, control);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the system refuses an event loop for the page")?;
        let listener = runtime
            .block_on(TcpListener::bind(settings.listen))
            .with_context(|| format!("[page] cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            streams: streams.clone(),
            metrics,
            pictures: settings.pictures,
        });
        let (stop, stopped) = oneshot::channel();
        let router = router(shared, access, api);
        let thread = std::thread::Builder::new()
            .name("page".into())
            .spawn(move || {
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                runtime.spawn(async move { axum::serve(listener, service).await });
                // The sender never sends: it is dropped.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .context("the system refuses a thread")?;
        log("page", &format!("http://{}/", shown(address)));
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has printed so.
            let _ = thread.join();
        }
    }
}

fn shown(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("THIS_COMPUTER:{}", address.port()),
        false => address.to_string(),
    }
}

fn router(shared: Arc<Shared>, access: AccessControl, api: ApiRoutes) -> Router {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", HTML))
        .route("/page.css", file("text/css; charset=utf-8", STYLE))
        .route("/page.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/api/streams", get(streams))
        .route("/live/{name}", get(live))
        .route("/metrics", get(metrics))
        .with_state(shared)
        .merge(api.reading)
        // Who may not look does not learn either what there is.
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(
            Arc::new(access),
            access::check,
        ))
        .merge(api.writing)
        .layer(middleware::map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        let value = header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// What the page shows of a stream.
#[derive(Serialize)]
struct StreamView<'a> {
    name: &'a str,
    status: &'static str,
    reason: Option<String>,
    /// `frozen`, `black` or `covered`, if its pictures show nothing.
    picture: Option<&'static str>,
    has_pictures: bool,
    width: u32,
    height: u32,
    frames_per_second: f64,
    latency_seconds: f64,
    skipped: u64,
    reconnects: u64,
    faces: Vec<FaceView>,
    shares: std::collections::BTreeMap<String, f64>,
    history: Vec<HistoryPoint>,
    zones: Vec<ZoneRecord>,
    lines: Vec<LineRecord>,
}

#[derive(Serialize)]
struct FaceView {
    id: Option<i32>,
    emotion: Option<String>,
    /// Whether no emotion is certain enough to be named; the confidence is then that of the best guess.
    uncertain: bool,
    confidence: Option<f64>,
}

impl<'a> StreamView<'a> {
    fn new(stream: &'a Stream, pictures: PictureMode) -> Self {
        let (shares, frames_per_second, second) = (stream.shares(), stream.rate(), stream.second());
        let (zones, lines) = stream.zones.records();
        let now = stream.status();
        let faces = now.faces.iter().map(|face| FaceView {
            id: face.object_id,
            emotion: face.emotion.as_ref().map(|emotion| emotion.label.clone()),
            uncertain: face
                .emotion
                .as_ref()
                .is_some_and(EmotionResult::is_uncertain),
            confidence: face.emotion.as_ref().map(|emotion| emotion.confidence),
        });
        Self {
            name: stream.name(),
            status: now.connection.name(),
            reason: now.connection.reason().map(str::to_owned),
            picture: now.picture.map(PictureProblem::name),
            has_pictures: has_pictures(stream, pictures),
            width: now.size.0,
            height: now.size.1,
            frames_per_second,
            latency_seconds: now.latency.as_secs_f64(),
            skipped: stream.metrics.skipped.get(),
            reconnects: stream.metrics.reconnects.get(),
            faces: faces.collect(),
            shares,
            history: now.history.points(second),
            zones,
            lines,
        }
    }
}

async fn streams(State(shared): State<Arc<Shared>>) -> Response {
    let streams = shared.streams.all();
    let views: Vec<_> = streams
        .iter()
        .map(|stream| StreamView::new(stream, shared.pictures))
        .collect();
    match serde_json::to_vec(&views) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn has_pictures(stream: &Stream, pictures: PictureMode) -> bool {
    stream.source().pictures.unwrap_or(pictures) != PictureMode::Off
}

async fn live(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    match shared.streams.find(&name) {
        Some(stream) if has_pictures(&stream, shared.pictures) => mjpeg::pictures(&stream),
        Some(_) => (StatusCode::NOT_FOUND, "its pictures are off\n").into_response(),
        None => (StatusCode::NOT_FOUND, "no such source\n").into_response(),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    for stream in shared.streams.all() {
        stream.shares();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match shared.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
