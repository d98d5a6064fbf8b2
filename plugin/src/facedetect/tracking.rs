//! Tracking of the faces of a stream, with detection inline or in the background.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use emotion_detect::track::{
    self, DetectionRequest, Detections, FaceTracker, FrameTiming, TrackEvent, TrackedFace,
};
use emotion_detect::{DetectedFace, Detector, Error, Options};
use emotion_models::preprocess::GreyRows;

use super::background::BackgroundDetector;
use super::settings::Settings;
use crate::pixels::PixelGrid;
use crate::stats::Stats;

/// The faces of a stream and their detector.
#[derive(Debug)]
pub(super) struct Tracking {
    tracker: FaceTracker,
    mode: DetectionMode,
    tracking: track::Options,
    /// Of the last detection.
    options: Option<Options>,
    stats: SharedTrackingStats,
}

/// What `stats` says about tracks, with a lock of its own: a reader never waits for a detection.
pub(super) type SharedTrackingStats = Arc<Mutex<TrackingStats>>;

/// Numbers of detections and tracks since the start.
#[derive(Debug, Default)]
pub(super) struct TrackingStats {
    /// Detections on whole frames.
    detections: Stats,
    tracks: u64,
}

impl TrackingStats {
    /// Adds the numbers to the value of the property.
    pub(super) fn add_to(&self, stats: &mut gst::Structure) {
        let detections = self.detections.to_structure();
        let field = |name: &str| detections.get::<u64>(name).unwrap_or_default();
        for (name, value) in [
            ("detections", field("analysed")),
            ("tracks", self.tracks),
            ("detection-mean-time", field("mean-time")),
            ("detection-p99-time", field("p99-time")),
        ] {
            stats.set(name, value);
        }
    }

    /// Counts a detection and the faces that are sure enough to begin a track.
    fn count(&mut self, faces: &[DetectedFace], strong_confidence: f64, time: Duration) {
        let faces = faces
            .iter()
            .filter(|face| face.confidence >= strong_confidence);
        self.detections.add_analysed(faces.count(), time);
    }
}

#[derive(Debug)]
enum DetectionMode {
    /// The frame waits for the detection.
    Inline(Detector),
    /// Frames pass while a thread detects.
    Background(BackgroundDetector),
}

impl Tracking {
    /// # Errors
    ///
    /// If the system has no thread for detection in the background.
    pub(super) fn new(
        detector: Detector,
        settings: &Settings,
        stats: SharedTrackingStats,
    ) -> std::io::Result<Self> {
        let mode = if settings.is_asynchronous {
            DetectionMode::Background(BackgroundDetector::start(detector)?)
        } else {
            DetectionMode::Inline(detector)
        };
        Ok(Self {
            tracker: FaceTracker::new(settings.tracking),
            mode,
            tracking: settings.tracking,
            options: None,
            stats,
        })
    }

    /// What was found on the last frames and does not count as a face yet.
    pub(super) fn candidates(&self) -> Vec<DetectedFace> {
        self.tracker.candidates().collect()
    }

    /// Whether a frame of this scene was searched.
    pub(super) fn is_searched(&self) -> bool {
        self.tracker.is_searched()
    }

    /// The faces on the last frame.
    pub(super) fn faces(&self) -> Vec<TrackedFace> {
        self.tracker.faces().collect()
    }

    /// The events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<TrackEvent> {
        self.tracker.take_events()
    }

    /// Another segment begins.
    pub(super) fn begin_segment(&mut self) {
        self.tracker.begin_segment();
    }

    /// Another picture follows, which the last faces have nothing to do with.
    pub(super) fn begin_scene(&mut self) {
        self.tracker.begin_scene();
        if let DetectionMode::Background(detector) = &mut self.mode {
            detector.cancel();
        }
    }

    /// Tracks the faces to this frame, and detects on it where a detection is due.
    ///
    /// # Errors
    ///
    /// If the detector fails.
    pub(super) fn frame(
        &mut self,
        mut timing: FrameTiming,
        image: &impl GreyRows,
        grid: &PixelGrid,
        settings: &Settings,
    ) -> Result<(), Error> {
        if self.tracking != settings.tracking {
            self.tracker.set_options(settings.tracking);
            self.tracking = settings.tracking;
        }
        let options = settings.options_for(grid);
        if self.options.replace(options) != Some(options) {
            self.tracker.restart_detection();
        }
        match &mut self.mode {
            DetectionMode::Inline(detector) => {
                let request = self.tracker.follow(timing, image);
                let started = Instant::now();
                let faces = detector.detect_requested(image, &request, &options)?;
                let strong_confidence = detector.strong_confidence(&options);
                if matches!(request, DetectionRequest::WholeFrame { .. }) {
                    let time = started.elapsed();
                    let mut stats = self.stats.lock().unwrap();
                    stats.count(&faces, strong_confidence, time);
                }
                let found = Detections {
                    faces: &faces,
                    strong_confidence,
                };
                self.tracker.add_detections(&request, found, image);
            }
            DetectionMode::Background(detector) => {
                let finished = detector.take_finished();
                timing.is_searching = !detector.is_idle();
                let last_scene = self.tracker.scene();
                let request = self.tracker.follow(timing, image);
                let is_same_scene = self.tracker.scene() == last_scene;
                if let Some(finished) = finished {
                    let found = finished.outcome?;
                    let mut stats = self.stats.lock().unwrap();
                    stats.count(&found.faces, found.strong_confidence, found.time);
                    drop(stats);
                    if is_same_scene && let Some(earlier) = finished.image.view() {
                        let detections = Detections {
                            faces: &found.faces,
                            strong_confidence: found.strong_confidence,
                        };
                        self.tracker
                            .add_late_detections(finished.at, detections, &earlier, image);
                    }
                    detector.recycle(finished.image);
                }
                if !is_same_scene {
                    detector.cancel();
                }
                // The background detector sees the whole frame, also where a part would do.
                if request != DetectionRequest::None {
                    let with_tiles = request == DetectionRequest::WholeFrame { with_tiles: true };
                    detector.start_detection(self.tracker.now(), image, with_tiles, options);
                }
            }
        }
        self.stats.lock().unwrap().tracks = self.tracker.count();
        Ok(())
    }
}
