//! The work on one frame: from its luma to the faces that are added to it.

use emotion_detect::DetectedFace;
use emotion_detect::track::{FrameTiming, TrackEvent, TrackedFace};
use emotion_models::preprocess::{GreyRows, Region};

use super::per_frame::PerFrameDetector;
use super::settings::Settings;
use super::tracking::Tracking;
use crate::analyzer::{self, ReadsLuma};
use crate::face;
use crate::pixels::PixelGrid;

/// Why a frame has no faces.
#[derive(Debug)]
pub(super) enum FrameError {
    Stopped,
    Frame(analyzer::Error),
    Detect(emotion_detect::Error),
}

impl From<analyzer::Error> for FrameError {
    fn from(error: analyzer::Error) -> Self {
        Self::Frame(error)
    }
}

impl From<emotion_detect::Error> for FrameError {
    fn from(error: emotion_detect::Error) -> Self {
        Self::Detect(error)
    }
}

/// The tracks on a frame, with boxes in pixels of the caps.
#[derive(Debug, Default)]
pub(super) struct FoundFaces {
    /// What has happened to tracks since the last frame.
    pub(super) events: Vec<TrackEvent>,
    pub(super) faces: Vec<TrackedFace>,
    pub(super) candidates: Vec<DetectedFace>,
    /// Whether the scene was searched at all, so that its faces can be followed.
    pub(super) is_searched: bool,
}

impl FoundFaces {
    /// Adds `faces`, which are in square pixels, to the frame.
    pub(super) fn add_detected(
        &self,
        buffer: &mut gst::BufferRef,
        grid: &PixelGrid,
        faces: &[DetectedFace],
    ) {
        let (width, height) = grid.frame();
        let faces: Vec<_> = faces.iter().map(|face| in_frame(face, grid)).collect();
        face::add_detected(buffer, width, height, &faces);
        face::mark_detected(buffer, grid.aspect());
    }

    /// Adds the tracks to the frame.
    pub(super) fn add_tracked(&self, buffer: &mut gst::BufferRef, grid: &PixelGrid) {
        let (width, height) = grid.frame();
        face::add_tracked(buffer, width, height, &self.faces);
        face::add_candidates(buffer, width, height, &self.candidates);
        if self.is_searched {
            face::mark_detected(buffer, grid.aspect());
        }
    }
}

fn in_frame(face: &DetectedFace, grid: &PixelGrid) -> DetectedFace {
    if grid.square_per_frame() == (1.0, 1.0) {
        return *face;
    }
    let Region {
        x,
        y,
        width,
        height,
    } = grid.to_frame(face.region());
    DetectedFace {
        x: x.round() as i32,
        y: y.round() as i32,
        width: width.round().max(1.0) as u32,
        height: height.round().max(1.0) as u32,
        confidence: face.confidence,
        landmarks: face
            .landmarks
            .map(|landmarks| grid.points_to_frame(landmarks)),
    }
}

/// Converts the boxes of events from square pixels to those of the caps.
pub(super) fn events_in_frame(events: &mut [TrackEvent], grid: &PixelGrid) {
    for event in events {
        let (TrackEvent::Appeared { region, .. } | TrackEvent::Ended { region, .. }) = event;
        *region = grid.to_frame(*region);
    }
}

/// Detects the faces of a frame by itself.
pub(super) struct DetectInFrame<'a> {
    pub(super) detector: &'a mut PerFrameDetector,
    pub(super) settings: &'a Settings,
    pub(super) pts: Option<gst::ClockTime>,
}

impl ReadsLuma for DetectInFrame<'_> {
    /// The faces in square pixels.
    type Output = Result<(PixelGrid, Vec<DetectedFace>), emotion_detect::Error>;

    fn read(self, image: &impl GreyRows, grid: &PixelGrid) -> Self::Output {
        let options = self.settings.options_for(grid);
        self.detector.detect(self.pts, image, &options)?;
        Ok((*grid, self.detector.faces().to_vec()))
    }
}

/// Tracks the faces to a frame.
pub(super) struct TrackInFrame<'a> {
    pub(super) tracking: &'a mut Tracking,
    pub(super) settings: &'a Settings,
    pub(super) timing: FrameTiming,
}

impl ReadsLuma for TrackInFrame<'_> {
    type Output = Result<(PixelGrid, FoundFaces), emotion_detect::Error>;

    fn read(self, image: &impl GreyRows, grid: &PixelGrid) -> Self::Output {
        let Self {
            tracking, settings, ..
        } = self;
        tracking.frame(self.timing, image, grid, settings)?;
        let in_frame = |face: &DetectedFace| in_frame(face, grid);
        let mut found = FoundFaces {
            events: tracking.take_events(),
            faces: tracking.faces(),
            candidates: tracking.candidates().iter().map(in_frame).collect(),
            is_searched: tracking.is_searched(),
        };
        if grid.square_per_frame() != (1.0, 1.0) {
            for face in &mut found.faces {
                face.region = grid.to_frame(face.region);
                face.landmarks = face
                    .landmarks
                    .map(|landmarks| grid.points_to_frame(landmarks));
            }
            events_in_frame(&mut found.events, grid);
        }
        Ok((*grid, found))
    }
}
