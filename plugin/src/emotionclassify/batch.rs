//! All faces of a picture in one run of the network.

use std::path::Path;

use emotion_models::engine::Error;
use emotion_models::preprocess::{GreyRows, Preprocessor, Region};
use emotion_models::weights::Metadata;
use emotion_models::{Classifier, Emotion, Scores};

use crate::face::{EmotionResult, Face, RawEmotion};

/// Regions wider or higher than this many times the picture are no faces.
const MAX_RELATIVE_SIZE: f32 = 2.0;

/// A classifier with the buffers for its input.
pub(super) struct BatchClassifier {
    classifier: Classifier,
    preprocessor: Preprocessor,
    /// The crops of all faces, one after the other.
    crops: Vec<f32>,
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

    /// The emotions of `faces` in `image`, each with the id of its region. The crop of a face is the square about its
    /// region, widened by `margin` of its side on each side. Regions that cannot be a face in this image (empty,
    /// outside, or far larger than it) are left out.
    pub(super) fn classify(
        &mut self,
        image: &impl GreyRows,
        faces: &[Face],
        margin: f32,
    ) -> Result<Vec<(i32, EmotionResult)>, Error> {
        let crop_len = self.preprocessor.size().pow(2);
        let faces: Vec<&Face> = faces.iter().filter(|face| is_in(image, face)).collect();
        self.crops.resize(faces.len() * crop_len, 0.0);
        for (face, crop) in faces.iter().zip(self.crops.chunks_exact_mut(crop_len)) {
            let (x, y) = (face.x as f32, face.y as f32);
            let region = Region::face(x, y, face.width as f32, face.height as f32, margin);
            self.preprocessor
                .run(image, region, crop)
                .expect("a region with pixels in the image has an area");
        }

        let scores = self.classifier.classify(&self.crops)?;
        let metadata = self.classifier.metadata();
        Ok(faces
            .iter()
            .zip(&scores)
            .map(|(face, scores)| (face.roi_id, emotion(metadata, scores)))
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

fn emotion(metadata: &Metadata, scores: &Scores) -> EmotionResult {
    let (label_id, confidence) = scores.best();
    let labels = metadata.labels.iter().map(String::as_str);
    let probabilities = scores.probabilities().iter().copied().map(f64::from);
    EmotionResult {
        valence: Emotion::mean_valence(labels.zip(probabilities)),
        raw: Some(RawEmotion {
            label: metadata.labels[label_id].clone(),
            confidence: confidence.into(),
        }),
        quality: None,
        label: metadata.labels[label_id].clone(),
        label_id,
        confidence: confidence.into(),
        model_name: metadata.name.clone(),
        labels: metadata.labels.clone(),
        probabilities: scores
            .probabilities()
            .iter()
            .copied()
            .map(f64::from)
            .collect(),
    }
}
