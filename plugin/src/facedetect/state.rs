//! What finds the faces of a started element.

use emotion_detect::Detector;
use emotion_detect::track::TrackEvent;

use super::per_frame::PerFrameDetector;
use super::settings::Settings;
use super::tracking::{SharedTrackingStats, Tracking};

/// The detector of the stream, with or without tracks.
#[derive(Debug)]
pub(super) enum DetectorState {
    PerFrame(PerFrameDetector),
    Tracking(Box<Tracking>),
}

impl DetectorState {
    /// # Errors
    ///
    /// If there is no thread for a detector in the background.
    pub(super) fn new(
        settings: &Settings,
        stats: SharedTrackingStats,
        detector: Detector,
    ) -> Result<Self, gst::ErrorMessage> {
        if !settings.is_tracking {
            return Ok(Self::PerFrame(PerFrameDetector::new(detector)));
        }
        let tracking = Tracking::new(detector, settings, stats).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::NoSpaceLeft,
                ("no thread for the detector: {error}; try asynchronous=false")
            )
        })?;
        Ok(Self::Tracking(Box::new(tracking)))
    }

    /// Another picture follows, which the last faces have nothing to do with. Returns the events of the tracks, if there
    /// are tracks.
    pub(super) fn begin_scene(&mut self) -> Option<Vec<TrackEvent>> {
        match self {
            Self::PerFrame(detector) => {
                detector.begin_scene();
                None
            }
            Self::Tracking(tracking) => {
                tracking.begin_scene();
                Some(tracking.take_events())
            }
        }
    }

    /// Another segment begins.
    pub(super) fn begin_segment(&mut self) {
        if let Self::Tracking(tracking) = self {
            tracking.begin_segment();
        }
    }
}
