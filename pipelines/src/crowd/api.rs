//! The HTTP API that adds, changes and removes sources while the program runs. `pipelines/openapi.json` describes it.
//!
//! Who may see the page may also list the sources. Changes need a token of their own; a request that a browser sends for
//! another site is refused.

mod guard;
mod json_answer;
mod local_source;
mod source_view;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Router, middleware};
use serde::Deserialize;
use serde_json::{Value, json};

use self::guard::WriteGuard;
use self::json_answer::{answer, refusal};
use self::source_view::SourceView;
use super::config::{ApiSettings, SourceSettings};
use super::controller::{ControlError, Controller};
use super::log::log;

/// The description of the API.
const OPENAPI: &str = include_str!("../../openapi.json");
/// The longest body of a request in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The routes of the API.
pub(super) struct ApiRoutes {
    /// Those that only show, for everybody who may see the page.
    pub(super) reading: Router,
    /// Those that change, which check the token themselves.
    pub(super) writing: Router,
}

struct ApiState {
    controller: Arc<Controller>,
    allow_local_sources: bool,
}

/// The routes that control the sources of `controller`.
pub(super) fn routes(settings: Option<&ApiSettings>, controller: &Arc<Controller>) -> ApiRoutes {
    let state = Arc::new(ApiState {
        controller: controller.clone(),
        allow_local_sources: settings.is_some_and(|settings| settings.allow_local_sources),
    });
    let guard = WriteGuard::new(settings.and_then(|settings| settings.token.clone()));
    let reading = Router::new()
        .route("/api/sources", get(list))
        .route("/api/sources/{name}", get(show))
        .route("/api/openapi.json", get(describe))
        .with_state(state.clone());
    let writing = Router::new()
        .route("/api/sources", post(add))
        .route("/api/sources/{name}", patch(change).delete(remove))
        .route("/api/reload", post(reload))
        .route("/api/lease", post(renew_lease))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::new(guard),
            guard::check,
        ))
        .with_state(state);
    ApiRoutes { reading, writing }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Exists(_) => StatusCode::CONFLICT,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        refusal(status, &self.to_string())
    }
}

async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn list(State(state): State<Arc<ApiState>>) -> Response {
    let sources = state.controller.sources();
    let views: Vec<_> = sources.iter().map(SourceView::new).collect();
    answer(StatusCode::OK, &views)
}

async fn show(State(state): State<Arc<ApiState>>, Path(name): Path<String>) -> Response {
    shown(&state, &name, StatusCode::OK)
}

fn shown(state: &ApiState, name: &str, status: StatusCode) -> Response {
    match state.controller.source(name) {
        Ok(source) => answer(status, &SourceView::new(&source)),
        Err(error) => error.into_response(),
    }
}

async fn add(State(state): State<Arc<ApiState>>, client: Client, body: Bytes) -> Response {
    let body = match object(&body) {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let source = match settings(&state, Value::Object(body.clone()), &body) {
        Ok(source) => source,
        Err(refusal) => return refusal.into_response(),
    };
    let name = source.name.clone();
    let added = controlled(&state, move |controller| controller.add(source)).await;
    client.log(&added, &format!("added the source {name}"));
    match added {
        Ok(()) => shown(&state, &name, StatusCode::CREATED),
        Err(error) => error.into_response(),
    }
}

async fn change(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    client: Client,
    body: Bytes,
) -> Response {
    let patch = match object(&body) {
        Ok(patch) => patch,
        Err(refusal) => return refusal.into_response(),
    };
    let old = match state.controller.source(&name) {
        Ok(source) => source.stream.source().table.clone(),
        Err(error) => return error.into_response(),
    };
    if patch.get("name").is_some_and(|new| *new != json!(name)) {
        let error = "a source keeps its name: remove it and add another";
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, error);
    }
    let mut merged = serde_json::to_value(old).unwrap_or_default();
    merge(&mut merged, Value::Object(patch.clone()));
    let source = match settings(&state, merged, &patch) {
        Ok(source) => source,
        Err(refusal) => return refusal.into_response(),
    };
    let changed = controlled(&state, move |controller| controller.replace(source)).await;
    let keys: Vec<_> = patch.keys().map(String::as_str).collect();
    client.log(
        &changed,
        &format!("changed {} of the source {name}", keys.join(", ")),
    );
    match changed {
        Ok(()) => shown(&state, &name, StatusCode::OK),
        Err(error) => error.into_response(),
    }
}

