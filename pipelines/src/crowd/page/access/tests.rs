use super::*;

fn decide(token: Option<&str>, uri: &str, header: Option<(&'static str, &str)>) -> Access {
    let token = token.map(|text| {
        let value = toml::Value::String(text.into());
        value.try_into::<Secret>().expect("a text is a secret")
    });
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        headers.insert(name, value.parse().expect("a header"));
    }
    let control = None;
    AccessControl { token, control }.decide(&uri.parse().expect("an address"), &headers)
}

#[test]
fn without_a_token_only_requests_to_localhost_or_an_address_are_answered() {
    for host in [
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]:8080",
        "[::1]",
    ] {
        assert_eq!(
            decide(None, "/", Some(("host", host))),
            Access::Granted,
            "{host}"
        );
    }
    for host in ["evil.example:8080", "localhost.evil.example", ""] {
        let decision = decide(None, "/", Some(("host", host)));
        assert!(matches!(decision, Access::Denied(_)), "{host}");
    }
}

#[test]
fn a_token_is_accepted_in_a_header_a_cookie_or_once_in_the_address() {
    let token = Some("s3cret");
    for header in [
        ("authorization", "Bearer s3cret"),
        ("cookie", "a=b; emotion-crowd=s3cret"),
    ] {
        assert_eq!(decide(token, "/metrics", Some(header)), Access::Granted);
    }
    assert_eq!(decide(token, "/?x=1&token=s3cret", None), Access::SetCookie);
    for (uri, header) in [
        ("/", None),
        ("/?token=s3cre", None),
        ("/?token=s3cret2", None),
        ("/", Some(("authorization", "Bearer other"))),
        ("/", Some(("cookie", "emotion-crowd="))),
    ] {
        let decision = decide(token, uri, header);
        assert!(matches!(decision, Access::Denied(_)), "{uri} {header:?}");
    }
}
