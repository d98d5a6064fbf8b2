//! What a store answers in words, without credentials.

use object_store::Error;

use crate::tag::temporary::TemporaryError;

/// Variables of the environment whose values are secret.
const SECRETS: [&str; 3] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY_ID",
];

/// Codes of answers that something is not there, and that access is refused
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
const MISSING: [&str; 2] = ["NoSuchBucket", "NoSuchKey"];
const REFUSED: [&str; 6] = [
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
];

/// The error about the object at `address`, which says whether another attempt may succeed.
pub(super) fn explained(address: &str, error: &Error) -> anyhow::Error {
    let text = error.to_string();
    let code = code(&text);
    let is_one_of = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
    let shown = code.map_or(String::new(), |code| format!(" ({code})"));
    match error {
        // What lists objects has no errors of its own for these.
        _ if is_one_of(&MISSING) || matches!(error, Error::NotFound { .. }) => {
            anyhow::anyhow!("{address}: there is no such object or bucket{shown}")
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => refused(address, &shown),
        _ if is_one_of(&REFUSED) => refused(address, &shown),
        Error::InvalidPath { .. } => anyhow::anyhow!(
            "{address}: expected a key whose parts are not empty and none of them . or .."
        ),
        Error::Precondition { .. } => TemporaryError(format!(
            "{address}: the object has changed while it was read"
        ))
        .into(),
        _ => TemporaryError(format!("{address}: {}", without_secrets(&text))).into(),
    }
}

fn refused(address: &str, code: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{address}: the store refuses access{code}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the rights of that key"
    )
}

/// The code of the error in the answer, which is XML.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code)
}

/// `text` in one line, without the body of an answer and without credentials.
fn without_secrets(text: &str) -> String {
    let body = text.find("<?xml").or_else(|| text.find("<Error>"));
    let text = text[..body.unwrap_or(text.len())].trim_end();
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in SECRETS.iter().filter_map(|name| std::env::var(name).ok()) {
        if !secret.is_empty() {
            text = text.replace(&secret, "…");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::temporary::is_temporary;

    fn source(text: &str) -> Box<dyn std::error::Error + Send + Sync> {
        text.into()
    }

    #[test]
    fn only_what_may_pass_is_temporary_and_the_answer_of_the_store_is_cut() {
        let path = || "a".to_owned();
        let body = "Server returned non-2xx status code: 403 Forbidden: <?xml?><Error><Code>SignatureDoesNotMatch</Code>\
                    <StringToSign>AWS4 1234</StringToSign></Error>";
        for (error, temporary, said) in [
            (
                Error::PermissionDenied {
                    path: path(),
                    source: source(body),
                },
                false,
                "refuses access (SignatureDoesNotMatch); check AWS_ACCESS_KEY_ID",
            ),
            (
                Error::NotFound {
                    path: path(),
                    source: source("<Code>NoSuchBucket</Code>"),
                },
                false,
                "no such object or bucket (NoSuchBucket)",
            ),
            (
                Error::Generic {
                    store: "S3",
                    source: source("404 Not Found: <?xml?><Code>NoSuchBucket</Code>"),
                },
                false,
                "no such object or bucket (NoSuchBucket)",
            ),
            (
                Error::Generic {
                    store: "S3",
                    source: source("403 Forbidden: <?xml?><Code>AccessDenied</Code>"),
                },
                false,
                "refuses access (AccessDenied)",
            ),
            (
                Error::Generic {
                    store: "S3",
                    source: source("connection refused <?xml?>secret"),
                },
                true,
                "connection refused",
            ),
            (
                Error::Precondition {
                    path: path(),
                    source: source("412"),
                },
                true,
                "has changed while it was read",
            ),
        ] {
            let explained = explained("s3://b/a", &error);
            assert_eq!(is_temporary(&explained), temporary, "{explained}");
            let text = explained.to_string();
            assert!(
                text.starts_with("s3://b/a: ") && text.contains(said),
                "{text}"
            );
            for hidden in ["AWS4", "secret", "<"] {
                assert!(!text.contains(hidden), "{text}");
            }
        }
    }
}
