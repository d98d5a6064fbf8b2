//! Grey images in memory with their faces and an image pyramid.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emotion_models::image_file;
use emotion_models::preprocess::{Landmarks, Region};
use image::GrayImage;
use image::imageops::{FilterType, resize};
use rayon::prelude::*;

use super::annotations::{Annotation, ImageSplit, LabelSource, add_hard_negatives, load};
use super::made;
use crate::hash::fnv1a;
use crate::progress_bar::reading;

/// Least side of a level of the pyramid, in pixels.
const LEAST_SIDE: u32 = 16;
/// Longer side of training images in pixels: larger ones are reduced to save memory.
const LONGEST: usize = 1024;
/// Longer side of validation images, which the network sees as a whole.
const LONGEST_FOR_VALIDATION: usize = 640;

/// Half the width and height, each pixel the mean of four; an odd last row or column is dropped.
fn halved(image: &GrayImage) -> GrayImage {
    let width = image.width() as usize;
    let (half_width, half_height) = (image.width() / 2, image.height() / 2);
    let mut pixels = Vec::with_capacity((half_width * half_height) as usize);
    for rows in image.chunks_exact(2 * width).take(half_height as usize) {
        let (upper, lower) = rows.split_at(width);
        let pairs = upper.as_chunks::<2>().0.iter();
        let mean = |(a, b): (&[u8; 2], &[u8; 2])| {
            let sum: u16 = a.iter().chain(b).map(|&v| u16::from(v)).sum();
            ((sum + 2) / 4) as u8
        };
        pixels.extend(pairs.zip(lower.as_chunks::<2>().0).map(mean));
    }
    GrayImage::from_raw(half_width, half_height, pixels).expect("one value for each pixel")
}

/// The image, then at half, a quarter … of its size.
fn pyramid(image: GrayImage) -> Vec<GrayImage> {
    let mut levels = vec![image];
    while let Some(last) = levels.last()
        && last.width().min(last.height()) >= 2 * LEAST_SIDE
    {
        levels.push(halved(last));
    }
    levels
}

/// An image and its faces.
#[derive(Debug, Clone)]
pub struct TrainingImage {
    /// The image, then at half, a quarter … of its size.
    pub levels: Vec<GrayImage>,
    /// The faces in pixels of the image.
    pub faces: Vec<Region>,
    /// The landmarks of each face, where they are known; empty if they are known of none.
    pub landmarks: Vec<Option<Landmarks>>,
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
    /// Regions without a face that a network has taken for one.
    pub hard_negatives: Vec<Region>,
    /// Who drew the boxes.
    pub labels: LabelSource,
}

impl TrainingImage {
    /// Loads the image of an annotation.
    ///
    /// # Errors
    ///
    /// When the image cannot be read, or a face lies outside it.
    pub fn load(annotation: &Annotation) -> Result<Self> {
        let shown = annotation.image.display();
        let image = image_file::load(&annotation.image).with_context(|| format!("{shown}"))?;
        let (width, height) = image.dimensions();
        ensure!(width > 0 && height > 0, "{shown} has no pixels");
        for face in &annotation.boxes {
            let [x, y] = [face.x + face.width / 2.0, face.y + face.height / 2.0];
            ensure!(
                (0.0..=width as f32).contains(&x) && (0.0..=height as f32).contains(&y),
                "{shown}: the face at {x}, {y} lies outside the picture of {width}×{height} pixels: \
                 its annotation belongs to another picture, or to one before it was scaled"
            );
        }
        Ok(Self::new(image, annotation))
    }

    /// Combines an image in memory with its annotation.
    pub fn new(image: GrayImage, annotation: &Annotation) -> Self {
        Self {
            levels: pyramid(image),
            faces: annotation.boxes.clone(),
            landmarks: annotation.landmarks.clone(),
            ignored: annotation.ignored.clone(),
            hard_negatives: annotation.hard_negatives.clone(),
            labels: annotation.labels,
        }
    }

    /// Reduces the image if its longer side exceeds `longest` pixels.
    #[must_use]
    pub fn at_most(mut self, longest: usize) -> Self {
        let size = [self.width(), self.height()];
        let longer = size[0].max(size[1]);
        if longer <= longest {
            return self;
        }
        let [width, height] = size.map(|side| (side * longest / longer).max(1));
        let image = self.levels.swap_remove(0);
        let image = resize(&image, width as u32, height as u32, FilterType::Triangle);
        let scale = [
            width as f32 / size[0] as f32,
            height as f32 / size[1] as f32,
        ];
        let scaled = |regions: Vec<Region>| -> Vec<Region> {
            let scaled = |region: Region| Region {
                x: region.x * scale[0],
                y: region.y * scale[1],
                width: region.width * scale[0],
                height: region.height * scale[1],
            };
            regions.into_iter().map(scaled).collect()
        };
        let landmarks = self.landmarks.into_iter();
        let moved = landmarks
            .map(|known| known.map(|points| points.map(|[x, y]| [x * scale[0], y * scale[1]])));
        Self {
            levels: pyramid(image),
            faces: scaled(self.faces),
            landmarks: moved.collect(),
            ignored: scaled(self.ignored),
            hard_negatives: scaled(self.hard_negatives),
            labels: self.labels,
        }
    }

