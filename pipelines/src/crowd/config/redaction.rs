//! Removes what must not be read by everybody from texts about a source.

use std::sync::LazyLock;

use regex::Regex;

/// What stands in the place of a secret.
const HIDDEN: &str = "…";
/// The longest text that is logged or shown, in characters.
const LONGEST: usize = 400;
/// Shorter texts are left alone: they would be found everywhere.
const SHORTEST_SECRET: usize = 3;

/// An address: its scheme, its login, what follows up to the query, and the query.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#"']*@)?([^\s?#"']*)(\?[^\s"')]*)?"#)
        .expect("it is a regular expression")
});
/// A property or parameter whose value is a secret.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let name = "[A-Za-z_-]*(?:passw(?:or)?d|passphrase|pwd|user|usr|login|token|secret|apikey|api-key|auth|user-pw|proxy-pw|-pw|key)[A-Za-z_-]*";
    Regex::new(&format!(
        r#"(?i)\b({name})\s*=\s*(?:\([a-z]+\))?("[^"]*"|'[^']*'|[^\s"'!&,;]+)"#
    ))
    .expect("it is a regular expression")
});

/// `text` in one line of a reasonable length, without logins and queries of addresses, and without the secrets `known`.
pub(super) fn redacted(text: &str, known: &[String]) -> String {
    let mut text = ADDRESS
        .replace_all(text, |found: &regex::Captures<'_>| {
            let has_login = found[0][found[1].len()..].len()
                > found[2].len() + found.get(3).map_or(0, |query| query.len());
            let login = if has_login {
                format!("{HIDDEN}@")
            } else {
                String::new()
            };
            let query = found.get(3).map_or(String::new(), |_| format!("?{HIDDEN}"));
            format!("{}{login}{}{query}", &found[1], &found[2])
        })
        .into_owned();
    for secret in known
        .iter()
        .filter(|secret| secret.chars().count() >= SHORTEST_SECRET)
    {
        text = text.replace(secret.as_str(), HIDDEN);
    }
    printable(&text)
}

/// The secrets in an address: user name and password, and the values of its query; as written, and decoded.
pub(super) fn secrets_in_address(uri: &str) -> Vec<String> {
    let Some((_, rest)) = uri.split_once("://") else {
        return Vec::new();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
    let password = login.split_once(':').map(|(_, password)| password);
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let values = query
        .split(['&', ';', '#'])
        .filter_map(|pair| pair.split_once('='));
    with_decoded(
        [login]
            .into_iter()
            .chain(password)
            .chain(values.map(|(_, value)| value)),
    )
}

/// The secrets in a line for `gst-launch-1.0`.
pub(super) fn secrets_in_launch_line(line: &str) -> Vec<String> {
    let unquoted = |text: &str| text.trim_matches(['"', '\'']).to_owned();
    let assigned: Vec<_> = ASSIGNMENT
        .captures_iter(line)
        .map(|found| unquoted(&found[2]))
        .filter(|value| !value.contains("://"))
        .collect();
    let addresses = line.split_whitespace().filter_map(|word| {
        let start = word.find("://")?;
        let scheme = word[..start].rfind(|c: char| !c.is_ascii_alphanumeric())?;
        Some(unquoted(&word[scheme + 1..]))
    });
    let in_addresses: Vec<_> = addresses.flat_map(|uri| secrets_in_address(&uri)).collect();
    with_decoded(assigned.iter().chain(&in_addresses).map(String::as_str))
}

fn with_decoded<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<_> = texts
        .filter(|text| !text.is_empty())
        .flat_map(|text| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
            [text.to_owned(), decoded.into_owned()]
        })
        .collect();
    // A secret that contains another is replaced first.
    all.sort_by_key(|text| std::cmp::Reverse(text.len()));
    all.dedup();
    all
}

/// `text` without control characters, which a terminal would obey, and of a limited length.
fn printable(text: &str) -> String {
    let mut printable: String = text
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_control() || is_direction(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        printable.push_str(HIDDEN);
    }
    printable
}

/// Characters that change the direction in which the following text is shown.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_queries_of_addresses_are_hidden() {
        for (text, expected) in [
            (
                "cannot open rtsp://me:pa55@camera:554/a.",
                "cannot open rtsp://…@camera:554/a.",
            ),
            (
                "http://cam/s.cgi?user=admin&pwd=x: no",
                "http://cam/s.cgi?…",
            ),
            (
                "GET \"http://me:p@ss@cam/x\" failed",
                "GET \"http://…@cam/x\" failed",
            ),
            ("rtsp://camera/a@b", "rtsp://camera/a@b"),
            ("file:///a b", "file:///a b"),
        ] {
            let hidden = redacted(text, &[]);
            assert!(hidden.starts_with(expected), "{text}: {hidden}");
            assert!(
                !hidden.contains("pa55") && !hidden.contains("pwd"),
                "{hidden}"
            );
        }
    }

    #[test]
    fn known_secrets_are_hidden_wherever_they_stand() {
        let uri = "http://me:p%40ss@cam/s.cgi?user=admin&pwd=hunter2";
        let known = secrets_in_address(uri);
        let text = redacted("realm p@ss, p%40ss, hunter2", &known);
        assert_eq!(text, "realm …, …, …");
        let line =
            "souphttpsrc location=\"http://a:bcd@x/?k=efg\" user-pw=hij ! srtsrc passphrase='k l'";
        let known = secrets_in_launch_line(line);
        assert_eq!(redacted("bcd efg hij k l", &known), "… … … …");
    }

    #[test]
    fn control_characters_and_excess_are_removed() {
        let text = redacted(
            &format!("\u{1b}[31mRED\u{7}\r\n\u{202e}{}", "A".repeat(3000)),
            &[],
        );
        assert!(text.starts_with(" [31mRED    AAA"), "{text}");
        assert!(text.chars().count() <= LONGEST + 1);
    }
}