async fn remove(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    client: Client,
) -> Response {
    let removing = name.clone();
    let removed = controlled(&state, move |controller| controller.remove(&removing)).await;
    client.log(&removed, &format!("removed the source {name}"));
    match removed {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn reload(State(state): State<Arc<ApiState>>, client: Client) -> Response {
    let reloaded = controlled(&state, Controller::reload).await;
    client.log(&reloaded, "reloaded the settings");
    match reloaded {
        Ok(report) => {
            report.log();
            answer(StatusCode::OK, &report)
        }
        Err(error) => error.into_response(),
    }
}

/// How long the sources may play.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaseTerms {
    seconds: f64,
}

async fn renew_lease(State(state): State<Arc<ApiState>>, body: Bytes) -> Response {
    let terms: LeaseTerms = match serde_json::from_slice(&body) {
        Ok(terms) => terms,
        Err(error) => {
            let error = format!("expected a JSON object with seconds: {error}");
            return refusal(StatusCode::BAD_REQUEST, &error);
        }
    };
    if !(1.0..=3600.0).contains(&terms.seconds) {
        let error = format!("expected seconds from 1 to 3600, found {}", terms.seconds);
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, &error);
    }
    let time = Duration::from_secs_f64(terms.seconds);
    let renewed = controlled(&state, move |controller| {
        controller.renew_lease(time);
        Ok(())
    });
    match renewed.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// Does `work`, which may take longer than the event loop should wait.
async fn controlled<T: Send + 'static>(
    state: &ApiState,
    work: impl FnOnce(&Controller) -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    let controller = state.controller.clone();
    let done = tokio::task::spawn_blocking(move || work(&controller)).await;
    done.unwrap_or_else(|error| Err(ControlError::Failed(error.into())))
}

/// Why a request is refused.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refusal(self.0, &self.1)
    }
}

/// The JSON object in the body of a request.
fn object(body: &[u8]) -> Result<serde_json::Map<String, Value>, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let error = format!("expected a JSON object with settings of a source: {error}");
        Refusal(StatusCode::BAD_REQUEST, error)
    })
}

/// The source with these settings, of which the client has sent `sent`.
fn settings(
    state: &ApiState,
    whole: Value,
    sent: &serde_json::Map<String, Value>,
) -> Result<SourceSettings, Refusal> {
    if let Some(setting) = local_source::local_setting(sent)
        && !state.allow_local_sources
    {
        let error = format!(
            "{setting} reaches into this computer: it needs allow-local-sources = true in [api]"
        );
        return Err(Refusal(StatusCode::FORBIDDEN, error));
    }
    let wrong = |error: String| Refusal(StatusCode::UNPROCESSABLE_ENTITY, error);
    let table: toml::Table =
        serde_json::from_value(whole).map_err(|error| wrong(error.to_string()))?;
    SourceSettings::from_table(table).map_err(wrong)
}

/// Merges a patch as RFC 7396 says: null removes a setting.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(&key);
            }
            value => merge(target.entry(key).or_insert(Value::Null), value),
        }
    }
}

/// Who sent a request.
struct Client(Option<IpAddr>);

impl Client {
    fn of(extensions: &Extensions) -> Self {
        let connection = extensions.get::<ConnectInfo<IpAddr>>();
        Self(connection.map(|connection| connection.0))
    }

    /// Logs what the client did, or tried to do.
    fn log<T>(&self, result: &Result<T, ControlError>, what: &str) {
        let who = self
            .0
            .map_or("a client".into(), |address| address.to_string());
        match result {
            Ok(_) => log("api", &format!("{who} {what}")),
            Err(error) => log("api", &format!("refused: {who} {what}: {error}")),
        }
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_sets_nested_values_and_null_removes_one() {
        let mut target = json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": 4 });
        merge(
            &mut target,
            json!({ "a": 5, "b": { "c": null, "f": 6 }, "e": null, "g": {} }),
        );
        assert_eq!(target, json!({ "a": 5, "b": { "d": 3, "f": 6 }, "g": {} }));
    }
}
