//! Reads the settings from a file or a text.

use std::path::Path;

use super::{Config, Error, SettingsFile, contradiction, position};

impl Config {
    /// Reads the file at `path`. GStreamer must be initialised and the plugin registered.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has an error, with its position.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads `text`; errors name `path` as its source.
    ///
    /// # Errors
    ///
    /// If the text has an error, with its position.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file = SettingsFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let config: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            file.wrong(offset, error.message().to_owned())
        })?;
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        let mut config = Self {
            file,
            table,
            ..config
        };
        let tables = config.table.get("source").and_then(toml::Value::as_array);
        for (source, table) in config.sources.iter_mut().zip(tables.into_iter().flatten()) {
            source.table = table.as_table().cloned().unwrap_or_default();
        }
        match contradiction::find(&config) {
            Some(found) => Err(config.wrong(&found.path(), found.message.clone())),
            None => Ok(config),
        }
    }

    /// The file that it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// The error that the setting at `path` is wrong.
    pub(crate) fn wrong(&self, path: &[&str], message: String) -> Error {
        let span = position::span(&self.file.text, path);
        self.file.wrong(span.map_or(0, |span| span.start), message)
    }
}

impl SettingsFile {
    fn wrong(&self, offset: usize, message: String) -> Error {
        let (line, column) = position::line_and_column(&self.text, offset);
        Error::Wrong {
            path: self.path.clone(),
            line,
            column,
            message,
        }
    }
}
