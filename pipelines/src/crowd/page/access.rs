//! Access control of the page: the token, and the origin of requests.
//!
//! The same token opens the page in a cookie, which the login form sets, and the metrics in a header.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::connections::Connection;
use crate::crowd::config::{PageSettings, Secret};
use crate::crowd::log::{log, warn};
use crate::crowd::request::{TokenChecks, bearer, is_own_origin, text};

const LOGIN_PAGE: &str = include_str!("login.html");
/// What is shown without a token: the login form's looks, and the health of the process.
const PUBLIC: [&str; 4] = ["/page.css", "/favicon.svg", "/healthz", "/readyz"];
/// How long a wrong token keeps its check busy, and its client waiting.
const WRONG_TOKEN_PAUSE: Duration = Duration::from_millis(500);
/// How long a browser stays logged in, in seconds: a month.
const COOKIE_SECONDS: u32 = 30 * 24 * 3600;
/// A shorter token can be guessed.
const SHORT_TOKEN: usize = 12;

/// Checks requests.
#[derive(Debug)]
pub(super) struct AccessControl {
    token: Option<Secret>,
    /// The token of the API, which changes sources.
    control: Option<Secret>,
    /// The name of the cookie with the token. Browsers send the cookies of one port to all ports of a host.
    cookie: String,
    /// Whether the page is served by TLS, and the cookie with it only.
    is_encrypted: bool,
    checks: TokenChecks,
}

/// What the login form sends.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    token: String,
}

impl AccessControl {
    /// The access that `settings` grant to a page that listens on `port`. Who shows the token `control`, which changes need,
    /// may look as well.
    pub(super) fn new(settings: &PageSettings, control: Option<Secret>, port: u16) -> Self {
        let is_encrypted = settings.certificate.is_some();
        if let Some(token) = settings.token.as_ref().map(Secret::reveal) {
            if token.len() < SHORT_TOKEN {
                let advice = "the token is short: use a random one, such as the output of: openssl rand -hex 16";
                warn("page", advice);
            }
            if !is_encrypted && !settings.listen.ip().is_loopback() {
                let advice = "token and pictures are sent without encryption: set certificate and key, or use a proxy with TLS";
                warn("page", advice);
            }
        }
        Self {
            token: settings.token.clone(),
            control,
            cookie: format!("emotion-crowd-{port}"),
            is_encrypted,
            checks: TokenChecks::new(WRONG_TOKEN_PAUSE),
        }
    }

    /// Whether `shown` is one of the tokens. Takes its time if it is not.
    async fn accepts(&self, tokens: &[&Secret], shown: &str, connection: &Connection) -> bool {
        let check = self.checks.begin(connection.has_access()).await;
        let is_right = tokens.iter().any(|token| token.is(shown));
        connection.set_access(is_right);
        if !is_right {
            warn("page", &format!("a wrong token from {}", connection.peer));
            check.fail().await;
        }
        is_right
    }

    /// The token in a request, and whether it is in the header for it instead of a cookie.
    fn shown<'a>(&self, headers: &'a HeaderMap) -> Option<(&'a str, bool)> {
        let cookies = text(headers, header::COOKIE).unwrap_or_default().split(';');
        let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
        let cookie = pairs.find_map(|(name, value)| (name == self.cookie).then_some(value));
        let bearer = bearer(headers).map(|token| (token, true));
        bearer.or(cookie.map(|token| (token, false)))
    }

    /// The header that makes a browser store `token` for `seconds`.
    fn set_cookie(&self, token: &str, seconds: u32) -> String {
        let secure = match self.is_encrypted {
            true => "; Secure",
            false => "",
        };
        let cookie = &self.cookie;
        format!("{cookie}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
    }
}

/// Passes a request on or answers it.
pub(super) async fn check(
    State(control): State<Arc<AccessControl>>,
    Extension(connection): Extension<Arc<Connection>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let path = request.uri().path();
    if PUBLIC.contains(&path) {
        return next.run(request).await;
    }
    let is_reading = [Method::GET, Method::HEAD].contains(request.method());
    let changes = !is_reading || headers.contains_key(header::UPGRADE);
    if changes && !is_own_origin(headers) {
        let why =
            "a page of another site may not do this; behind a proxy, pass on the header Host\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let Some(token) = &control.token else {
        if !names_this_computer(text(headers, header::HOST).unwrap_or_default()) {
            let why = "use localhost or an IP address as the host, or set a token\n";
            return (StatusCode::UNAUTHORIZED, why).into_response();
        }
        connection.set_access(true);
        return next.run(request).await;
    };
    if path == "/login" {
        return next.run(request).await;
    }
    // No reference into the request may be held while waiting.
    let is_page = path == "/" && is_reading;
    let shown = control.shown(headers);
    let has_access = match shown.map(|(shown, is_header)| (shown.to_owned(), is_header)) {
        Some((shown, is_header)) => {
            // A page in a browser never has the token that changes sources.
            let of_api = control.control.as_ref().filter(|_| is_header);
            let tokens: Vec<_> = [token].into_iter().chain(of_api).collect();
            control.accepts(&tokens, &shown, &connection).await
        }
        None => false,
    };
    match has_access {
        true => next.run(request).await,
        false if is_page => login_form(""),
        false => {
            let why = "log in at /, or send Authorization: Bearer TOKEN\n";
            let scheme = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, scheme, why).into_response()
        }
    }
}

/// Answers the login form.
pub(super) async fn log_in(
    State(control): State<Arc<AccessControl>>,
    Extension(connection): Extension<Arc<Connection>>,
    Form(LoginForm { token: shown }): Form<LoginForm>,
) -> Response {
    let Some(token) = &control.token else {
        return to_page(None);
    };
    match control.accepts(&[token], shown.trim(), &connection).await {
        true => {
            log("page", &format!("login from {}", connection.peer));
            to_page(Some(control.set_cookie(token.reveal(), COOKIE_SECONDS)))
        }
        false => login_form("This is not the token."),
    }
}

/// Makes the browser forget the token.
pub(super) async fn log_out(State(control): State<Arc<AccessControl>>) -> Response {
    to_page(Some(control.set_cookie("", 0)))
}

/// Shows the login form.
pub(super) async fn show_login(State(control): State<Arc<AccessControl>>) -> Response {
    match control.token {
        Some(_) => login_form(""),
        None => to_page(None),
    }
}

fn to_page(cookie: Option<String>) -> Response {
    let cookie = cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
    // Relative, because a proxy may serve the page below a path of its own.
    let to = [(header::LOCATION, "./")];
    match cookie {
        Some(cookie) => (StatusCode::SEE_OTHER, to, cookie).into_response(),
        None => (StatusCode::SEE_OTHER, to).into_response(),
    }
}

fn login_form(problem: &str) -> Response {
    let form = LOGIN_PAGE.replace("{problem}", problem);
    (StatusCode::UNAUTHORIZED, Html(form)).into_response()
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