    /// A hash of the image and its annotation.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut bytes = self.pixels_hash().to_le_bytes().to_vec();
        let size = [self.width() as u32, self.height() as u32];
        bytes.extend(size.map(u32::to_le_bytes).as_flattened());
        bytes.push(self.labels as u8);
        for landmarks in self.landmarks.iter().flatten() {
            bytes.extend(
                landmarks
                    .0
                    .as_flattened()
                    .iter()
                    .flat_map(|at| at.to_le_bytes()),
            );
        }
        for regions in [&self.faces, &self.ignored, &self.hard_negatives] {
            bytes.extend((regions.len() as u32).to_le_bytes());
            for region in regions {
                let sides = [region.x, region.y, region.width, region.height];
                bytes.extend(sides.map(f32::to_le_bytes).as_flattened());
            }
        }
        fnv1a(&bytes)
    }

    fn pixels_hash(&self) -> u64 {
        fnv1a(&self.levels[0])
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.levels[0].width() as usize
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.levels[0].height() as usize
    }
}

/// The images of a run.
#[derive(Debug, Clone)]
pub struct TrainingImages {
    /// All of them.
    pub images: Vec<TrainingImage>,
    /// The indices of those with hard negatives.
    pub with_hard_negatives: Vec<usize>,
    /// Faces that are large enough for close-ups, each with the index of its image.
    pub large_faces: Vec<(usize, Region)>,
}

impl TrainingImages {
    /// Finds the hard negatives and the large faces.
    pub fn new(images: Vec<TrainingImage>) -> Self {
        let has_some = |&index: &usize| !images[index].hard_negatives.is_empty();
        let faces = images
            .iter()
            .enumerate()
            .flat_map(|(index, image)| image.faces.iter().map(move |&face| (index, face)));
        Self {
            with_hard_negatives: (0..images.len()).filter(has_some).collect(),
            large_faces: faces.filter(|(_, face)| made::is_large(face)).collect(),
            images,
        }
    }
}

/// What a run learns from besides the boxes of a folder, and what it leaves out.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrainingSelection<'a> {
    /// A file with hard negatives.
    pub hard_negatives: Option<&'a Path>,
    /// The source of which no image is for training.
    pub left_out: Option<&'a str>,
}

/// Loads the images of a folder for training, and those for validation. Of images without a split, one in ten is for
/// validation. A hash of its pixels decides, so copies of an image have the same split.
///
/// # Errors
///
/// When an annotation is broken, an image cannot be read, or a split has no images.
pub fn load_for_training(
    folder: &Path,
    selection: &TrainingSelection<'_>,
) -> Result<(Vec<TrainingImage>, Vec<TrainingImage>)> {
    let mut annotations = load(folder)?;
    if let Some(file) = selection.hard_negatives {
        add_hard_negatives(&mut annotations, folder, file)?;
    }
    if let Some(left_out) = selection.left_out {
        let from_source = |annotation: &Annotation| annotation.source.as_deref() == Some(left_out);
        ensure!(
            annotations.iter().any(from_source),
            "{}: expected pictures of the source {left_out}, found none",
            folder.display()
        );
        annotations.retain(|annotation| {
            annotation.split == Some(ImageSplit::Val) || !from_source(annotation)
        });
    }
    let progress = reading("pictures", annotations.len());
    let images: Vec<TrainingImage> = annotations
        .par_iter()
        .map(|annotation| Ok(TrainingImage::load(annotation)?.at_most(LONGEST)))
        .inspect(|_| progress.inc(1))
        .collect::<Result<_>>()?;
    let (mut training, mut validation) = (Vec::new(), Vec::new());
    for (annotation, image) in annotations.iter().zip(images) {
        let by_pixels = || match image.pixels_hash() % 10 {
            0 => ImageSplit::Val,
            _ => ImageSplit::Train,
        };
        match annotation.split.unwrap_or_else(by_pixels) {
            ImageSplit::Train => training.push(image),
            ImageSplit::Val => validation.push(image.at_most(LONGEST_FOR_VALIDATION)),
        }
    }
    for (images, purpose, split) in [
        (&training, "to learn from", ImageSplit::Train),
        (&validation, "to validate on", ImageSplit::Val),
    ] {
        ensure!(
            !images.is_empty(),
            "{}: expected pictures {purpose}, found none: give some of them the split {split}",
            folder.display()
        );
    }
    Ok((training, validation))
}

#[cfg(test)]
mod tests;
