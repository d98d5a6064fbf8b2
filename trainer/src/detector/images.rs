//! Pictures in memory, ready to be cut up for training: grey, each also at half, a quarter … of its size.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emotion_models::preprocess::{GreyImage, GreyRows, Region};
use image::GrayImage;
use image::imageops::{FilterType, resize};
use rayon::prelude::*;

use super::annotations::{Annotation, ImageSplit, LabelSource, load};
use crate::data::picture::Picture;
use crate::run::params::fnv1a;
use crate::run::progress::reading;

/// Halvings stop when a side would fall below this.
const SMALLEST: usize = 16;

/// Longer sides of pictures to learn from, in pixels: larger ones are reduced, lest they fill the memory.
const LONGEST: usize = 1024;
/// Likewise of pictures to validate on, which the network looks at as a whole.
const LONGEST_TO_VALIDATE: usize = 640;

/// A grey picture in memory, rows without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width` × `height` values.
    pub pixels: Vec<u8>,
}

impl Grey {
    /// Half the width and height, each pixel the mean of four; an odd row or column at the end is left out.
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height);
        for rows in self.pixels.chunks_exact(2 * self.width).take(height) {
            let (upper, lower) = rows.split_at(self.width);
            let pairs = upper
                .as_chunks::<2>()
                .0
                .iter()
                .zip(lower.as_chunks::<2>().0);
            let mean = |(a, b): (&[u8; 2], &[u8; 2])| {
                let sum: u16 = a.iter().chain(b).map(|&v| u16::from(v)).sum();
                ((sum + 2) / 4) as u8
            };
            pixels.extend(pairs.map(mean));
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// The picture, then the same halved again and again.
    fn pyramid(self) -> Vec<Self> {
        let mut levels = vec![self];
        while let Some(last) = levels.last()
            && last.width.min(last.height) >= 2 * SMALLEST
        {
            levels.push(last.halved());
        }
        levels
    }

    /// The picture at a smaller size, without aliasing.
    fn reduced(self, width: usize, height: usize) -> Self {
        let Self {
            width: from_width,
            height: from_height,
            pixels,
        } = self;
        let picture = GrayImage::from_raw(from_width as u32, from_height as u32, pixels)
            .expect("as many pixels as width and height say");
        let reduced = resize(&picture, width as u32, height as u32, FilterType::Triangle);
        Self {
            width,
            height,
            pixels: reduced.into_raw(),
        }
    }
}

/// A picture and its faces.
#[derive(Debug, Clone)]
pub struct TrainingImage {
    /// The picture, then the same halved again and again.
    pub levels: Vec<Grey>,
    /// The faces in pixels of the picture.
    pub faces: Vec<Region>,
    /// Places where nobody can tell.
    pub ignored: Vec<Region>,
    /// Who drew the boxes.
    pub labels: LabelSource,
}

impl TrainingImage {
    /// The picture and boxes of an annotation.
    ///
    /// # Errors
    ///
    /// When the picture cannot be read, or a face lies outside it.
    pub fn load(annotation: &Annotation) -> Result<Self> {
        let shown = annotation.image.display();
        let picture = Picture::load(&annotation.image).with_context(|| format!("{shown}"))?;
        let scene = Self::new(
            &picture.view().with_context(|| format!("{shown}"))?,
            annotation,
        );
        let [width, height] = [scene.width(), scene.height()].map(|side| side as f32);
        for face in &scene.faces {
            let [x, y] = [face.x + face.width / 2.0, face.y + face.height / 2.0];
            ensure!(
                (0.0..=width).contains(&x) && (0.0..=height).contains(&y),
                "{shown}: the face at {x}, {y} lies outside the picture of {width}×{height} pixels: \
                 its annotation belongs to another picture, or to one before it was scaled"
            );
        }
        Ok(scene)
    }

    /// The same of a picture in memory.
    pub fn new(picture: &GreyImage<'_>, annotation: &Annotation) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let pixels = (0..height)
            .flat_map(|y| picture.row(y).iter().copied())
            .collect();
        let picture = Grey {
            width,
            height,
            pixels,
        };
        Self {
            levels: picture.pyramid(),
            faces: annotation.boxes.clone(),
            ignored: annotation.ignored.clone(),
            labels: annotation.labels,
        }
    }

