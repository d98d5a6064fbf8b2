//! Training samples of the detector: squares cropped from images at any scale, rotated, mirrored and combined.
//!
//! A face is drawn first, then its size in the sample, so that faces of all sizes are equally frequent. Some samples are
//! mosaics of several crops, which makes small faces and borders frequent.

use std::f32::consts::PI;

use emotion_models::preprocess::{Landmarks, Region};
use image::GrayImage;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::annotations::{LabelSource, clip};
use super::images::{TrainingImage, TrainingImages};
use super::photometric::{PhotometricAugmentation, happens};
use super::transform::SampleTransform;

/// How samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Width and height of a sample in pixels.
    pub size: usize,
    /// Range of the longer sides of faces in a sample, in pixels; sizes are log-uniform.
    pub faces: (f32, f32),
    /// Probability of a sample of close-ups: images on grey that a face, or a hard negative, fills or overfills.
    #[serde(default)]
    pub close_ups: f32,
    /// Largest enlargement of an image.
    pub enlargement: f32,
    /// Probability that a crop shows a hard negative, of images that have some.
    #[serde(default)]
    pub hard_negatives: f32,
    /// Probability of a mosaic, and its largest number of columns and rows.
    pub mosaic: (f32, usize),
    /// Probability that a crop is moved into the image as far as possible.
    pub covered: f32,
    /// Probability of a rotation, and the largest one in degrees.
    pub rotation: (f32, f32),
    /// Largest change of the aspect ratio.
    pub aspect: f32,
    /// Changes of exposure, noise and the like.
    pub light: PhotometricAugmentation,
}

impl Sampling {
    /// The settings of the built-in weights.
    pub const DEFAULT: Self = Self {
        size: 256,
        faces: (8.0, 220.0),
        close_ups: 0.0,
        hard_negatives: 0.0,
        enlargement: 2.5,
        mosaic: (0.5, 4),
        covered: 0.85,
        rotation: (0.4, 20.0),
        aspect: 0.12,
        light: PhotometricAugmentation::DEFAULT,
    };
}

/// Longer side of a face in its crop at most, as a share of the crop's shorter side.
const FILL: f32 = 0.9;
/// The range of the same share in a close-up. The detector reduces a frame until it sees such a face as a whole, so grey is
/// all that surrounds it.
const CLOSE_UP_FILL: (f32, f32) = (0.5, 1.35);
/// Distance of the face in a close-up from the crop's middle at most, as a share of the crop's shorter side.
const CLOSE_UP_OFFSET: f32 = 0.15;
/// Range of the grey around a close-up, as a share of the cell of the mosaic that holds it.
const CLOSE_UP_BORDER: (f32, f32) = (0.04, 0.16);
/// Faces with a smaller longer side are ignored, neither face nor background.
const TOO_SMALL: f32 = 6.0;
/// So are faces with a smaller visible share.
const TOO_LITTLE: f32 = 0.4;
/// Grey level where there is no image.
const OUTSIDE: u8 = 114;

/// A face in a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleFace {
    /// Its box in pixels of the sample.
    pub region: Region,
    /// Its landmarks in pixels of the sample, if they are known.
    pub landmarks: Option<Landmarks>,
    /// Who drew its box.
    pub labels: LabelSource,
}

/// A training sample.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Width and height in pixels.
    pub size: usize,
    /// `size`² grey values.
    pub pixels: Vec<u8>,
    /// The faces.
    pub faces: Vec<SampleFace>,
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
    /// Regions whose background was labelled by another detector.
    pub doubtful: Vec<Region>,
}

/// A tile of the sample, in pixels; the ends are exclusive.
#[derive(Debug, Clone, Copy)]
struct Tile {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Tile {
    fn width(&self) -> f32 {
        (self.right - self.left) as f32
    }

    fn height(&self) -> f32 {
        (self.bottom - self.top) as f32
    }

