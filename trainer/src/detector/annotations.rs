//! Formats of images with face boxes.
//!
//! - **JSON Lines**: `boxes.jsonl` or `faces.jsonl` in the folder, an object for each image with `image` (a path relative
//!   to the folder), `width`, `height` and `boxes`, each `[x, y, width, height]` in pixels. Optional are `split` (`train`,
//!   `val`), `labels` (`human`, `model`), `source`, and `ignore`, boxes that may hold a face or not. `landmarks.jsonl`
//!   beside them may hold the landmarks of the faces, an object for each image with `image` and
//!   `points`: for each of its boxes null, or x and y of the [`Landmarks`] in pixels, ten numbers.
//! - **WIDER FACE** (Yang et al. 2016): `wider_face_split/wider_face_train_bbx_gt.txt` and `…_val_bbx_gt.txt` beside
//!   `WIDER_train/images` and `WIDER_val/images`. Invalid boxes are ignored regions.

mod additions;
mod lines;

pub use additions::HardNegatives;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use emotion_models::preprocess::{Landmarks, Region};
use serde::Deserialize;

use lines::{each_line, read, region};

/// The use of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ImageSplit {
    /// Training.
    Train,
    /// Validation.
    Val,
}

impl fmt::Display for ImageSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Val => "val",
        })
    }
}

/// Who drew the boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// People.
    Human,
    /// Another detector.
    Model,
}

/// An image and its faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The image file.
    pub image: PathBuf,
    /// Its use; none if the annotation does not say.
    pub split: Option<ImageSplit>,
    /// Who drew the boxes.
    pub labels: LabelSource,
    /// The faces in pixels, clipped to the image if its size is known.
    pub boxes: Vec<Region>,
    /// The landmarks of each face, where they are known; empty if they are known of none.
    pub landmarks: Vec<Option<Landmarks>>,
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
    /// Regions without a face that a network has taken for one.
    pub hard_negatives: Vec<Region>,
    /// The collection of the image.
    pub source: Option<String>,
}

/// A line of the JSON Lines.
#[derive(Deserialize)]
struct Line {
    image: PathBuf,
    #[serde(default)]
    source: Option<String>,
    width: f32,
    height: f32,
    #[serde(default)]
    split: Option<ImageSplit>,
    #[serde(default)]
    labels: Option<LabelSource>,
    boxes: Vec<[f32; 4]>,
    #[serde(default)]
    ignore: Vec<[f32; 4]>,
}

/// Reads all annotations in `folder`.
///
/// # Errors
///
/// When there are none, or a line is broken.
pub fn load(folder: &Path) -> Result<Vec<Annotation>> {
    let mut all = Vec::new();
    for name in ["boxes.jsonl", "faces.jsonl"] {
        let file = folder.join(name);
        if file.exists() {
            all.extend(json_lines(folder, &file, &read(&file)?)?);
        }
    }
    for (name, split) in [("train", ImageSplit::Train), ("val", ImageSplit::Val)] {
        let file = folder.join(format!("wider_face_split/wider_face_{name}_bbx_gt.txt"));
        if file.exists() {
            let images = folder.join(format!("WIDER_{name}/images"));
            all.extend(wider(&images, &file, split, &read(&file)?)?);
        }
    }
    let file = folder.join("landmarks.jsonl");
    if file.exists() {
        add_landmarks(&mut all, folder, &file)?;
    }
    ensure!(
        !all.is_empty(),
        "{}: expected boxes.jsonl or faces.jsonl with at least one line, or wider_face_split of WIDER FACE, found none",
        folder.display()
    );
    Ok(all)
}

fn add_landmarks(all: &mut [Annotation], folder: &Path, file: &Path) -> Result<()> {
    let mut by_image = by_image(all);
    for (image, landmarks) in additions::landmarks(file)? {
        let Some(annotation) = by_image.get_mut(&folder.join(&image)) else {
            bail!("{}: {} has no boxes", file.display(), image.display());
        };
        let (boxes, found) = (annotation.boxes.len(), landmarks.len());
        ensure!(
            boxes == found,
            "{}: expected points or null for each of the {boxes} boxes of {}, found {found}",
            file.display(),
            image.display()
        );
        annotation.landmarks = landmarks;
    }
    Ok(())
}

