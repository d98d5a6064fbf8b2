//! All faces of a picture in one run of the network.

use std::path::Path;

use emotion_models::inference::Error;
use emotion_models::preprocess::{GreyRows, LightCorrection, Preprocessor, Quality, Region};
use emotion_models::weights::Metadata;
use emotion_models::{Classifier, Scores};

use crate::face::Face;

/// Regions wider or higher than this many times the picture are no faces.
const MAX_RELATIVE_SIZE: f32 = 2.0;

/// A classifier with the buffers for its input.
pub(super) struct BatchClassifier {
    classifier: Classifier,
    preprocessor: Preprocessor,
    /// The crops of all faces of the frame, one after the other.
    crops: Vec<f32>,
    /// The crops that are looked at.
    input: Vec<f32>,
}

/// A face whose crop has been taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crop {
    /// Its index among the faces.
    pub(super) face: usize,
    pub(super) quality: Quality,
}

impl BatchClassifier {
    /// Loads the weights at `location`, or the built-in ones of the name `model`.
    pub(super) fn load(location: Option<&Path>, model: &str) -> Result<Self, Error> {
        let classifier = match location {
            Some(path) => Classifier::load(path)?,
            None => Classifier::built_in(model)?,
        };
        Ok(Self {
            preprocessor: Preprocessor::new(classifier.metadata().input_size),
            classifier,
            crops: Vec::new(),
            input: Vec::new(),
        })
    }

    /// What the weights say of themselves.
    pub(super) fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// The instructions and the precision that the network runs with, such as `avx512 f32`.
    pub(super) fn arithmetic(&self) -> String {
        let classifier = &self.classifier;
        format!("{} {}", classifier.instructions(), classifier.precision())
    }

    /// Takes the crops of `faces` out of `image`. The crop of a face is the square about its region, widened by `margin` of
    /// its side on each side, its light corrected. Regions that cannot be a face in this image (empty, outside, or far
    /// larger than it) are left out.
    pub(super) fn crop(
        &mut self,
        image: &impl GreyRows,
        faces: &[Face],
        margin: f32,
        light: LightCorrection,
    ) -> Vec<Crop> {
        self.preprocessor.set_light(light);
        let size = self.preprocessor.size();
        let in_image: Vec<usize> = (0..faces.len())
            .filter(|&face| is_in(image, &faces[face]))
            .collect();
        self.crops.resize(in_image.len() * size * size, 0.0);
        let crops = self.crops.chunks_exact_mut(size * size);
        let taken = in_image.into_iter().zip(crops).map(|(index, crop)| {
            let face = &faces[index];
            let (x, y) = (face.x as f32, face.y as f32);
            let region = Region::face(x, y, face.width as f32, face.height as f32, margin);
            self.preprocessor
                .run(image, region, crop)
                .expect("a region with pixels in the image has an area");
            Crop {
                face: index,
                quality: Quality::of(crop, size, image, region),
            }
        });
        taken.collect()
    }

    /// The values of a crop, by its index in what [`crop`](Self::crop) returned.
    pub(super) fn values(&self, crop: usize) -> &[f32] {
        let len = self.preprocessor.size().pow(2);
        &self.crops[crop * len..][..len]
    }

    /// The probabilities of the crops with these indices, if `mirror` is set the mean over them and their mirror images.
    pub(super) fn classify(
        &mut self,
        crops: &[usize],
        mirror: bool,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let size = self.preprocessor.size();
        let len = size * size;
        self.input.clear();
        for &crop in crops {
            self.input
                .extend_from_slice(&self.crops[crop * len..][..len]);
        }
        if mirror {
            let faces = self.input.len();
            self.input.extend_from_within(..);
            let rows = self.input[faces..].chunks_exact_mut(size);
            rows.for_each(<[f32]>::reverse);
        }
        let scores = self.classifier.classify(&self.input)?;
        let (once, mirrored) = scores.split_at(crops.len());
        let probabilities = |scores: &Scores| -> Vec<f64> {
            let probabilities = scores.probabilities().iter();
            probabilities.copied().map(f64::from).collect()
        };
        Ok(once
            .iter()
            .enumerate()
            .map(|(i, scores)| {
                let once = probabilities(scores);
                let Some(mirrored) = mirrored.get(i).map(probabilities) else {
                    return once;
                };
                let both = once.iter().zip(mirrored);
                both.map(|(once, mirrored)| f64::midpoint(*once, mirrored))
                    .collect()
            })
            .collect())
    }
}

fn is_in(image: &impl GreyRows, face: &Face) -> bool {
    let overlaps = |start: i32, len: u32, limit: usize| {
        len > 0 && (start as f32) < limit as f32 && start as f32 + len as f32 > 0.0
    };
    let largest = MAX_RELATIVE_SIZE * image.width().max(image.height()) as f32;
    overlaps(face.x, face.width, image.width())
        && overlaps(face.y, face.height, image.height())
        && face.width.max(face.height) as f32 <= largest
}
