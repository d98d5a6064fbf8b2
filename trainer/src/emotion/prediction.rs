//! The emotions of the faces in an image, computed as in the plugin.

use anyhow::Result;
use emotion_detect::{NetworkDetector, Options};
use emotion_models::preprocess::{GreyRows, Landmarks, Preprocessor, Quality, Region};
use emotion_models::weights::WeightsId;
use emotion_models::{Classifier, Metadata, Scores};

/// A face in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedFace {
    /// Left edge in pixels.
    pub x: i32,
    /// Upper edge in pixels.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Confidence of the detector, 0 to 1; none without a detector.
    pub detection: Option<f64>,
    /// Its landmarks in pixels, from a detector that finds them.
    pub landmarks: Option<Landmarks>,
}

/// A face with the answer of the network.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Where it is.
    pub face: PredictedFace,
    /// The probabilities of the labels.
    pub scores: Scores,
    /// How well the face can be judged, 0 to 1.
    pub quality: f64,
}

/// How the faces of an image are found.
#[derive(Debug)]
pub enum FaceLocator {
    /// The whole image is a face.
    WholeImage,
    /// A detector finds them.
    Detector {
        /// The detector.
        detector: Box<NetworkDetector>,
        /// Its options.
        options: Options,
        /// Margin of the crop around the box, as in [`Region::face`].
        margin: f32,
    },
}

impl FaceLocator {
    /// The faces in `image`, the most confident first.
    fn locate(&mut self, image: &impl GreyRows) -> Result<Vec<PredictedFace>> {
        match self {
            Self::WholeImage => Ok(vec![PredictedFace {
                x: 0,
                y: 0,
                width: image.width() as u32,
                height: image.height() as u32,
                detection: None,
                landmarks: None,
            }]),
            Self::Detector {
                detector, options, ..
            } => {
                let faces = detector.detect(image, options)?;
                let faces = faces.into_iter().map(|face| PredictedFace {
                    x: face.x,
                    y: face.y,
                    width: face.width,
                    height: face.height,
                    detection: Some(face.confidence),
                    landmarks: face.landmarks,
                });
                Ok(faces.collect())
            }
        }
    }

    fn margin(&self) -> f32 {
        match self {
            Self::WholeImage => 0.0,
            Self::Detector { margin, .. } => *margin,
        }
    }
}

/// Finds faces and classifies them.
#[derive(Debug)]
pub struct Predictor {
    classifier: Classifier,
    preprocessor: Preprocessor,
    faces: FaceLocator,
}

impl Predictor {
    /// A predictor with this network and locator.
    pub fn new(classifier: Classifier, faces: FaceLocator) -> Self {
        Self {
            preprocessor: Preprocessor::new(classifier.metadata().input_size),
            classifier,
            faces,
        }
    }

    /// The metadata of the network's weights.
    pub fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// Which weights these are.
    pub fn weights_id(&self) -> &WeightsId {
        self.classifier.weights_id()
    }

    /// The faces in `image` with the answers about them, the most confident face first.
    ///
    /// # Errors
    ///
    /// When detection or the network fails.
    pub fn predict(&mut self, image: &impl GreyRows) -> Result<Vec<Prediction>> {
        let faces = self.faces.locate(image)?;
        let margin = self.faces.margin();
        let crop_len = self.preprocessor.size().pow(2);
        let mut crops = vec![0.0; faces.len() * crop_len];
        let mut qualities = Vec::with_capacity(faces.len());
        for (face, crop) in faces.iter().zip(crops.chunks_exact_mut(crop_len)) {
            let (x, y) = (face.x as f32, face.y as f32);
            let region = Region::face(x, y, face.width as f32, face.height as f32, margin);
            let landmarks = face.landmarks.as_ref();
            self.preprocessor
                .run_aligned(image, region, landmarks, crop)?;
            let size = self.preprocessor.size();
            qualities.push(Quality::of(crop, size, image, region).with_landmarks(landmarks));
        }
        let scores = self.classifier.classify(&crops)?;
        let predictions = faces.into_iter().zip(scores).zip(qualities);
        Ok(predictions
            .map(|((face, scores), quality)| Prediction {
                face,
                quality: quality.with_cover(scores.cover()).overall().into(),
                scores,
            })
            .collect())
    }
}
