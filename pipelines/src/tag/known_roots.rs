//! The folders whose files have results in a folder.
//!
//! Summaries do not say where a file lies, so that they are the same on each machine. Results that would replace those of another
//! file of the same name are noticed by these folders: whether one of them still has a file of that name and content.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::inputs::InputFile;

/// The name of the list in the folder of the results: a path in each line, as JSON.
const NAME: &str = ".emotion-tag.roots";

/// The roots of earlier runs and of this one.
#[derive(Debug, Default)]
pub(super) struct KnownRoots(Vec<PathBuf>);

impl KnownRoots {
    /// Reads the list of `out`, and adds the roots of `inputs` that it lacks.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn remember(out: &Path, inputs: &[InputFile]) -> anyhow::Result<Self> {
        let path = out.join(NAME);
        let shown = || format!("{}: cannot be written", path.display());
        let mut options = File::options();
        options.read(true).append(true).create(true);
        let mut list = options.open(&path).with_context(shown)?;
        // Other processes may add theirs. Where nothing can be locked a root may stand there twice.
        let _ = list.lock();
        let mut text = String::new();
        list.read_to_string(&mut text).with_context(shown)?;
        let lines = text.lines();
        let mut roots: Vec<PathBuf> = lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        for root in inputs.iter().filter_map(local_root) {
            // JSON has no other names of files than text.
            let Some(text) = root.to_str() else {
                continue;
            };
            if !roots.iter().any(|known| known == root) {
                let line = serde_json::to_string(text)? + "\n";
                list.write_all(line.as_bytes()).with_context(shown)?;
                roots.push(root.to_owned());
            }
        }
        Ok(Self(roots))
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.0
    }
}

fn local_root(input: &InputFile) -> Option<&Path> {
    input.is_local().then(|| input.root()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::input;
    use super::*;

    #[test]
    fn each_root_is_remembered_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = input();
        let second = InputFile {
            absolute: "/other/talks/talk.mp4".into(),
            ..input()
        };
        let remember = |inputs: &[InputFile]| {
            let known = KnownRoots::remember(folder.path(), inputs).unwrap();
            known.paths().to_vec()
        };
        assert_eq!(remember(&[first.clone(), first]), [Path::new("/archive")]);
        let both = ["/archive", "/other"].map(PathBuf::from);
        assert_eq!(remember(&[second]), both);
        assert_eq!(remember(&[]), both);
        let list = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert_eq!(list, "\"/archive\"\n\"/other\"\n");
    }
}
