//! What monitoring systems ask for: health, metrics, and where the metrics are.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::state::{PageState, as_json};
use crate::crowd::metrics::TextFormat;

/// The requests that this module answers.
pub(super) fn routes() -> Router<Arc<PageState>> {
    Router::new()
        .route("/healthz", get(is_alive))
        .route("/readyz", get(is_ready))
        .route("/metrics", get(metrics))
        .route("/api/http_sd", get(targets))
}

/// Whether the workers progress. Without a token, so it names no source.
async fn is_alive(State(page): State<Arc<PageState>>) -> Response {
    match page.health.hanging() {
        None => "alive\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "a worker hangs\n").into_response(),
    }
}

/// Whether each source was tried. Without a token, so it names no source.
async fn is_ready(State(page): State<Arc<PageState>>) -> Response {
    match page.health.unready() {
        None => "ready\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "starting or ending\n").into_response(),
    }
}

async fn metrics(State(page): State<Arc<PageState>>, headers: HeaderMap) -> Response {
    for stream in page.streams() {
        stream.update_metrics();
    }
    let accepts = headers.get_all(header::ACCEPT).iter();
    let accepts_openmetrics = accepts
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("application/openmetrics-text"));
    let format = match accepts_openmetrics {
        true => TextFormat::OpenMetrics,
        false => TextFormat::Prometheus,
    };
    match page.metrics.text(format) {
        Ok(text) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// This program as a target for Prometheus' `http_sd_configs`, by the name that the request used.
async fn targets(State(page): State<Arc<PageState>>, headers: HeaderMap) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let target = host.map_or_else(|| page.host(), str::to_owned);
    as_json(&json!([{
        "targets": [target],
        "labels": { "__scheme__": page.scheme(), "__metrics_path__": "/metrics" },
    }]))
}
