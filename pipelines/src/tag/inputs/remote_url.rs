//! Addresses of files on web servers. They may contain a login, or a query that is signed: neither is ever shown.

use std::fmt;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// An address in a text: its scheme, its login, its server and path, its query and fragment.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?i)\b([a-z][a-z0-9+.-]*://)([^\s/"'<>?#]*@)?([^\s"'<>?#]*)([?#][^\s"'<>]*)?"#;
    Regex::new(pattern).expect("the pattern is correct")
});

/// The address of a file on a web server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteUrl(String);

/// User name and password.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl RemoteUrl {
    /// `None` if the text is no address with `http://` or `https://`.
    pub fn new(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_known = ["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        (is_known && !rest.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The address without login, query and fragment.
    pub fn shown(&self) -> String {
        without_secrets(&self.0)
    }

    /// The whole address, with all that must not be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The address to ask the server for, without login and fragment.
    pub(crate) fn requested(&self) -> String {
        let whole = self.0.split('#').next().unwrap_or_default();
        match self.encoded_login() {
            Some(login) => whole.replacen(&format!("{login}@"), "", 1),
            None => whole.to_owned(),
        }
    }

    pub(crate) fn login(&self) -> Option<Login> {
        let login = self.encoded_login()?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Some(Login {
            user: decoded(user),
            password: decoded(password),
        })
    }

    fn encoded_login(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit_once('@').map(|(login, _)| login)
    }

    fn query(&self) -> Option<&str> {
        let whole = self.0.split('#').next()?;
        whole.split_once('?').map(|(_, query)| query)
    }

    /// `text` without any login or query of an address, and without those of this one wherever they stand.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut text = without_secrets(text);
        let secrets = [
            self.query().map(str::to_owned),
            self.encoded_login().map(str::to_owned),
            self.login().map(|login| login.password),
        ];
        for secret in secrets.iter().flatten().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "…");
        }
        text
    }

    /// Path of the file below `root`, an address without login and query; for `None` the last part of the address alone.
    /// Its parts are decoded where they then are names of files.
    pub(super) fn below(&self, root: Option<&str>) -> Option<Vec<String>> {
        let shown = self.shown();
        let rest = match root {
            Some(root) => shown.strip_prefix(root)?.strip_prefix('/')?,
            None => {
                let (_, rest) = shown.split_once("://")?;
                rest.trim_end_matches('/').rsplit('/').next()?
            }
        };
        let parts = rest.split('/').filter(|part| !part.is_empty());
        let names: Option<Vec<_>> = parts.map(file_name).collect();
        names.filter(|names| !names.is_empty())
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({:?})", self.shown())
    }
}

/// `text` with all addresses in it without their logins, queries and fragments.
pub fn without_secrets(text: &str) -> String {
    ADDRESS.replace_all(text, "$1$3").into_owned()
}

/// A part of a path as the name of a file; `None` if it is none.
fn file_name(part: &str) -> Option<String> {
    let is_name = |name: &str| {
        ![".", ".."].contains(&name) && !name.contains(['/', '\0']) && !name.is_empty()
    };
    [decoded(part), part.to_owned()]
        .into_iter()
        .find(|name| is_name(name))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> RemoteUrl {
        RemoteUrl::new(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn only_addresses_of_web_servers_are_taken() {
        assert!(RemoteUrl::new("HTTPS://host/a.mp4").is_some());
        for text in ["a.mp4", "rtsp://host/a", "/http://a", "http://", "http:/a"] {
            assert!(RemoteUrl::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_has_neither_login_nor_query() {
        for (text, shown) in [
            ("https://host/a.mp4", "https://host/a.mp4"),
            (
                "https://me:p@ss@host:8443/a/b.mp4?X-Sig=1&t=2#t=3",
                "https://host:8443/a/b.mp4",
            ),
            ("http://token@host", "http://host"),
        ] {
            let url = url(text);
            assert_eq!(url.shown(), shown);
            assert_eq!(format!("{url:?}"), format!("RemoteUrl({shown:?})"));
        }
    }

    #[test]
    fn the_server_is_asked_without_the_login_which_is_decoded() {
        let url = url("https://me:p%40ss@host/a.mp4?sig=1#t=3");
        assert_eq!(url.requested(), "https://host/a.mp4?sig=1");
        let login = url.login().expect("it has one");
        assert_eq!((&*login.user, &*login.password), ("me", "p@ss"));
    }

    #[test]
    fn a_message_loses_the_secrets_of_all_addresses_and_of_this_one_wherever_they_stand() {
        let url = url("https://me:p%40ss@host/a.mp4?sig=17");
        let message = "Not Found, URL: https://me:p%40ss@host/a.mp4?sig=17, Redirect to: \
                       'http://other/b?token=8'; p@ss, sig=17";
        assert_eq!(
            url.hidden_in(message),
            "Not Found, URL: https://host/a.mp4 Redirect to: 'http://other/b'; …, …"
        );
    }

    #[test]
    fn a_file_is_named_by_the_end_of_its_address_or_by_what_follows_the_root() {
        let below = |text: &str, root| url(text).below(root).map(|parts| parts.join("/"));
        for (text, root, name) in [
            ("http://h/a/b%20c.mp4?x", None, Some("b c.mp4")),
            ("http://h/a/", None, Some("a")),
            ("http://h", None, Some("h")),
            ("http://h/a/b/c.mp4", Some("http://h/a"), Some("b/c.mp4")),
            ("http://h/ab/c.mp4", Some("http://h/a"), None),
            ("http://h/a", Some("http://h/a"), None),
            // What would leave the folder of the results stays encoded.
            ("http://h/a/%2e%2e%2fb.mp4", None, Some("%2e%2e%2fb.mp4")),
            ("http://h/a/../b.mp4", Some("http://h"), None),
        ] {
            assert_eq!(below(text, root).as_deref(), name, "{text}");
        }
    }
}
