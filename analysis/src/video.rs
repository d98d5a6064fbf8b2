//! The faces of the frames of a video, found, followed and classified.

use std::time::Duration;

use emotion_detect::track::{Detections, FaceTracker, FrameTiming};
use emotion_detect::{DetectedFace, Detector, Error};
use emotion_models::Classifier;
use emotion_models::preprocess::GreyRows;

use crate::analyzer::FaceAnalyzer;
use crate::matcher::FacePosition;
use crate::options::Options;
use crate::picture::AnalyzedFace;

/// Follows the faces of a video and their emotions, as `facedetect ! emotionclassify` does.
///
/// Use one for each video.
///
/// ```
/// use std::time::Duration;
///
/// use emotion_analysis::{Options, VideoAnalyzer};
/// use emotion_detect::NetworkDetector;
/// use emotion_models::{Classifier, preprocess::GreyImage};
///
/// let detector = NetworkDetector::built_in()?;
/// let mut video = VideoAnalyzer::new(Classifier::embedded()?, detector.into());
/// let pixels = vec![128; 320 * 240];
/// let image = GreyImage::new(&pixels, 320, 240, 320)?;
/// for frame in 0..3 {
///     let time = Duration::from_millis(40 * frame);
///     let faces = video.frame(&image, time, &emotion_detect::Options::default(), &Options::default())?;
///     assert!(faces.is_empty());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VideoAnalyzer {
    detector: Detector,
    tracker: FaceTracker,
    analyzer: FaceAnalyzer,
    /// Of the last frame.
    detection: Option<emotion_detect::Options>,
}

impl VideoAnalyzer {
    /// An analyzer that has not seen a frame yet.
    pub fn new(classifier: Classifier, detector: Detector) -> Self {
        Self {
            detector,
            tracker: FaceTracker::default(),
            analyzer: FaceAnalyzer::new(classifier),
            detection: None,
        }
    }

    /// The faces on `image`, the frame at `time`, in the order in which they appeared, with their emotions so far. Where
    /// `time` goes back, their emotions begin anew.
    ///
    /// # Errors
    ///
    /// If a network cannot run.
    pub fn frame(
        &mut self,
        image: &impl GreyRows,
        time: Duration,
        detection: &emotion_detect::Options,
        options: &Options,
    ) -> Result<Vec<AnalyzedFace>, Error> {
        if self.detection.replace(*detection) != Some(*detection) {
            self.tracker.restart_detection();
        }
        let timing = FrameTiming {
            timestamp: Some(time),
            ..FrameTiming::default()
        };
        let request = self.tracker.follow(timing, image);
        let found = self.detector.detect_requested(image, &request, detection)?;
        let detections = Detections {
            faces: &found,
            strong_confidence: self.detector.strong_confidence(detection),
        };
        self.tracker.add_detections(&request, detections, image);

        let size = [image.width(), image.height()];
        let faces: Vec<(i32, DetectedFace)> = self
            .tracker
            .faces()
            .filter_map(|face| Some((face.id, face.to_detected().within(size)?)))
            .collect();
        let positions: Vec<_> = faces
            .iter()
            .map(|(id, face)| FacePosition {
                object_id: Some(*id),
                region: face.region(),
                landmarks: face.landmarks,
            })
            .collect();
        let results = self
            .analyzer
            .analyze(image, &positions, Some(time), options)?;
        let results = results.faces.into_iter();
        Ok(results
            .map(|result| {
                let (id, face) = &faces[result.index];
                AnalyzedFace::new(face, Some(*id), result.emotion)
            })
            .collect())
    }
}

#[cfg(all(test, feature = "built-in-weights"))]
mod tests;
