//! The work on one frame: from the luma of its faces to their emotions.

use std::time::Duration;

use emotion_analysis::{FaceAnalyzer, FacePosition, FrameResults};
use emotion_models::preprocess::GreyRows;

use super::settings::Settings;
use crate::analyzer::ReadsLuma;
use crate::face::{self, Face};
use crate::pixels::PixelGrid;

/// Writes the results to the faces.
pub(super) fn set_emotions(buffer: &mut gst::BufferRef, faces: &[Face], results: &FrameResults) {
    let emotions = results.faces.iter();
    let emotions = emotions.map(|result| (faces[result.index].roi_id, &result.emotion));
    face::set_emotions(buffer, emotions);
}

/// Where a face is, in square pixels.
pub(super) fn position(face: &Face, grid: &PixelGrid) -> FacePosition {
    FacePosition {
        object_id: face.object_id,
        region: grid.to_square(face.region()),
        landmarks: (face.landmarks).map(|landmarks| grid.points_to_square(landmarks)),
    }
}

/// Classifies the faces of a frame.
pub(super) struct AnalyzeFrame<'a> {
    pub(super) analyzer: &'a mut FaceAnalyzer,
    pub(super) faces: &'a [Face],
    pub(super) time: Option<Duration>,
    pub(super) settings: &'a Settings,
}

impl ReadsLuma for AnalyzeFrame<'_> {
    type Output = Result<FrameResults, emotion_models::inference::Error>;

    fn read(self, image: &impl GreyRows, grid: &PixelGrid) -> Self::Output {
        let positions: Vec<_> = (self.faces.iter())
            .map(|face| position(face, grid))
            .collect();
        let options = &self.settings.options;
        self.analyzer.analyze(image, &positions, self.time, options)
    }
}
