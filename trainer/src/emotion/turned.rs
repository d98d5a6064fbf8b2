//! The output that tells faces turned in the plane of the picture, learnt on a network that stays as it is.
//!
//! It is linear in the averages that the network ends with, so it is a logistic regression on those of faces that are turned
//! by any angle.

mod head;

pub use head::TurnedHead;

use anyhow::{Context, Result, anyhow, bail, ensure};
use emotion_models::image_file;
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::preprocess::{DEFAULT_MARGIN, GreyImage, Landmarks, Preprocessor, Region};
use emotion_models::{Instructions, Weights};
use image::GrayImage;
use rand::RngExt;
use rayon::prelude::*;

use super::recipe::Recipe;
use crate::data::augment::{Augmentation, Augmenter, Margins, Movement, Warp};
use crate::data::{FACE_SIZE, crop};
use crate::detector::annotations::{Annotation, ImageSplit};
use crate::random::{Purpose, generator, symmetric};

/// Least side of a box in pixels: of smaller faces not even people see how they are turned.
const LEAST_SIDE: f32 = 22.0;
/// Side of the picture in which a face is turned, as a multiple of the crop's: its corners stay in the picture.
const SURROUNDINGS: f32 = 1.5;
/// Angles of upright faces, in degrees to either side, and the least angle of turned ones. Between them a face is neither.
const UPRIGHT: f32 = 35.0;
const TURNED: f32 = 75.0;
/// Share of turned faces.
const SHARE: f32 = 0.2;
/// The node whose output the heads read.
const FEATURES: &str = "average";

/// Turned and upright faces, each as the averages in front of the heads.
#[derive(Debug, Default)]
pub struct TurnedFaces {
    /// `[N, C]`.
    features: Vec<f32>,
    /// Whether each is turned.
    is_turned: Vec<bool>,
}

/// How well an output tells turned faces from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnedMetrics {
    /// Number of faces.
    pub faces: usize,
    /// Mean probability that a turned face is turned.
    pub of_turned: f64,
    /// Mean probability that an upright face is turned.
    pub of_upright: f64,
}

/// What turned faces are made of.
#[derive(Debug, Clone, Copy)]
pub struct TurnedFacesPlan {
    /// Pictures of this split, and those without one.
    pub split: ImageSplit,
    /// Seed of angles and changes.
    pub seed: u64,
    /// Times that each face is turned.
    pub views: usize,
}

impl TurnedFaces {
    /// Turns each face in the annotated pictures a few times and gives it to the network of `weights`.
    ///
    /// # Errors
    ///
    /// When the heads of the network do not read averages, there are no faces, or a picture cannot be read.
    pub fn new(
        weights: &Weights,
        annotations: &[Annotation],
        plan: TurnedFacesPlan,
    ) -> Result<Self> {
        let executor = InferenceExecutor::from_network(
            &weights.folded()?,
            Instructions::best(),
            Precision::F32,
        );
        let input_size = weights.metadata().input_size;
        let chosen = annotations
            .par_iter()
            .enumerate()
            .filter(|(_, annotation)| annotation.split.is_none_or(|split| split == plan.split));
        let parts: Vec<Self> = chosen
            .map_init(
                || FaceTurner::new(executor.clone(), input_size, plan),
                |turner, (index, annotation)| {
                    let shown = || annotation.image.display().to_string();
                    turner.run(index, annotation).with_context(shown)
                },
            )
            .collect::<Result<_>>()?;
        let mut all = Self::default();
        for part in parts {
            all.features.extend(part.features);
            all.is_turned.extend(part.is_turned);
        }
        ensure!(
            all.is_turned.contains(&true) && all.is_turned.contains(&false),
            "expected pictures of the split {} with faces of at least {LEAST_SIDE} pixels, found {} faces",
            plan.split,
            all.is_turned.len()
        );
        Ok(all)
    }

    /// Number of faces.
    pub fn len(&self) -> usize {
        self.is_turned.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.is_turned.is_empty()
    }

    /// The output that fits these faces best.
    ///
    /// # Errors
    ///
    /// When the computation fails.
    pub fn fit(&self) -> Result<TurnedHead> {
        TurnedHead::fit(&self.features, &self.is_turned)
    }

    /// The answers of an output.
    pub fn evaluate(&self, head: &TurnedHead) -> TurnedMetrics {
        let rows = self.features.chunks_exact(self.features.len() / self.len());
        let mean = |turned: bool| {
            let rows = rows.clone().zip(&self.is_turned);
            let of_kind = rows.filter(|&(_, &is_turned)| is_turned == turned);
            let probabilities: Vec<f64> = of_kind.map(|(row, _)| head.probability(row)).collect();
            probabilities.iter().sum::<f64>() / probabilities.len() as f64
        };
        TurnedMetrics {
            faces: self.len(),
            of_turned: mean(true),
            of_upright: mean(false),
        }
    }
}

