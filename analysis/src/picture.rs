//! The faces of one picture, found and classified.

use emotion_detect::{DetectedFace, Detector, Error};
use emotion_models::Classifier;
use emotion_models::preprocess::{GreyRows, Landmarks, Region};

use crate::analyzer::FaceAnalyzer;
use crate::emotion::EmotionResult;
use crate::matcher::FacePosition;
use crate::options::Options;

/// A face with its emotion.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzedFace {
    /// The id of its track, from 1; `None` in a picture by itself.
    pub id: Option<i32>,
    /// Left edge in pixels of the picture.
    pub x: i32,
    /// Upper edge in pixels of the picture.
    pub y: i32,
    /// Width in pixels, at least one.
    pub width: u32,
    /// Height in pixels, at least one.
    pub height: u32,
    /// Confidence of the detector, 0 to 1; `None` without a detector.
    pub detection: Option<f64>,
    /// Its landmarks in pixels, from a detector that finds them.
    pub landmarks: Option<Landmarks>,
    /// The emotion.
    pub emotion: EmotionResult,
}

/// Finds the faces of single pictures and classifies them, as the elements do with a photograph.
///
/// ```
/// use emotion_analysis::{Options, PictureAnalyzer};
/// use emotion_detect::NetworkDetector;
/// use emotion_models::{Classifier, preprocess::GreyImage};
///
/// let detector = NetworkDetector::built_in()?;
/// let mut pictures = PictureAnalyzer::new(Classifier::embedded()?, Some(detector.into()));
/// let pixels = vec![128; 320 * 240];
/// let image = GreyImage::new(&pixels, 320, 240, 320)?;
/// let faces = pictures.analyze(&image, &emotion_detect::Options::default(), &Options::default())?;
/// assert!(faces.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PictureAnalyzer {
    detector: Option<Detector>,
    analyzer: FaceAnalyzer,
}

impl PictureAnalyzer {
    /// An analyzer with this network. Without a detector each picture is one face.
    pub fn new(classifier: Classifier, detector: Option<Detector>) -> Self {
        Self {
            detector,
            analyzer: FaceAnalyzer::new(classifier),
        }
    }

    /// The part that classifies: it knows the weights.
    pub fn analyzer(&self) -> &FaceAnalyzer {
        &self.analyzer
    }

    /// The faces in `image` with their emotions, the most confident face first.
    ///
    /// # Errors
    ///
    /// If a network cannot run.
    pub fn analyze(
        &mut self,
        image: &impl GreyRows,
        detection: &emotion_detect::Options,
        options: &Options,
    ) -> Result<Vec<AnalyzedFace>, Error> {
        let Some(detector) = &mut self.detector else {
            return self.analyze_whole(image, options);
        };
        let size = [image.width(), image.height()];
        let faces: Vec<DetectedFace> = detector
            .detect(image, detection)?
            .into_iter()
            .filter_map(|face| face.within(size))
            .collect();
        let positions: Vec<_> = faces
            .iter()
            .map(|face| FacePosition {
                object_id: None,
                region: face.region(),
                landmarks: face.landmarks,
            })
            .collect();
        let results = self.analyzer.analyze(image, &positions, None, options)?;
        let results = results.faces.into_iter();
        Ok(results
            .map(|result| AnalyzedFace::new(&faces[result.index], None, result.emotion))
            .collect())
    }

    /// The emotion of a picture that shows one face and nothing else.
    ///
    /// # Errors
    ///
    /// If the network cannot run.
    pub fn analyze_whole(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<AnalyzedFace>, Error> {
        let (width, height) = (image.width() as u32, image.height() as u32);
        let position = FacePosition {
            object_id: None,
            region: Region::whole(image),
            landmarks: None,
        };
        let options = Options {
            margin: 0.0,
            ..*options
        };
        let results = self.analyzer.analyze(image, &[position], None, &options)?;
        let results = results.faces.into_iter();
        Ok(results
            .map(|result| AnalyzedFace {
                id: None,
                x: 0,
                y: 0,
                width,
                height,
                detection: None,
                landmarks: None,
                emotion: result.emotion,
            })
            .collect())
    }
}

impl AnalyzedFace {
    /// A face that a detector has found.
    pub(crate) fn new(face: &DetectedFace, id: Option<i32>, emotion: EmotionResult) -> Self {
        Self {
            id,
            x: face.x,
            y: face.y,
            width: face.width,
            height: face.height,
            detection: Some(face.confidence),
            landmarks: face.landmarks,
            emotion,
        }
    }
}

#[cfg(all(test, feature = "built-in-weights"))]
mod tests;
