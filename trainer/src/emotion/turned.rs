//! The output that tells faces turned in the plane of the picture, learnt on a network that stays as it is.
//!
//! It is linear in the averages that the network ends with, so it is a logistic regression on those of faces that are turned
//! by any angle.

use anyhow::{Context, Result, anyhow, bail, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::sigmoid;
use emotion_models::image_file;
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::preprocess::{DEFAULT_MARGIN, GreyImage, Landmarks, Preprocessor, Region};
use emotion_models::weights::{Head, WeightTensor};
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
/// Steps of the regression.
const STEPS: usize = 12;
/// Half of the penalty on the squares of the weights of standardised features; it bounds them where features depend on each other.
const RIDGE: f64 = 1e-3;
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

/// A linear output: the logit of a face is the sum of its features times these, plus the bias.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnedHead {
    weights: Vec<f32>,
    bias: f32,
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

    fn channels(&self) -> usize {
        self.features.len() / self.len()
    }

    /// The answers of an output.
    pub fn evaluate(&self, head: &TurnedHead) -> TurnedMetrics {
        let rows = self.features.chunks_exact(self.channels());
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

impl TurnedHead {
    /// The output with the least cross-entropy on these faces, by Newton's method.
    ///
    /// # Errors
    ///
    /// When the computation fails.
    pub fn fit(faces: &TurnedFaces) -> Result<Self> {
        let (count, channels) = (faces.len(), faces.channels());
        let device = Device::Cpu;
        let features = Tensor::from_slice(&faces.features, (count, channels), &device)?;
        let mean = features.mean_keepdim(0)?;
        let deviation = (features.var_keepdim(0)? + 1e-6)?.sqrt()?;
        let standardised = features.broadcast_sub(&mean)?.broadcast_div(&deviation)?;
        let ones = Tensor::ones((count, 1), DType::F32, &device)?;
        let inputs = Tensor::cat(&[&standardised, &ones], 1)?;
        let targets: Vec<f32> = faces.is_turned.iter().map(|&is| f32::from(is)).collect();
        let targets = Tensor::from_vec(targets, (count, 1), &device)?;

        let mut solution = Tensor::zeros((channels + 1, 1), DType::F32, &device)?;
        for _ in 0..STEPS {
            let probabilities = sigmoid(&inputs.matmul(&solution)?)?;
            let errors = (&probabilities - &targets)?;
            let curvature = (&probabilities * (1.0 - &probabilities)?)?;
            let transposed = inputs.t()?;
            let gradient = ((transposed.matmul(&errors)? / count as f64)? + (&solution * RIDGE)?)?;
            let hessian = (transposed.matmul(&inputs.broadcast_mul(&curvature)?)? / count as f64)?;
            let step = solve(hessian.to_vec2()?, gradient.flatten_all()?.to_vec1()?);
            let step = Tensor::from_vec(step, (channels + 1, 1), &device)?;
            solution = (solution - step)?;
        }
        // The same for features that are not standardised.
        let slope = solution.narrow(0, 0, channels)?.t()?;
        let weights = slope.div(&deviation)?;
        let offset = solution.narrow(0, channels, 1)?;
        let bias = (offset - weights.matmul(&mean.t()?)?)?;
        Ok(Self {
            weights: weights.flatten_all()?.to_vec1()?,
            bias: bias.flatten_all()?.to_vec1()?[0],
        })
    }

    fn probability(&self, features: &[f32]) -> f64 {
        let products = self.weights.iter().zip(features).map(|(w, x)| w * x);
        let logit = f64::from(self.bias + products.sum::<f32>());
        1.0 / (1.0 + (-logit).exp())
    }

    /// The network of `weights` with this output beside its others, in place of one that it has.
    ///
    /// # Errors
    ///
    /// When the output is one of another network.
    pub fn added_to(&self, weights: &Weights, note: &str) -> Result<Weights> {
        let mut metadata = weights.metadata().clone();
        if !metadata.heads.contains(&Head::Turned) {
            metadata.heads.push(Head::Turned);
        }
        metadata.training += note;
        let mut tensors = weights.tensors().clone();
        let name = Head::Turned.name();
        let parameters = [
            (
                "weight",
                vec![1, self.weights.len(), 1, 1],
                self.weights.clone(),
            ),
            ("bias", vec![1], vec![self.bias]),
        ];
        for (parameter, shape, values) in parameters {
            tensors.insert(
                format!("{name}.{parameter}"),
                WeightTensor { shape, values },
            );
        }
        // The message contains the cause already.
        Weights::new(&metadata.name.clone(), metadata, tensors).map_err(|error| anyhow!("{error}"))
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
            let square = Region::face(x, y, width, height, DEFAULT_MARGIN);
            let around = scaled(square, SURROUNDINGS);
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

/// The solution of `(matrix + RIDGE · 1) · x = right` for a symmetric matrix without negative eigenvalues, by Cholesky's
/// decomposition.
fn solve(matrix: Vec<Vec<f32>>, right: Vec<f32>) -> Vec<f32> {
    let size = right.len();
    let mut lower = vec![vec![0.0f64; size]; size];
    let mut solution: Vec<f64> = right.into_iter().map(f64::from).collect();
    for row in 0..size {
        for column in 0..=row {
            let known = lower[row].iter().zip(&lower[column]).take(column);
            let rest = f64::from(matrix[row][column]) - known.map(|(a, b)| a * b).sum::<f64>();
            lower[row][column] = match row == column {
                true => (rest + RIDGE).sqrt(),
                false => rest / lower[column][column],
            };
        }
        let known = lower[row].iter().zip(&solution).take(row);
        let known: f64 = known.map(|(a, b)| a * b).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    for row in (0..size).rev() {
        let known = (row + 1..size).map(|below| lower[below][row] * solution[below]);
        let known: f64 = known.sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    solution.into_iter().map(|value| value as f32).collect()
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

/// A region with the same centre and other sides.
fn scaled(region: Region, factor: f32) -> Region {
    let Region {
        x,
        y,
        width,
        height,
    } = region;
    let more = (factor - 1.0) / 2.0;
    Region::new(
        x - more * width,
        y - more * height,
        factor * width,
        factor * height,
    )
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
