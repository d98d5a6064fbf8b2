//! Pictures in memory, ready to be cut up for training: grey, each also at half, a quarter … of its size.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emotion_models::preprocess::{GreyImage, GreyRows, Region};
use rayon::prelude::*;

use super::annotations::{Annotation, Labels, Split, load};
use crate::picture::Picture;
use crate::progress::reading;

/// Halvings stop when a side would fall below this.
const SMALLEST: usize = 16;

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
}

/// A picture and its faces.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The picture, then the same halved again and again.
    pub levels: Vec<Grey>,
    /// The faces in pixels of the picture.
    pub faces: Vec<Region>,
    /// Places where nobody can tell.
    pub ignored: Vec<Region>,
    /// Who drew the boxes.
    pub labels: Labels,
}

impl Scene {
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
        let mut levels = vec![Grey {
            width,
            height,
            pixels,
        }];
        while let Some(last) = levels.last()
            && last.width.min(last.height) >= 2 * SMALLEST
        {
            levels.push(last.halved());
        }
        Self {
            levels,
            faces: annotation.boxes.clone(),
            ignored: annotation.ignored.clone(),
            labels: annotation.labels,
        }
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
pub fn read(folder: &Path, split: Split) -> Result<Vec<Scene>> {
    let wanted = |annotation: &Annotation| annotation.split.is_none_or(|found| found == split);
    let annotations: Vec<_> = load(folder)?.into_iter().filter(wanted).collect();
    let name = match split {
        Split::Train => "train",
        Split::Val => "val",
    };
    ensure!(
        !annotations.is_empty(),
        "{}: expected pictures of the split {name}, found none",
        folder.display()
    );
    let progress = reading("pictures", annotations.len());
    annotations
        .par_iter()
        .map(Scene::load)
        .inspect(|_| progress.inc(1))
        .collect()
}