    fn region(&self) -> Region {
        Region {
            x: self.left as f32,
            y: self.top as f32,
            width: self.width(),
            height: self.height(),
        }
    }
}

impl Sampling {
    /// Draws a sample from the images.
    pub fn draw(&self, set: &TrainingImages, generator: &mut impl Rng) -> Sample {
        let mut sample = Sample {
            size: self.size,
            pixels: vec![OUTSIDE; self.size * self.size],
            faces: Vec::new(),
            ignored: Vec::new(),
            doubtful: Vec::new(),
        };
        let has_close_ups = happens(self.close_ups, generator) && !set.large_faces.is_empty();
        let tiles = if has_close_ups {
            self.bordered_tiles(generator)
        } else {
            self.tiles(generator)
        };
        for tile in tiles {
            let (index, shown) =
                if happens(self.hard_negatives, generator) && !set.with_hard_negatives.is_empty() {
                    let &index = one_of(&set.with_hard_negatives, generator);
                    (index, any_of(&set.images[index].hard_negatives, generator))
                } else if has_close_ups {
                    let &(index, face) = one_of(&set.large_faces, generator);
                    (index, Some(face))
                } else {
                    let index = generator.random_range(0..set.images.len());
                    (index, any_of(&set.images[index].faces, generator))
                };
            let image = &set.images[index];
            let transform = self.transform(image, shown, has_close_ups, tile, generator);
            sample.paint(image, &transform, tile);
            sample.label(image, &transform, tile);
        }
        self.light.apply(&mut sample.pixels, self.size, generator);
        sample
    }

    /// The whole sample, or the tiles of a mosaic.
    fn tiles(&self, generator: &mut impl Rng) -> Vec<Tile> {
        let (probability, most) = self.mosaic;
        let count = if generator.random::<f32>() < probability {
            generator.random_range(2..=most)
        } else {
            1
        };
        let mut cuts = || -> Vec<usize> {
            let cell = self.size as f32 / count as f32;
            let cut = |index: usize| match index {
                0 => 0,
                _ if index == count => self.size,
                _ => (cell * (index as f32 + 0.4 * generator.random::<f32>() - 0.2)) as usize,
            };
            (0..=count).map(cut).collect()
        };
        let (columns, rows) = (cuts(), cuts());
        rows.windows(2)
            .flat_map(|rows| {
                columns.windows(2).map(|columns| Tile {
                    left: columns[0],
                    top: rows[0],
                    right: columns[1],
                    bottom: rows[1],
                })
            })
            .collect()
    }

    /// One tile, or four, each with grey around it.
    fn bordered_tiles(&self, generator: &mut impl Rng) -> Vec<Tile> {
        let count = if generator.random() { 1 } else { 2 };
        let cell = self.size / count;
        let (least, most) = CLOSE_UP_BORDER;
        let mut border = || (cell as f32 * generator.random_range(least..most)) as usize;
        (0..count * count)
            .map(|index| {
                let (left, top) = (index % count * cell, index / count * cell);
                Tile {
                    left: left + border(),
                    top: top + border(),
                    right: left + cell - border(),
                    bottom: top + cell - border(),
                }
            })
            .collect()
    }

    /// Draws the crop of the image that fills the tile and shows this region.
    fn transform(
        &self,
        image: &TrainingImage,
        shown: Option<Region>,
        is_close_up: bool,
        tile: Tile,
        generator: &mut impl Rng,
    ) -> SampleTransform {
        let side = tile.width().min(tile.height());
        let [width, height] = [image.width() as f32, image.height() as f32];
        let within = |from: f32, to: f32, share: f32| from + (to - from) * share;
        let (from, scale) = match shown {
            Some(face) => {
                let (smallest, largest) = if is_close_up {
                    (CLOSE_UP_FILL.0 * side, CLOSE_UP_FILL.1 * side)
                } else {
                    (self.faces.0, self.faces.1.min(FILL * side))
                };
                let largest = largest.max(smallest);
                let wanted = smallest * (largest / smallest).powf(generator.random());
                let centre = [face.x + face.width / 2.0, face.y + face.height / 2.0];
                (centre, wanted / face.width.max(face.height))
            }
            None => {
                let scale = 0.5 * 6f32.powf(generator.random()) * side / width.max(height);
                let [x, y] = [width, height].map(|side| side * generator.random::<f32>());
                ([x, y], scale)
            }
        };
        // Large enough to nearly fill the tile, but not blurred by enlargement.
        let fitting = (tile.width() / width).min(tile.height() / height);
        let scale = scale
            .max(0.8 * fitting)
            .min(self.enlargement.max(0.8 * fitting));
        let apart = 1.0 + self.aspect * (2.0 * generator.random::<f32>() - 1.0);
        let scale = [scale * apart, scale / apart];
        let (probability, degrees) = self.rotation;
        let angle = if generator.random::<f32>() < probability {
            degrees * (2.0 * generator.random::<f32>() - 1.0) * PI / 180.0
        } else {
            0.0
        };
        let mirrored: bool = generator.random();
        let before = [if mirrored { width - from[0] } else { from[0] }, from[1]];
        let after = [width - before[0], height - before[1]];
        let starts = [tile.left as f32, tile.top as f32];
        let ends = [tile.right as f32, tile.bottom as f32];
        let to = std::array::from_fn(|axis| {
            let (start, end) = (starts[axis], ends[axis]);
            let to = if is_close_up {
                let room = CLOSE_UP_OFFSET * side;
                f32::midpoint(start, end) + within(-room, room, generator.random())
            } else {
                within(start, end, generator.random())
            };
            // The positions at which a border of the image meets that of the tile.
            let bounds = [
                end - after[axis] * scale[axis],
                start + before[axis] * scale[axis],
            ];
            let [low, high] = [bounds[0].min(bounds[1]), bounds[0].max(bounds[1])];
            if generator.random::<f32>() < self.covered {
                to.clamp(low, high)
            } else {
                to
            }
        });
        let [along, down] = scale;
        SampleTransform {
            from,
            to,
            scale: [if mirrored { -along } else { along }, down],
            rotation: [angle.cos(), angle.sin()],
        }
    }
}

impl Sample {
    /// Draws the part of the image in the tile.
    fn paint(&mut self, image: &TrainingImage, transform: &SampleTransform, tile: Tile) {
        let reduction = 1.0 / transform.scale[1].min(transform.scale[0].abs());
        let level = (reduction.max(1.0).log2() + 0.25) as usize;
        let level = level.min(image.levels.len() - 1);
        let level_image = &image.levels[level];
        let shrink = 1.0 / (1 << level) as f32;
        let (level_width, level_height) = level_image.dimensions();
        let [width, height] = [level_width as f32, level_height as f32];
        for y in tile.top..tile.bottom {
            let row = &mut self.pixels[y * self.size + tile.left..y * self.size + tile.right];
            for (x, pixel) in row.iter_mut().enumerate() {
                let at = [(tile.left + x) as f32 + 0.5, y as f32 + 0.5];
                let [x, y] = transform.back(at).map(|at| at * shrink);
                if (0.0..width).contains(&x) && (0.0..height).contains(&y) {
                    *pixel = bilinear(level_image, [x, y]);
                }
            }
        }
    }