/// Adds the hard negatives in `file` to the images of `folder`.
///
/// # Errors
///
/// When the file cannot be read, a line is broken, or an image is unknown.
pub fn add_hard_negatives(all: &mut [Annotation], folder: &Path, file: &Path) -> Result<()> {
    let mut by_image = by_image(all);
    for (image, regions) in additions::hard_negatives(file)? {
        let Some(annotation) = by_image.get_mut(&folder.join(&image)) else {
            bail!(
                "{}: {} is none of the pictures in {}: pass the hard negatives of these pictures",
                file.display(),
                image.display(),
                folder.display()
            );
        };
        annotation.hard_negatives.extend(regions);
    }
    Ok(())
}

fn by_image(all: &mut [Annotation]) -> HashMap<PathBuf, &mut Annotation> {
    all.iter_mut()
        .map(|annotation| (annotation.image.clone(), annotation))
        .collect()
}

fn json_lines(folder: &Path, file: &Path, text: &str) -> Result<Vec<Annotation>> {
    each_line(file, text, |line| json_line(folder, line))
}

fn json_line(folder: &Path, line: &str) -> Result<Annotation> {
    let Line {
        image,
        source,
        width,
        height,
        split,
        labels,
        boxes,
        ignore,
    } = serde_json::from_str(line)
        .context("expected an object with image, width, height and boxes")?;
    ensure!(
        width >= 1.0 && height >= 1.0,
        "expected a width and a height of at least 1, found {width} and {height}"
    );
    let within = |boxes: Vec<[f32; 4]>| -> Result<Vec<Region>> {
        boxes
            .into_iter()
            .map(|values| {
                clip(region(values)?, [width, height]).ok_or_else(|| {
                    anyhow!(
                        "the box {values:?} lies outside the picture of {width}×{height} pixels"
                    )
                })
            })
            .collect()
    };
    Ok(Annotation {
        image: folder.join(image),
        split,
        labels: labels.unwrap_or(LabelSource::Human),
        boxes: within(boxes)?,
        landmarks: Vec::new(),
        ignored: within(ignore)?,
        hard_negatives: Vec::new(),
        source,
    })
}

/// The part of `region` within an image of `[width, height]`, if there is one.
pub fn clip(region: Region, [width, height]: [f32; 2]) -> Option<Region> {
    let (left, top) = (region.x.max(0.0), region.y.max(0.0));
    let right = (region.x + region.width).min(width);
    let bottom = (region.y + region.height).min(height);
    (right > left && bottom > top).then_some(Region {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
    })
}

/// Reads the format of WIDER FACE: a line with the image, one with the number of its boxes, then one for each with ten
/// numbers; if there are no boxes, one line of zeros.
fn wider(images: &Path, file: &Path, split: ImageSplit, text: &str) -> Result<Vec<Annotation>> {
    let mut lines = text.lines().enumerate();
    let mut all = Vec::new();
    while let Some((_, name)) = lines.next() {
        if name.trim().is_empty() {
            continue;
        }
        let mut annotation = Annotation {
            image: images.join(name.trim()),
            split: Some(split),
            labels: LabelSource::Human,
            boxes: Vec::new(),
            landmarks: Vec::new(),
            ignored: Vec::new(),
            hard_negatives: Vec::new(),
            source: None,
        };
        let (index, count) = lines
            .next()
            .ok_or_else(|| anyhow!("{}: ends after {name}", file.display()))?;
        let at = |index: usize| format!("{}, line {}", file.display(), index + 1);
        let count: usize = count
            .trim()
            .parse()
            .map_err(|_| anyhow!("expected the number of boxes, found {count:?}"))
            .with_context(|| at(index))?;
        for _ in 0..count.max(1) {
            let Some((index, line)) = lines.next() else {
                bail!("{}: ends before the boxes of {name}", file.display());
            };
            let values = wider_box(line).with_context(|| at(index))?;
            let [x, y, width, height, .., invalid, _, _] = values;
            // Some boxes have no area.
            if width < 1.0 || height < 1.0 {
                continue;
            }
            let region = region([x, y, width, height]).with_context(|| at(index))?;
            if invalid == 0.0 {
                annotation.boxes.push(region);
            } else {
                annotation.ignored.push(region);
            }
        }
        all.push(annotation);
    }
    Ok(all)
}

/// x, y, width, height, blur, expression, illumination, invalid, occlusion, pose.
fn wider_box(line: &str) -> Result<[f32; 10]> {
    let values: Vec<f32> = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| anyhow!("expected ten numbers, found {line:?}"))?;
    let found = values.len();
    values
        .try_into()
        .map_err(|_| anyhow!("expected ten numbers, found {found}"))
}

#[cfg(test)]
mod tests;
