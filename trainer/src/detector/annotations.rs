//! Formats of images with face boxes.
//!
//! - **JSON Lines**: `boxes.jsonl` or `faces.jsonl` in the folder, an object for each image with `image` (a path relative
//!   to the folder), `width`, `height` and `boxes`, each `[x, y, width, height]` in pixels. Optional are `split` (`train`,
//!   `val`), `labels` (`human`, `model`), `source`, and `ignore`, boxes that may hold a face or not.
//! - **WIDER FACE** (Yang et al. 2016): `wider_face_split/wider_face_train_bbx_gt.txt` and `…_val_bbx_gt.txt` beside
//!   `WIDER_train/images` and `WIDER_val/images`. Invalid boxes are ignored regions.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context, Result, anyhow, bail, ensure};
use emotion_models::preprocess::Region;
use serde::Deserialize;

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
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
}

/// A line of the JSON Lines.
#[derive(Deserialize)]
struct Line {
    image: PathBuf,
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
    ensure!(
        !all.is_empty(),
        "{}: expected boxes.jsonl or faces.jsonl with at least one line, or wider_face_split of WIDER FACE, found none",
        folder.display()
    );
    Ok(all)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))
}

fn json_lines(folder: &Path, file: &Path, text: &str) -> Result<Vec<Annotation>> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            json_line(folder, line)
                .with_context(|| format!("{}, line {}", file.display(), index + 1))
        })
        .collect()
}

fn json_line(folder: &Path, line: &str) -> Result<Annotation> {
    let Line {
        image,
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
        ignored: within(ignore)?,
    })
}

/// The box of `[x, y, width, height]`.
fn region([x, y, width, height]: [f32; 4]) -> Result<Region> {
    let is_box =
        [x, y, width, height].iter().all(|value| value.is_finite()) && width > 0.0 && height > 0.0;
    ensure!(
        is_box,
        "expected a box [x, y, width, height] with an area, found {:?}",
        [x, y, width, height]
    );
    Ok(Region {
        x,
        y,
        width,
        height,
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
            ignored: Vec::new(),
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