    /// The same scene, reduced if the picture's longer side exceeds `longest` pixels.
    pub fn at_most(mut self, longest: usize) -> Self {
        let size = [self.width(), self.height()];
        let longer = size[0].max(size[1]);
        if longer <= longest {
            return self;
        }
        let [width, height] = size.map(|side| (side * longest / longer).max(1));
        let picture = self.levels.swap_remove(0).reduced(width, height);
        let scale = [
            width as f32 / size[0] as f32,
            height as f32 / size[1] as f32,
        ];
        let moved = |regions: Vec<Region>| -> Vec<Region> {
            let moved = |region: Region| Region {
                x: region.x * scale[0],
                y: region.y * scale[1],
                width: region.width * scale[0],
                height: region.height * scale[1],
            };
            regions.into_iter().map(moved).collect()
        };
        Self {
            levels: picture.pyramid(),
            faces: moved(self.faces),
            ignored: moved(self.ignored),
            labels: self.labels,
        }
    }

    /// A hash of the picture and what is known about it.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut bytes = self.pixels_hash().to_le_bytes().to_vec();
        bytes.extend(
            [self.width() as u32, self.height() as u32]
                .map(u32::to_le_bytes)
                .as_flattened(),
        );
        bytes.push(self.labels as u8);
        for regions in [&self.faces, &self.ignored] {
            bytes.extend((regions.len() as u32).to_le_bytes());
            for region in regions {
                let sides = [region.x, region.y, region.width, region.height];
                bytes.extend(sides.map(f32::to_le_bytes).as_flattened());
            }
        }
        fnv1a(&bytes)
    }

    fn pixels_hash(&self) -> u64 {
        fnv1a(&self.levels[0].pixels)
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.levels[0].width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.levels[0].height
    }
}

/// The pictures of a folder that are for this; pictures that do not say what they are for are for both.
///
/// # Errors
///
/// When an annotation is broken, a picture cannot be read, or there is none.
pub fn read(folder: &Path, split: ImageSplit) -> Result<Vec<TrainingImage>> {
    let wanted = |annotation: &Annotation| annotation.split.is_none_or(|found| found == split);
    let annotations: Vec<_> = load(folder)?.into_iter().filter(wanted).collect();
    ensure!(!annotations.is_empty(), none(folder, split));
    read_all(&annotations, usize::MAX)
}

/// The pictures of a folder to learn from, and those to validate on. Of pictures that do not say what they are for, one
/// in ten is validated on; which ones hangs on their pixels alone, so copies of a picture stay together.
///
/// # Errors
///
/// As [`read`], for either kind.
pub fn read_for_training(folder: &Path) -> Result<(Vec<TrainingImage>, Vec<TrainingImage>)> {
    let annotations = load(folder)?;
    let scenes = read_all(&annotations, LONGEST)?;
    let (mut training, mut validation) = (Vec::new(), Vec::new());
    for (annotation, scene) in annotations.iter().zip(scenes) {
        let by_pixels = || match scene.pixels_hash() % 10 {
            0 => ImageSplit::Val,
            _ => ImageSplit::Train,
        };
        match annotation.split.unwrap_or_else(by_pixels) {
            ImageSplit::Train => training.push(scene),
            ImageSplit::Val => validation.push(scene.at_most(LONGEST_TO_VALIDATE)),
        }
    }
    ensure!(!training.is_empty(), none(folder, ImageSplit::Train));
    ensure!(!validation.is_empty(), none(folder, ImageSplit::Val));
    Ok((training, validation))
}

fn none(folder: &Path, split: ImageSplit) -> String {
    let (name, purpose) = match split {
        ImageSplit::Train => ("train", "to learn from"),
        ImageSplit::Val => ("val", "to validate on"),
    };
    format!(
        "{}: expected pictures {purpose}, found none: give some of them the split {name}",
        folder.display()
    )
}

fn read_all(annotations: &[Annotation], longest: usize) -> Result<Vec<TrainingImage>> {
    let progress = reading("pictures", annotations.len());
    annotations
        .par_iter()
        .map(|annotation| Ok(TrainingImage::load(annotation)?.at_most(longest)))
        .inspect(|_| progress.inc(1))
        .collect()
}

#[cfg(test)]
mod tests;
