//! Boxes of another detector from a file, so that both are evaluated by the same code on the same images.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotion_models::preprocess::Region;
use serde::Deserialize;

use crate::detector::matching::ScoredBox;

/// A line of the file: an image, named as in the annotations, and boxes `[x, y, width, height, confidence]` in pixels.
#[derive(Deserialize)]
struct Line {
    image: String,
    found: Vec<[f32; 5]>,
}

/// The boxes of each image.
#[derive(Debug)]
pub(crate) struct PeerDetections(HashMap<PathBuf, Vec<ScoredBox>>);

impl PeerDetections {
    /// Reads JSON Lines about the images in `folder`.
    pub(super) fn load(file: &Path, folder: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut all = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let at = || format!("{}, line {}", file.display(), index + 1);
            let Line { image, found } = serde_json::from_str(line)
                .context(
                    "expected an object with image and found, boxes [x, y, width, height, confidence]",
                )
                .with_context(at)?;
            let mut found: Vec<ScoredBox> = found.into_iter().map(face).collect();
            let finite = |found: &ScoredBox| found.score.is_finite();
            ensure!(
                found.iter().all(finite),
                "{}: a confidence is not finite",
                at()
            );
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            all.insert(folder.join(image), found);
        }
        Ok(Self(all))
    }

    /// The boxes in an image, the most confident first.
    ///
    /// # Errors
    ///
    /// When the file has no line about it.
    pub(super) fn found(&self, image: &Path) -> Result<Vec<ScoredBox>> {
        let found = self.0.get(image).cloned();
        found.with_context(|| {
            format!(
                "{}: --found has no line for it; a picture without faces needs one with \"found\": []",
                image.display()
            )
        })
    }
}

fn face([x, y, width, height, score]: [f32; 5]) -> ScoredBox {
    ScoredBox {
        region: Region {
            x,
            y,
            width,
            height,
        },
        score,
        landmarks: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<PeerDetections> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("found.jsonl");
        fs::write(&file, text).unwrap();
        PeerDetections::load(&file, Path::new("pictures"))
    }

    #[test]
    fn the_boxes_of_a_picture_come_the_surest_first() {
        let peer = load(r#"{"image":"a.jpg","found":[[1,2,3,4,0.5],[5,6,7,8,0.9]]}"#).unwrap();
        let found = peer.found(Path::new("pictures/a.jpg")).unwrap();
        assert_eq!(
            found.iter().map(|f| f.score).collect::<Vec<_>>(),
            [0.9, 0.5]
        );
        let error = peer.found(Path::new("pictures/b.jpg")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("pictures/b.jpg: --found has no line"),
            "{error}"
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let text = "{\"image\":\"a.jpg\",\"found\":[]}\n{\"image\":\"b.jpg\"}\n";
        let error = format!("{:#}", load(text).unwrap_err());
        assert!(
            error.contains("line 2: expected an object with image and found"),
            "{error}"
        );
    }
}
