//! The summary of a file, as far as an archive needs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::tag::summary::VERSION;

/// What the summary of a file tells.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ArchivedFile {
    /// The path of the file below its root.
    pub file: String,
    /// Date and time of the recording, ISO 8601.
    #[serde(default)]
    pub recorded: Option<String>,
    /// Maker and model of the camera.
    #[serde(default)]
    pub camera: Option<String>,
    /// Timecode of the first frame.
    #[serde(default)]
    pub timecode: Option<String>,
    /// What is missing in the results, and why.
    #[serde(default)]
    pub incomplete: Option<String>,
    /// Seconds; 0 for a picture.
    pub duration: f64,
    /// Number of analysed frames.
    pub frames: u64,
    /// The names of the other results, in the folder of the summary.
    outputs: Vec<String>,
    /// The faces, each a track.
    #[serde(rename = "persons")]
    pub faces: Vec<ArchivedFace>,
    /// Most files of an archive share theirs.
    #[serde(skip)]
    pub(super) settings: Arc<Value>,
    /// Instruction set and precision with which the faces were classified.
    pub(super) arithmetic: String,
    /// The folder of the results, below that of the archive.
    #[serde(skip)]
    folder: PathBuf,
}

/// What a summary tells about a face.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ArchivedFace {
    /// The track; none if faces are not tracked.
    pub id: Option<i32>,
    /// The position from the left, from 1, if faces are not tracked.
    #[serde(default)]
    pub place: Option<usize>,
    /// Seconds.
    pub first_seen: f64,
    /// Seconds.
    pub last_seen: f64,
    /// Number of analysed frames with the face.
    pub frames: u64,
    /// The most frequent emotion.
    pub emotion: Option<String>,
    /// Share of each emotion in these frames.
    pub emotions: BTreeMap<String, f64>,
    /// Mean valence, -1 to 1.
    #[serde(default)]
    pub valence: Option<f64>,
    /// Mean quality, 0 to 1.
    #[serde(default)]
    pub quality: Option<f64>,
    /// Its emotions over time.
    pub spans: Vec<FaceSpan>,
}

/// A stretch of time with one emotion: start and end in seconds, the emotion, its highest confidence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FaceSpan(pub f64, pub f64, pub String, pub f64);

impl ArchivedFile {
    /// Reads a summary in the folder of an archive, where `before` was read before it.
    pub(super) fn read(archive: &Path, path: &Path, before: Option<&Self>) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).context("cannot be read")?;
        let mut value: Value = serde_json::from_str(&text)
            .context("expected a summary of emotion-tag, found no JSON")?;
        let version = &value["version"];
        if *version != VERSION {
            bail!("expected a summary of version {VERSION}, found {version}; tag the file again");
        }
        let settings = value["settings"].take();
        anyhow::ensure!(
            settings.is_object(),
            "expected a summary of emotion-tag with its settings"
        );
        let mut file: Self =
            serde_json::from_value(value).context("expected a summary of emotion-tag")?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = folder.strip_prefix(archive).unwrap_or(folder);
        folder.clone_into(&mut file.folder);
        file.settings = match before {
            Some(before) if *before.settings == settings => before.settings.clone(),
            _ => Arc::new(settings),
        };
        Ok(file)
    }

    /// The weights that classified the faces, their name and a hash.
    pub fn weights(&self) -> Option<(&str, &str)> {
        let classifier = &self.settings["classifier"];
        Some((
            classifier["model"].as_str()?,
            classifier["weights_id"].as_str()?,
        ))
    }

    /// The path of the other result with this extension below the folder of the archive.
    pub(super) fn output(&self, extension: &str) -> Option<PathBuf> {
        let ending = format!(".{extension}");
        let name = self.outputs.iter().find(|name| name.ends_with(&ending));
        Some(self.folder.join(name?))
    }
}

impl ArchivedFace {
    /// How the face is called in results: by its track or its position.
    pub fn name(&self) -> String {
        match (self.id, self.place) {
            (Some(id), _) => format!("face {id}"),
            (None, Some(place)) => format!("face {place} from the left"),
            (None, None) => "face".to_owned(),
        }
    }
}
