//! The changes that the API made to the sources of the file: kept until the program ends, or in a file of their own.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use emotion_models::atomic_file;
use serde::{Deserialize, Serialize};

use super::config::SourceSettings;

/// The version of the file.
const VERSION: u32 = 1;

/// Sources that were added or changed, and names of those that were removed.
#[derive(Debug, Default)]
pub(super) struct SourceChanges {
    /// Where they are kept.
    path: Option<PathBuf>,
    /// By name; `None` for a source that was removed.
    changes: BTreeMap<String, Option<SourceSettings>>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    version: u32,
    /// The settings of a source by its name, null for one that was removed.
    sources: BTreeMap<String, Option<toml::Table>>,
}

impl SourceChanges {
    /// Reads the changes from `path`, if it is there.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a source in it has a wrong setting.
    pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let mut loaded = Self {
            path: path.map(Path::to_owned),
            changes: BTreeMap::new(),
        };
        let Some(path) = path else {
            return Ok(loaded);
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(loaded),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let file: StateFile = serde_json::from_str(&text)
            .with_context(|| format!("{}: no changes of the API", path.display()))?;
        anyhow::ensure!(
            file.version == VERSION,
            "{}: expected version {VERSION}, found {}",
            path.display(),
            file.version
        );
        for (name, table) in file.sources {
            let source = table.map(SourceSettings::from_table).transpose();
            let source = source.map_err(|error| {
                anyhow::anyhow!("{}: the source {name}: {error}", path.display())
            })?;
            loaded.changes.insert(name, source);
        }
        Ok(loaded)
    }

    /// The sources of the file with the changes.
    pub(super) fn applied_to(&self, of_file: &[SourceSettings]) -> Vec<SourceSettings> {
        let mut sources: Vec<_> = of_file
            .iter()
            .filter_map(|source| match self.changes.get(&source.name) {
                Some(change) => change.clone(),
                None => Some(source.clone()),
            })
            .collect();
        let is_new = |name: &&SourceSettings| of_file.iter().all(|source| source.name != name.name);
        sources.extend(self.changes.values().flatten().filter(is_new).cloned());
        sources
    }

    /// Whether the source of this name is not as in the file.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.changes.contains_key(name)
    }

    /// The names of all that are not as in the file.
    pub(super) fn names(&self) -> Vec<String> {
        self.changes.keys().cloned().collect()
    }

    /// The changes with one more. `is_in_file` tells whether the file has a source of this name.
    pub(super) fn with(
        &self,
        name: &str,
        source: Option<SourceSettings>,
        is_in_file: bool,
    ) -> Self {
        let mut changes = self.changes.clone();
        match source.is_some() || is_in_file {
            true => changes.insert(name.to_owned(), source),
            false => changes.remove(name),
        };
        Self {
            path: self.path.clone(),
            changes,
        }
    }

    /// Writes the file, all at once, readable for this user alone, because it may contain passwords.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let tables = self.changes.iter().map(|(name, source)| {
            let table = source.as_ref().map(|source| source.table.clone());
            (name.clone(), table)
        });
        let file = StateFile {
            version: VERSION,
            sources: tables.collect(),
        };
        let write = || {
            let mut text = serde_json::to_vec_pretty(&file)?;
            text.push(b'\n');
            anyhow::Ok(atomic_file::write_private(path, &text)?)
        };
        write().with_context(|| format!("{}: cannot keep the changes there", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, launch: &str) -> SourceSettings {
        crate::init().expect("GStreamer starts");
        let table = toml::toml! { name = name launch = launch };
        SourceSettings::from_table(table).expect("it is right")
    }

    fn shown(sources: &[SourceSettings]) -> Vec<String> {
        let line = |source: &SourceSettings| {
            let launch = source.table["launch"].as_str().unwrap_or_default();
            format!("{}={launch}", source.name)
        };
        sources.iter().map(line).collect()
    }

    #[test]
    fn changes_lie_over_the_file_and_survive_in_theirs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state.json");
        let of_file = [
            source("a", "fakesrc"),
            source("b", "fakesrc"),
            source("c", "fakesrc"),
        ];
        let changes = SourceChanges::load(Some(&path))
            .expect("there is none yet")
            .with("b", Some(source("b", "videotestsrc")), true)
            .with("c", None, true)
            .with("d", Some(source("d", "fakesrc")), false);
        changes.save().expect("it is writable");
        let loaded = SourceChanges::load(Some(&path)).expect("it is right");
        let expected = ["a=fakesrc", "b=videotestsrc", "d=fakesrc"];
        assert_eq!(shown(&loaded.applied_to(&of_file)), expected);
        assert_eq!(loaded.names(), ["b", "c", "d"]);
        // A source that only the API knew is forgotten.
        assert_eq!(loaded.with("d", None, false).names(), ["b", "c"]);
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "others can read passwords");
    }

    #[test]
    fn the_file_of_the_first_release_is_read() {
        crate::init().expect("GStreamer starts");
        let file = "tests/released/0.1.0/crowd-state.json";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let changes = SourceChanges::load(Some(&path)).expect("it is right");
        let of_file = [source("hall", "fakesrc"), source("door", "fakesrc")];
        let names = changes.applied_to(&of_file);
        let names: Vec<_> = names.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(names, ["door", "yard"]);
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_with_its_source() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state.json");
        for (text, said) in [
            (
                "{\"version\":1,\"sources\":{\"x\":{\"name\":\"x\",\"launch\":\"nosuchelement\"}}}",
                "the source x",
            ),
            ("{\"version\":9,\"sources\":{}}", "expected version 1"),
            ("{", "no changes of the API"),
        ] {
            crate::init().expect("GStreamer starts");
            std::fs::write(&path, text).expect("it is writable");
            let error = SourceChanges::load(Some(&path)).expect_err(text);
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }
}
