use std::net::Ipv4Addr;
use std::time::Instant;

use super::super::connections::ConnectionTable;
use super::*;
use crate::crowd::request::CHECKS;

fn secret(text: &str) -> Secret {
    let value = toml::Value::String(text.into());
    value.try_into().expect("a text is a secret")
}

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    let values = all.iter().map(|(name, value)| {
        (
            name.parse().expect("a name"),
            value.parse().expect("a header"),
        )
    });
    values.collect()
}

fn control() -> AccessControl {
    let settings = PageSettings {
        token: Some(secret("s3cret-and-long")),
        ..PageSettings::default()
    };
    AccessControl::new(&settings, None, 8080)
}

#[test]
fn only_localhost_and_addresses_are_names_of_this_computer() {
    for host in [
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]:8080",
        "[::1]",
    ] {
        assert!(names_this_computer(host), "{host}");
    }
    for host in ["evil.example:8080", "localhost.evil.example", ""] {
        assert!(!names_this_computer(host), "{host}");
    }
}

#[test]
fn a_token_is_shown_in_a_header_or_the_cookie_of_this_port() {
    for (header, expected) in [
        (("authorization", "Bearer abc"), Some(("abc", true))),
        (
            ("cookie", "a=b; emotion-crowd-8080=abc"),
            Some(("abc", false)),
        ),
        (("cookie", "emotion-crowd-9090=abc"), None),
        (("authorization", "Basic abc"), None),
        (("host", "localhost"), None),
    ] {
        assert_eq!(control().shown(&headers(&[header])), expected, "{header:?}");
    }
}

#[test]
fn a_request_from_another_site_is_not_from_this_page() {
    for (origin, expected) in [
        (None, true),
        (Some("http://cams.lan:8080"), true),
        (Some("https://cams.lan:8080"), true),
        (Some("http://evil.example"), false),
        (Some("http://cams.lan"), false),
        (Some("null"), false),
    ] {
        let mut all = headers(&[("host", "cams.lan:8080")]);
        if let Some(origin) = origin {
            all.insert(header::ORIGIN, origin.parse().expect("a header"));
        }
        assert_eq!(is_own_origin(&all), expected, "{origin:?}");
    }
}

#[test]
fn only_the_whole_token_is_the_same() {
    let token = secret("s3cret");
    assert!(token.is("s3cret"));
    for shown in ["", "s3cre", "s3cret2", "S3cret"] {
        assert!(!token.is(shown), "{shown}");
    }
}

#[test]
fn wrong_tokens_are_slow_and_the_right_one_waits_only_for_its_turn() {
    let control = Arc::new(control());
    let table = ConnectionTable::new(1000);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let guess = |shown: &'static str| {
        let (control, table) = (control.clone(), table.clone());
        async move {
            let connection = table.admit(Ipv4Addr::LOCALHOST.into()).expect("a place");
            let token = secret("s3cret-and-long");
            control.accepts(&[&token], shown, &connection).await
        }
    };
    let began = Instant::now();
    runtime.block_on(async {
        // Clients that do not wait for the answer keep the checks busy too.
        let hasty: Vec<_> = (0..CHECKS).map(|_| tokio::spawn(guess("wrong"))).collect();
        tokio::task::yield_now().await;
        hasty.iter().for_each(|guess| guess.abort());
        assert!(guess("s3cret-and-long").await);
    });
    assert!(
        began.elapsed() >= WRONG_TOKEN_PAUSE,
        "{:?}",
        began.elapsed()
    );
}
