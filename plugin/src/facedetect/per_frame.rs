//! Detection on each frame by itself, without tracking.

use emotion_detect::{DetectedFace, Detector, Error, Options};
use emotion_models::preprocess::GreyRows;

/// How long the faces of a frame stand for later frames on which nothing is detected.
const MAX_HOLD: gst::ClockTime = gst::ClockTime::SECOND;

/// A detector and the faces that it found last.
#[derive(Debug)]
pub(super) struct PerFrameDetector {
    detector: Detector,
    last: Option<LastDetection>,
}

#[derive(Debug)]
struct LastDetection {
    pts: Option<gst::ClockTime>,
    faces: Vec<DetectedFace>,
}

impl PerFrameDetector {
    pub(super) fn new(detector: Detector) -> Self {
        Self {
            detector,
            last: None,
        }
    }

    /// Another picture follows, which the last faces have nothing to do with.
    pub(super) fn begin_scene(&mut self) {
        self.last = None;
    }

    /// Detects the faces of the frame with the time stamp `pts`.
    ///
    /// # Errors
    ///
    /// If the detector fails.
    pub(super) fn detect(
        &mut self,
        pts: Option<gst::ClockTime>,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<(), Error> {
        self.last = Some(LastDetection {
            pts,
            faces: self
                .detector
                .detect(image, &without_automatic_tiles(options))?,
        });
        Ok(())
    }

    /// The faces that were detected last, in square pixels.
    pub(super) fn faces(&self) -> &[DetectedFace] {
        self.last.as_ref().map_or(&[], |last| &last.faces)
    }

    /// Whether the faces that were detected last may stand for the frame with the time stamp `pts`.
    pub(super) fn is_recent(&self, pts: Option<gst::ClockTime>) -> bool {
        let last = self.last.as_ref().and_then(|last| last.pts);
        pts.zip(last)
            .is_some_and(|(now, then)| now.absdiff(then) <= MAX_HOLD)
    }
}

/// Tiles on every frame would take several times as long.
fn without_automatic_tiles(options: &Options) -> Options {
    Options {
        tiles: options.tiles.max(1),
        ..*options
    }
}