    /// Adds the faces and other annotations of the tile.
    fn label(&mut self, image: &TrainingImage, transform: &SampleTransform, tile: Tile) {
        let within = |region: &Region| {
            let moved = transform.region(region);
            let from_tile = Region {
                x: moved.x - tile.left as f32,
                y: moved.y - tile.top as f32,
                ..moved
            };
            let left = clip(from_tile, [tile.width(), tile.height()])?;
            let share = left.width * left.height / (moved.width * moved.height);
            let region = Region {
                x: left.x + tile.left as f32,
                y: left.y + tile.top as f32,
                ..left
            };
            Some((region, share))
        };
        for (index, face) in image.faces.iter().enumerate() {
            let Some((region, share)) = within(face) else {
                continue;
            };
            if share < TOO_LITTLE || region.width.max(region.height) < TOO_SMALL {
                self.ignored.push(region);
            } else {
                let landmarks = image.landmarks.get(index).copied().flatten();
                self.faces.push(SampleFace {
                    region,
                    landmarks: landmarks.map(|landmarks| transform.landmarks(landmarks)),
                    labels: image.labels,
                });
            }
        }
        let ignored = image.ignored.iter().filter_map(within);
        self.ignored.extend(ignored.map(|(region, _)| region));
        if image.labels == LabelSource::Model {
            self.doubtful.push(tile.region());
        }
    }
}

fn one_of<'a, T>(values: &'a [T], generator: &mut impl Rng) -> &'a T {
    &values[generator.random_range(0..values.len())]
}

fn any_of(regions: &[Region], generator: &mut impl Rng) -> Option<Region> {
    (!regions.is_empty()).then(|| *one_of(regions, generator))
}

/// The value at `[x, y]`; pixel centres are at halves.
fn bilinear(image: &GrayImage, [x, y]: [f32; 2]) -> u8 {
    let width = image.width() as usize;
    let height = image.height() as usize;
    let split = |at: f32, len: usize| {
        let at = (at - 0.5).clamp(0.0, (len - 1) as f32);
        let low = at as usize;
        (low, (low + 1).min(len - 1), at - low as f32)
    };
    let (left, right, along) = split(x, width);
    let (top, bottom, down) = split(y, height);
    let at = |x: usize, y: usize| f32::from(image.as_raw()[y * width + x]);
    let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
    let upper = mix(at(left, top), at(right, top), along);
    let lower = mix(at(left, bottom), at(right, bottom), along);
    (mix(upper, lower, down) + 0.5) as u8
}

#[cfg(test)]
mod tests;
