//! What the detector learns from: squares cut out of pictures at any scale, turned, mirrored and put together.
//!
//! A face is drawn first, then the size that it is to have; that way faces of all sizes are learnt from pictures in which
//! most are of one size. Some samples are several such cuts side by side, so that small faces and borders are frequent.

use std::f32::consts::PI;

use emotion_models::preprocess::Region;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::annotations::{LabelSource, cut_off};
use super::images::TrainingImage;
use super::light::PhotometricAugmentation;
use super::mapping::SampleTransform;

/// How samples are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Width and height of a sample in pixels.
    pub size: usize,
    /// Longer sides of faces in a sample, from and to; the sizes between are equally frequent by their logarithm.
    pub faces: (f32, f32),
    /// How far a picture is enlarged at most.
    pub enlargement: f32,
    /// How frequent samples of several cuts are, and into how many columns and rows they are divided at most.
    pub mosaic: (f32, usize),
    /// How frequent cuts are that lie in the picture as far as it reaches.
    pub covered: f32,
    /// How frequent turned cuts are, and by how many degrees at most.
    pub rotation: (f32, f32),
    /// By which share width and height are scaled apart at most.
    pub aspect: f32,
    /// What happens to the light.
    pub light: PhotometricAugmentation,
}

impl Sampling {
    /// As the built-in weights were trained.
    pub const DEFAULT: Self = Self {
        size: 256,
        faces: (8.0, 220.0),
        enlargement: 2.5,
        mosaic: (0.5, 4),
        covered: 0.85,
        rotation: (0.4, 20.0),
        aspect: 0.12,
        light: PhotometricAugmentation::DEFAULT,
    };
}

/// Faces whose longer side is smaller than this in a sample are neither faces nor background.
const TOO_SMALL: f32 = 6.0;
/// Likewise faces of which less than this share is left.
const TOO_LITTLE: f32 = 0.4;
/// What is not covered by a picture.
const OUTSIDE: u8 = 114;

/// A face in a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleFace {
    /// Its box in pixels of the sample.
    pub region: Region,
    /// How far its label can be trusted.
    pub labels: LabelSource,
}

/// The network's value for a pixel, as [`emotion_models::preprocess`] has it.
pub(super) fn normalized(pixel: u8) -> f32 {
    f32::from(pixel) * (2.0 / 255.0) - 1.0
}

/// A square to learn from.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Width and height.
    pub size: usize,
    /// `size`² grey values.
    pub pixels: Vec<u8>,
    /// The faces.
    pub faces: Vec<SampleFace>,
    /// Places where nobody can tell.
    pub ignored: Vec<Region>,
    /// The parts of the sample whose background was labelled by another detector.
    pub doubtful: Vec<Region>,
}

/// A part of the sample, in pixels; the ends are exclusive.
#[derive(Debug, Clone, Copy)]
struct Part {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Part {
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
    /// A sample of these scenes.
    pub fn draw(&self, scenes: &[TrainingImage], generator: &mut impl Rng) -> Sample {
        let mut sample = Sample {
            size: self.size,
            pixels: vec![OUTSIDE; self.size * self.size],
            faces: Vec::new(),
            ignored: Vec::new(),
            doubtful: Vec::new(),
        };
        for part in self.parts(generator) {
            let scene = &scenes[generator.random_range(0..scenes.len())];
            let mapping = self.mapping(scene, part, generator);
            sample.paint(scene, &mapping, part);
            sample.label(scene, &mapping, part);
        }
        self.light.change(&mut sample, generator);
        sample
    }

    /// The whole sample, or a grid of parts.
    fn parts(&self, generator: &mut impl Rng) -> Vec<Part> {
        let (frequency, most) = self.mosaic;
        let count = if generator.random::<f32>() < frequency {
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
                columns.windows(2).map(|columns| Part {
                    left: columns[0],
                    top: rows[0],
                    right: columns[1],
                    bottom: rows[1],
                })
            })
            .collect()
    }

