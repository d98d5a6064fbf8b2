//! Passwords and tokens, inside or outside the file.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// A text that is never printed: `"text"`, `{ file = "PATH" }` for the first line of a file, or `{ env = "NAME" }` for an
/// environment variable. It is read together with the settings.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SecretSource")]
pub struct Secret(String);

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"text\", { file = \"PATH\" } or { env = \"NAME\" }"
)]
enum SecretSource {
    Text(String),
    File(InFile),
    Variable(InVariable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InVariable {
    env: String,
}

impl TryFrom<SecretSource> for Secret {
    type Error = String;

    fn try_from(source: SecretSource) -> Result<Self, String> {
        let text = match source {
            SecretSource::Text(text) => text,
            SecretSource::File(InFile { file }) => std::fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            SecretSource::Variable(InVariable { env }) => std::env::var(&env)
                .map_err(|_| format!("the environment has no text in {env}: set it"))?,
        };
        if text.is_empty() {
            return Err("expected a secret, found an empty text".into());
        }
        Ok(Self(text))
    }
}

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `text` is the secret. How long that takes does not tell how much of it is right.
    pub fn is(&self, text: &str) -> bool {
        let pairs = text.bytes().zip(self.0.bytes());
        let differences = pairs.fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differences) == 0 && text.len() == self.0.len()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
