//! The emotions of the faces in a picture, as the plugin would say them.

use anyhow::Result;
use emotion_detect::{NetworkDetector, Options};
use emotion_models::preprocess::{GreyRows, Preprocessor, Region};
use emotion_models::{Classifier, Metadata, Scores};

/// A face in a picture.
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
    /// How sure the detector is that this is a face, 0 to 1; none where nobody looked.
    pub detection: Option<f64>,
}

/// Where the faces of a picture are.
#[derive(Debug)]
pub enum FaceLocator {
    /// The picture is one.
    Whole,
    /// Where a detector finds them.
    Found {
        /// Finds them.
        detector: Box<NetworkDetector>,
        /// What it looks for.
        options: Options,
        /// How far a crop reaches beyond its box, as [`Region::face`] takes it.
        margin: f32,
    },
}

impl FaceLocator {
    /// The faces in `image`, surest first.
    fn look_at(&mut self, image: &impl GreyRows) -> Result<Vec<PredictedFace>> {
        match self {
            Self::Whole => Ok(vec![PredictedFace {
                x: 0,
                y: 0,
                width: image.width() as u32,
                height: image.height() as u32,
                detection: None,
            }]),
            Self::Found {
                detector, options, ..
            } => {
                let faces = detector.detect(image, options)?;
                let faces = faces.into_iter().map(|face| PredictedFace {
                    x: face.x,
                    y: face.y,
                    width: face.width,
                    height: face.height,
                    detection: Some(face.confidence),
                });
                Ok(faces.collect())
            }
        }
    }

    fn margin(&self) -> f32 {
        match self {
            Self::Whole => 0.0,
            Self::Found { margin, .. } => *margin,
        }
    }
}

/// Weights, and a way to find faces for them.
#[derive(Debug)]
pub struct Predictor {
    classifier: Classifier,
    preprocessor: Preprocessor,
    faces: FaceLocator,
}

impl Predictor {
    /// Lets `classifier` look at `faces`.
    pub fn new(classifier: Classifier, faces: FaceLocator) -> Self {
        Self {
            preprocessor: Preprocessor::new(classifier.metadata().input_size),
            classifier,
            faces,
        }
    }

    /// What the weights say about themselves.
    pub fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// The faces in `image` with the probability of each label of the weights, the surest face first.
    ///
    /// # Errors
    ///
    /// When detection or the network fails.
    pub fn predict(&mut self, image: &impl GreyRows) -> Result<Vec<(PredictedFace, Scores)>> {
        let faces = self.faces.look_at(image)?;
        let margin = self.faces.margin();
        let crop_len = self.preprocessor.size().pow(2);
        let mut crops = vec![0.0; faces.len() * crop_len];
        for (face, crop) in faces.iter().zip(crops.chunks_exact_mut(crop_len)) {
            let (x, y) = (face.x as f32, face.y as f32);
            let region = Region::face(x, y, face.width as f32, face.height as f32, margin);
            self.preprocessor.run(image, region, crop)?;
        }
        let scores = self.classifier.classify(&crops)?;
        Ok(faces.into_iter().zip(scores).collect())
    }
}
