//! The HTTP server of the page: live pictures, charts and `/metrics`.
//!
//! The page shows pictures of people. So it listens to this computer alone unless configured otherwise, and then requires a
//! token. Without a token it answers only requests whose host is `localhost` or an IP address, so that no page of another
//! site in a browser here can read it through a host name of that site. It loads nothing from other sites.
//!
//! Connections, their times and their requests are limited, so that no client can stop the watching of the sources.

mod access;
mod connections;
mod live;
mod monitoring;
mod server;
mod state;
mod view;

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use self::access::AccessControl;
use self::connections::ConnectionTable;
use self::state::{PageState, as_json};
use self::view::StreamView;
use super::api::ApiRoutes;
use super::config::{PageSettings, Secret};
use super::health::Health;
use super::log::log;
use super::metrics::Metrics;
use super::page_tls::TlsAcceptors;
use super::stream_list::StreamList;

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
const ICON: &str = include_str!("page/favicon.svg");

/// The most connections, and the most that the pictures of viewers may take of them. The rest is left for metrics and probes.
const MOST_CONNECTIONS: usize = 256;
const MOST_VIEWERS: usize = 64;
/// The fewest connections with which the page is of use.
const FEWEST_CONNECTIONS: usize = 16;
/// The longest body of a request in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The page loads only its own files, cannot be embedded, and tells other sites nothing. Its own requests have a referrer,
/// because without one the login form has no origin.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; style-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The running server; dropping it ends the server.
pub(super) struct PageServer {
    /// Dropping it ends the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl PageServer {
    /// Starts the server, whose connections may take `files` open files. Who shows the token `control`, which changes need, may
    /// look as well.
    pub(super) fn start(
        settings: &PageSettings,
        streams: &Arc<StreamList>,
        metrics: Arc<Metrics>,
        health: Health,
        files: u64,
        api: ApiRoutes,
        control: Option<Secret>,
    ) -> anyhow::Result<Self> {
        let tls = TlsAcceptors::of(settings.certificate.as_deref(), settings.key.as_deref())?;
        let most = usize::try_from(files)
            .unwrap_or(MOST_CONNECTIONS)
            .min(MOST_CONNECTIONS);
        anyhow::ensure!(
            most >= FEWEST_CONNECTIONS,
            "[page] the limit of open files leaves none for the page beside {} sources: raise it (ulimit -n, or LimitNOFILE= in the service's unit)",
            streams.all().len()
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the system refuses an event loop for the page")?;
        let listener = runtime
            .block_on(TcpListener::bind(settings.listen))
            .with_context(|| format!("[page] cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        let access = AccessControl::new(settings, control, address.port());
        let page = Arc::new(PageState {
            streams: streams.clone(),
            metrics,
            health,
            pictures: settings.pictures,
            address,
            is_encrypted: tls.is_some(),
            has_login: settings.token.is_some(),
            viewers: Arc::new(Semaphore::new(MOST_VIEWERS.min(most / 2))),
        });
        let shown = format!("{}://{}/", page.scheme(), page.host());
        let (stop, stopped) = oneshot::channel();
        let (router, table) = (router(page, access, api), ConnectionTable::new(most));
        let serving = server::serve(listener, tls.map(Arc::new), router, table);
        let thread = std::thread::Builder::new()
            .name("page".into())
            .spawn(move || {
                runtime.spawn(serving);
                // The sender never sends: it is dropped.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .context("the system refuses a thread")?;
        log("page", &shown);
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

fn router(page: Arc<PageState>, access: AccessControl, api: ApiRoutes) -> Router {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    let access = Arc::new(access);
    let login = Router::new()
        .route("/login", get(access::show_login).post(access::log_in))
        .route("/logout", post(access::log_out))
        .with_state(access.clone());
    Router::new()
        .route("/", file("text/html; charset=utf-8", HTML))
        .route("/page.css", file("text/css; charset=utf-8", STYLE))
        .route("/page.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/favicon.svg", file("image/svg+xml", ICON))
        .route("/live", get(live::connect))
        .route("/api/streams", get(streams))
        .merge(monitoring::routes())
        .with_state(page)
        .merge(api.reading)
        .merge(login)
        // Who may not look does not learn either what there is.
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(access, access::check))
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

async fn streams(State(page): State<Arc<PageState>>) -> Response {
    let streams = page.streams();
    let views = streams
        .iter()
        .map(|stream| StreamView::new(stream, page.pictures, 0));
    as_json(&views.collect::<Vec<_>>())
}
