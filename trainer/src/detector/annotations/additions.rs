//! Files that add to annotated images. In each, `image` is the path relative to the folder of the images.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use emotion_models::preprocess::{Landmarks, Region};
use serde::{Deserialize, Serialize};

use super::lines::{each_line, read, region};

/// A line of `landmarks.jsonl`.
#[derive(Deserialize)]
struct LandmarkLine {
    image: PathBuf,
    points: Vec<Option<[f32; 2 * Landmarks::COUNT]>>,
}

/// What a network has taken for faces in an image, a line of a file of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HardNegatives {
    /// The image's path, relative to its folder.
    pub image: PathBuf,
    /// `[x, y, width, height]` in pixels.
    pub boxes: Vec<[f32; 4]>,
}

/// The images of a `landmarks.jsonl`, and the landmarks of each of their boxes.
pub(super) fn landmarks(file: &Path) -> Result<Vec<(PathBuf, Vec<Option<Landmarks>>)>> {
    each_line(file, &read(file)?, |line| {
        let expected = "expected an object with image and points, null or ten numbers for each box";
        let LandmarkLine { image, points } = serde_json::from_str(line).context(expected)?;
        let landmarks = points.into_iter().map(|points| {
            let points = points?;
            let at = |index| [points[2 * index], points[2 * index + 1]];
            Some(Landmarks(std::array::from_fn(at)))
        });
        Ok((image, landmarks.collect()))
    })
}

/// The images of a file with hard negatives, and their boxes.
pub(super) fn hard_negatives(file: &Path) -> Result<Vec<(PathBuf, Vec<Region>)>> {
    each_line(file, &read(file)?, |line| {
        let HardNegatives { image, boxes } =
            serde_json::from_str(line).context("expected an object with image and boxes")?;
        let regions = boxes.into_iter().map(region);
        Ok((image, regions.collect::<Result<_>>()?))
    })
}