/// Turns faces and computes their averages; it reuses its buffers.
struct FaceTurner {
    executor: InferenceExecutor,
    plan: TurnedFacesPlan,
    around: Preprocessor,
    margins: Margins,
    augmenter: Augmenter,
    preprocessor: Preprocessor,
}

impl FaceTurner {
    fn new(executor: InferenceExecutor, input_size: usize, plan: TurnedFacesPlan) -> Self {
        let augmentation = Augmentation {
            // The angle is drawn here, and what cannot be seen is uncertain anyway.
            rotation_degrees: 0.0,
            blur: 0.05,
            reduce: 0.1,
            ..Recipe::Robust.settings().augmentation
        };
        Self {
            executor,
            plan,
            around: Preprocessor::new((SURROUNDINGS * FACE_SIZE as f32) as usize),
            margins: Margins::default(),
            augmenter: Augmenter::new(augmentation, FACE_SIZE),
            preprocessor: Preprocessor::new(input_size),
        }
    }

    /// The faces of a picture, turned.
    fn run(&mut self, index: usize, annotation: &Annotation) -> Result<TurnedFaces> {
        let mut faces = TurnedFaces::default();
        let large = |(_, region): &(usize, &Region)| region.width.min(region.height) >= LEAST_SIDE;
        let regions: Vec<_> = annotation.boxes.iter().enumerate().filter(large).collect();
        if regions.is_empty() {
            return Ok(faces);
        }
        // The message contains the cause already.
        let image: GrayImage =
            image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
        let TurnedFacesPlan { seed, views, .. } = self.plan;
        for (face, region) in regions {
            let landmarks = annotation.landmarks.get(face).copied().flatten();
            let roll = landmarks.as_ref().map_or(0.0, Landmarks::roll_degrees);
            let Region {
                x,
                y,
                width,
                height,
            } = *region;
            let margin = (SURROUNDINGS * (1.0 + 2.0 * DEFAULT_MARGIN) - 1.0) / 2.0;
            let around = Region::face(x, y, width, height, margin);
            let pixels = crop(&image_file::view(&image)?, around, &mut self.around)?;
            for view in 0..views {
                let stream = ((index as u64) << 32) | ((face as u64) << 16) | view as u64;
                let draw = |purpose| generator(seed, purpose, stream);
                let (angle, is_turned) = angle(&mut draw(Purpose::Movement));
                // What the warp turns back appears turned.
                let turned = self.turned(&pixels, roll - angle);
                let turned = self.augmenter.run(&turned, draw);
                let image = GreyImage::new(turned.pixels, turned.size, turned.size, turned.size)
                    .context("a face has size² pixels")?;
                let mut values = vec![0.0; self.preprocessor.size().pow(2)];
                self.preprocessor
                    .run(&image, Region::whole(&image), &mut values)?;
                faces
                    .features
                    .extend(features(&mut self.executor, &values)?);
                faces.is_turned.push(is_turned);
            }
        }
        Ok(faces)
    }

    /// The middle of a face's surroundings, turned by an angle in degrees.
    fn turned(&mut self, pixels: &[u8], angle_degrees: f32) -> Vec<u8> {
        let side = self.around.size();
        let movement = Movement {
            angle_degrees,
            ..Movement::NONE
        };
        let mut turned = vec![0; pixels.len()];
        Warp::new(movement, side).apply(pixels, side, &mut self.margins, &mut turned);
        let border = (side - FACE_SIZE) / 2;
        let rows = turned.chunks_exact(side).skip(border).take(FACE_SIZE);
        rows.flat_map(|row| &row[border..][..FACE_SIZE])
            .copied()
            .collect()
    }
}

/// Draws an angle in degrees, and whether a face with this roll is turned.
fn angle(generator: &mut impl RngExt) -> (f32, bool) {
    let is_turned = generator.random::<f32>() < SHARE;
    let angle = if is_turned {
        180.0 + symmetric(180.0 - TURNED, generator)
    } else {
        symmetric(UPRIGHT, generator)
    };
    (angle, is_turned)
}

/// The averages in front of the heads for a preprocessed face.
fn features(executor: &mut InferenceExecutor, face: &[f32]) -> Result<Vec<f32>> {
    let mut features = Vec::new();
    executor.observe(face, |name, _, values| {
        if name == FEATURES {
            features = values.to_vec();
        }
    })?;
    if features.is_empty() {
        bail!(
            "expected a residual_xception network, whose outputs are linear in averages, found another one"
        );
    }
    Ok(features)
}

#[cfg(test)]
mod tests;
