//! Access control of the page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::crowd::config::{PageSettings, Secret};

/// The cookie that stores the token.
const COOKIE: &str = "emotion-crowd";

/// Checks the token of requests.
#[derive(Debug)]
pub(super) struct AccessControl {
    token: Option<Secret>,
    control: Option<Secret>,
}

/// The decision about a request.
#[derive(Debug, PartialEq, Eq)]
enum Access {
    Granted,
    /// The address contains the token, which is moved from the address to a cookie.
    SetCookie,
    Denied(&'static str),
}

impl AccessControl {
    /// Who shows the token `control`, which changes need, may look as well.
    pub(super) fn new(settings: &PageSettings, control: Option<Secret>) -> Self {
        Self {
            token: settings.token.clone(),
            control,
        }
    }

    fn decide(&self, uri: &Uri, headers: &HeaderMap) -> Access {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(token) = &self.token else {
            let host = text(header::HOST).unwrap_or_default();
            return match names_this_computer(host) {
                true => Access::Granted,
                false => {
                    Access::Denied("use localhost or an IP address as the host, or set a token\n")
                }
            };
        };
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let cookie = text(header::COOKIE).and_then(|cookies| {
            let mut pairs = cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='));
            pairs
                .find(|(name, _)| *name == COOKIE)
                .map(|(_, value)| value)
        });
        let controls = |shown: &str| self.control.as_ref().is_some_and(|token| token.is(shown));
        if [bearer, cookie]
            .into_iter()
            .flatten()
            .any(|shown| token.is(shown))
            || bearer.is_some_and(controls)
        {
            return Access::Granted;
        }
        let mut parameters = uri.query().unwrap_or_default().split('&');
        match parameters.find_map(|parameter| parameter.strip_prefix("token=")) {
            Some(shown) if token.is(shown) => Access::SetCookie,
            Some(_) => Access::Denied("wrong token\n"),
            None => {
                Access::Denied("open the page with ?token=…, or send Authorization: Bearer …\n")
            }
        }
    }
}

/// Passes a request on or answers it.
pub(super) async fn check(
    State(control): State<Arc<AccessControl>>,
    request: Request,
    next: Next,
) -> Response {
    match control.decide(request.uri(), request.headers()) {
        Access::Granted => next.run(request).await,
        Access::Denied(why) => (StatusCode::UNAUTHORIZED, why).into_response(),
        Access::SetCookie => {
            let token = control.token.as_ref().map_or("", Secret::reveal);
            let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
            let to = request.uri().path().to_owned();
            let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, to)];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
    }
}

/// Whether the host of a request is `localhost` or an IP address, which no other site can use as its host name.
fn names_this_computer(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let number = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name == "localhost" || number.unwrap_or(name).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests;