    /// Where the part is cut from.
    fn mapping(
        &self,
        scene: &TrainingImage,
        part: Part,
        generator: &mut impl Rng,
    ) -> SampleTransform {
        let side = part.width().min(part.height());
        let [width, height] = [scene.width() as f32, scene.height() as f32];
        let face = match scene.faces.len() {
            0 => None,
            count => Some(scene.faces[generator.random_range(0..count)]),
        };
        let within = |from: f32, to: f32, share: f32| from + (to - from) * share;
        let (from, scale) = match face {
            Some(face) => {
                let (smallest, largest) = self.faces;
                let largest = largest.min(0.9 * side).max(smallest);
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
        // Large enough to fill the part nearly, not blown up beyond what the picture holds.
        let fitting = (part.width() / width).min(part.height() / height);
        let scale = scale
            .max(0.8 * fitting)
            .min(self.enlargement.max(0.8 * fitting));
        let apart = 1.0 + self.aspect * (2.0 * generator.random::<f32>() - 1.0);
        let scale = [scale * apart, scale / apart];
        let (frequency, degrees) = self.rotation;
        let angle = if generator.random::<f32>() < frequency {
            degrees * (2.0 * generator.random::<f32>() - 1.0) * PI / 180.0
        } else {
            0.0
        };
        let mirrored: bool = generator.random();
        let before = [if mirrored { width - from[0] } else { from[0] }, from[1]];
        let after = [width - before[0], height - before[1]];
        let starts = [part.left as f32, part.top as f32];
        let ends = [part.right as f32, part.bottom as f32];
        let to = std::array::from_fn(|axis| {
            let (start, end) = (starts[axis], ends[axis]);
            let to = within(start, end, generator.random());
            // Where the borders of the picture come to lie on those of the part.
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
            turn: [angle.cos(), angle.sin()],
        }
    }
}

impl Sample {
    /// Draws what of the picture lies in the part.
    fn paint(&mut self, scene: &TrainingImage, mapping: &SampleTransform, part: Part) {
        let reduction = 1.0 / mapping.scale[1].min(mapping.scale[0].abs());
        let level = (reduction.max(1.0).log2() + 0.25) as usize;
        let level = level.min(scene.levels.len() - 1);
        let picture = &scene.levels[level];
        let shrink = 1.0 / (1 << level) as f32;
        let [width, height] = [picture.width as f32, picture.height as f32];
        for y in part.top..part.bottom {
            let row = &mut self.pixels[y * self.size + part.left..y * self.size + part.right];
            for (x, pixel) in row.iter_mut().enumerate() {
                let at = [(part.left + x) as f32 + 0.5, y as f32 + 0.5];
                let [x, y] = mapping.back(at).map(|at| at * shrink);
                if (0.0..width).contains(&x) && (0.0..height).contains(&y) {
                    *pixel = bilinear(&picture.pixels, [picture.width, picture.height], [x, y]);
                }
            }
        }
    }

    /// Notes the faces and what else is known about the part.
    fn label(&mut self, scene: &TrainingImage, mapping: &SampleTransform, part: Part) {
        let within = |region: &Region| {
            let moved = mapping.region(region);
            let from_part = Region {
                x: moved.x - part.left as f32,
                y: moved.y - part.top as f32,
                ..moved
            };
            let left = cut_off(from_part, [part.width(), part.height()])?;
            let share = left.width * left.height / (moved.width * moved.height);
            let region = Region {
                x: left.x + part.left as f32,
                y: left.y + part.top as f32,
                ..left
            };
            Some((region, share))
        };
        for (region, share) in scene.faces.iter().filter_map(within) {
            if share < TOO_LITTLE || region.width.max(region.height) < TOO_SMALL {
                self.ignored.push(region);
            } else {
                self.faces.push(SampleFace {
                    region,
                    labels: scene.labels,
                });
            }
        }
        let ignored = scene.ignored.iter().filter_map(within);
        self.ignored.extend(ignored.map(|(region, _)| region));
        if scene.labels == LabelSource::Model {
            self.doubtful.push(part.region());
        }
    }
}

/// The value at `[x, y]`, whose pixel centres lie at halves.
fn bilinear(pixels: &[u8], [width, height]: [usize; 2], [x, y]: [f32; 2]) -> u8 {
    let split = |at: f32, len: usize| {
        let at = (at - 0.5).clamp(0.0, (len - 1) as f32);
        let low = at as usize;
        (low, (low + 1).min(len - 1), at - low as f32)
    };
    let (left, right, along) = split(x, width);
    let (top, bottom, down) = split(y, height);
    let at = |x: usize, y: usize| f32::from(pixels[y * width + x]);
    let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
    let upper = mix(at(left, top), at(right, top), along);
    let lower = mix(at(left, bottom), at(right, bottom), along);
    (mix(upper, lower, down) + 0.5) as u8
}

#[cfg(test)]
mod tests;
