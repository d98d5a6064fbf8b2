//! Tracking of the faces of a stream, with detection inline or in the background.

use std::time::{Duration, Instant};

use emotion_detect::track::{self, Detections, Event, Follower, Frame, Search, TrackedFace};
use emotion_detect::{Detector, Error, Options};
use emotion_models::preprocess::GreyRows;

use super::background::BackgroundDetector;
use super::settings::Settings;
use crate::stats::Stats;

/// The faces of a stream and their detector.
#[derive(Debug)]
pub(super) struct Tracking {
    follower: Follower,
    mode: DetectionMode,
    tracking: track::Options,
    /// Of the last detection.
    options: Option<Options>,
    /// Detections on whole frames.
    detections: Stats,
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
    pub(super) fn new(detector: Detector, settings: &Settings) -> std::io::Result<Self> {
        let mode = if settings.is_asynchronous {
            DetectionMode::Background(BackgroundDetector::start(detector)?)
        } else {
            DetectionMode::Inline(detector)
        };
        Ok(Self {
            follower: Follower::new(settings.tracking),
            mode,
            tracking: settings.tracking,
            options: None,
            detections: Stats::default(),
        })
    }

    /// Whether no frame waits for a detection.
    pub(super) fn is_asynchronous(&self) -> bool {
        matches!(self.mode, DetectionMode::Background(_))
    }

    /// The faces on the last frame.
    pub(super) fn faces(&self) -> Vec<TrackedFace> {
        self.follower.faces().collect()
    }

    /// Adds the number of tracks and detections to the statistics.
    pub(super) fn add_to(&self, stats: &mut gst::Structure) {
        let detections = self.detections.to_structure();
        let field = |name: &str| detections.get::<u64>(name).unwrap_or_default();
        for (name, value) in [
            ("detections", field("analysed")),
            ("tracks", self.follower.count()),
            ("detection-mean-time", field("mean-time")),
            ("detection-p99-time", field("p99-time")),
        ] {
            stats.set(name, value);
        }
    }

    /// The events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        self.follower.take_events()
    }

    /// Another segment begins.
    pub(super) fn begin_segment(&mut self) {
        self.follower.begin_segment();
    }

    /// Another picture follows, which the last faces have nothing to do with.
    pub(super) fn begin_scene(&mut self) {
        self.follower.begin_scene();
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
        mut frame: Frame,
        image: &impl GreyRows,
        settings: &Settings,
    ) -> Result<(), Error> {
        if self.tracking != settings.tracking {
            self.follower.set_options(settings.tracking);
            self.tracking = settings.tracking;
        }
        let options = settings.options_for(image.width(), image.height());
        if self.options.replace(options) != Some(options) {
            self.follower.demand_search();
        }
        match &mut self.mode {
            DetectionMode::Inline(detector) => {
                let search = self.follower.follow(frame, image);
                if search == Search::Nothing {
                    return Ok(());
                }
                let started = Instant::now();
                let faces = detector.search(image, &search, &options)?;
                let strong = detector.strong(&options);
                if search == Search::Everything {
                    count(&mut self.detections, &faces, strong, started.elapsed());
                }
                let found = Detections {
                    faces: &faces,
                    strong,
                };
                self.follower.found(&search, found, image);
            }
            DetectionMode::Background(detector) => {
                let finished = detector.take_finished();
                frame.is_late = !detector.is_idle();
                let last_scene = self.follower.scene();
                let search = self.follower.follow(frame, image);
                let is_same_scene = self.follower.scene() == last_scene;
                if let Some(finished) = finished {
                    let found = finished.outcome?;
                    count(&mut self.detections, &found.faces, found.strong, found.time);
                    if is_same_scene && let Some(earlier) = finished.image.view() {
                        let detections = Detections {
                            faces: &found.faces,
                            strong: found.strong,
                        };
                        self.follower
                            .found_late(finished.at, detections, &earlier, image);
                    }
                    detector.recycle(finished.image);
                }
                if !is_same_scene {
                    detector.cancel();
                }
                // The background detector sees the whole frame, also where a part would do.
                if search != Search::Nothing {
                    detector.start_detection(self.follower.now(), image, options);
                }
            }
        }
        Ok(())
    }
}

/// Counts a detection and the faces that are sure enough to begin a track.
fn count(
    detections: &mut Stats,
    faces: &[emotion_detect::DetectedFace],
    strong: f64,
    time: Duration,
) {
    let faces = faces.iter().filter(|face| face.confidence >= strong);
    detections.add_analysed(faces.count(), time);
}
