//! Who may change something.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::json_answer::refusal;
use crate::crowd::config::Secret;
use crate::crowd::request::{TokenChecks, bearer, is_own_origin};

/// How long the answer to a wrong token takes, so that guessing takes long.
const PENALTY: Duration = Duration::from_secs(1);

/// Checks the token and the origin of requests that change something.
#[derive(Debug)]
pub(super) struct WriteGuard {
    /// `None` if nothing may be changed.
    token: Option<Secret>,
    checks: TokenChecks,
}

/// The decision about a request.
#[derive(Debug, PartialEq, Eq)]
enum WriteAccess {
    Granted,
    /// A browser sends it for another site.
    Foreign,
    /// No token is set.
    Off,
    Denied,
}

impl WriteGuard {
    pub(super) fn new(token: Option<Secret>) -> Self {
        Self {
            token,
            checks: TokenChecks::new(PENALTY),
        }
    }

    fn decide(&self, headers: &HeaderMap) -> WriteAccess {
        if !is_own_origin(headers) {
            return WriteAccess::Foreign;
        }
        let Some(token) = &self.token else {
            return WriteAccess::Off;
        };
        match bearer(headers).is_some_and(|shown| token.is(shown)) {
            true => WriteAccess::Granted,
            false => WriteAccess::Denied,
        }
    }
}

/// Passes a request on or answers it.
pub(super) async fn check(
    State(guard): State<Arc<WriteGuard>>,
    request: Request,
    next: Next,
) -> Response {
    let check = guard.checks.begin(false).await;
    match guard.decide(request.headers()) {
        WriteAccess::Granted => {
            drop(check);
            next.run(request).await
        }
        WriteAccess::Foreign => {
            refusal(StatusCode::FORBIDDEN, "the request comes from another site")
        }
        WriteAccess::Off => refusal(
            StatusCode::FORBIDDEN,
            "nothing can be changed: set a token in [api]",
        ),
        WriteAccess::Denied => {
            check.fail().await;
            refusal(
                StatusCode::UNAUTHORIZED,
                "changes need the token of [api]: send Authorization: Bearer …",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn decide(token: Option<&str>, headers: &[(&str, &str)]) -> WriteAccess {
        let token = token.map(|token| toml::Value::from(token).try_into().expect("a secret"));
        let headers = headers.iter().map(|(name, value)| {
            let name: header::HeaderName = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        });
        WriteGuard::new(token).decide(&headers.collect())
    }

    #[test]
    fn changes_need_the_token_and_no_foreign_origin() {
        let bearer = ("authorization", "Bearer control");
        let host = ("host", "cam.lan:8080");
        for (headers, expected) in [
            (vec![bearer, host], WriteAccess::Granted),
            (
                vec![bearer, host, ("origin", "http://cam.lan:8080")],
                WriteAccess::Granted,
            ),
            (
                vec![bearer, host, ("origin", "https://cam.lan:8080")],
                WriteAccess::Granted,
            ),
            (
                vec![bearer, host, ("origin", "http://evil.example")],
                WriteAccess::Foreign,
            ),
            (vec![bearer, host, ("origin", "null")], WriteAccess::Foreign),
            (vec![host], WriteAccess::Denied),
            (
                vec![("authorization", "Bearer contro")],
                WriteAccess::Denied,
            ),
            (
                vec![("authorization", "Bearer controll")],
                WriteAccess::Denied,
            ),
            (
                vec![("cookie", "emotion-crowd=control")],
                WriteAccess::Denied,
            ),
        ] {
            assert_eq!(decide(Some("control"), &headers), expected, "{headers:?}");
        }
        assert_eq!(
            decide(None, &[("authorization", "Bearer ")]),
            WriteAccess::Off
        );
    }
}
