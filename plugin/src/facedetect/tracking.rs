//! Tracks the faces of a stream with the detector at hand: at once, or beside the stream.

use std::time::{Duration, Instant};

use emotion_detect::track::{Detections, Event, Follower, Frame, Search, TrackedFace};
use emotion_detect::{Detector, Error, Options};
use emotion_models::preprocess::GreyRows;

use super::background::Worker;
use super::pacing::Pacing;
use crate::stats::Stats;

/// The faces of a stream and what finds them.
#[derive(Debug)]
pub(super) struct Tracking {
    follower: Follower,
    finder: Finder,
    pacing: Pacing,
    /// What was looked for last.
    options: Option<Options>,
    /// Searches of whole frames.
    detections: Stats,
}

#[derive(Debug)]
enum Finder {
    AtOnce(Detector),
    Beside(Worker),
}

impl Tracking {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If there is no thread for detections beside the stream.
    pub(super) fn new(detector: Detector, pacing: Pacing) -> std::io::Result<Self> {
        let finder = if pacing.is_asynchronous {
            Finder::Beside(Worker::start(detector)?)
        } else {
            Finder::AtOnce(detector)
        };
        Ok(Self {
            follower: Follower::new(pacing.options),
            finder,
            pacing,
            options: None,
            detections: Stats::default(),
        })
    }

    /// Whether the stream never waits for a detection.
    pub(super) fn is_asynchronous(&self) -> bool {
        matches!(self.finder, Finder::Beside(_))
    }

    /// The faces on the last frame.
    pub(super) fn faces(&self) -> Vec<TrackedFace> {
        self.follower.faces().collect()
    }

    /// Adds what was tracked and detected to the statistics.
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

    /// What happened since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        self.follower.take_events()
    }

    /// Another segment begins.
    pub(super) fn begin_segment(&mut self) {
        self.follower.begin_segment();
    }

    /// What comes has nothing to do with what was.
    pub(super) fn begin_scene(&mut self) {
        self.follower.begin_scene();
        if let Finder::Beside(worker) = &mut self.finder {
            worker.forget();
        }
    }

    /// Follows the faces to this frame, and detects on it or lets it be done.
    ///
    /// # Errors
    ///
    /// If the detector fails.
    pub(super) fn frame(
        &mut self,
        mut frame: Frame,
        picture: &impl GreyRows,
        options: &Options,
        pacing: Pacing,
    ) -> Result<(), Error> {
        if self.pacing != pacing {
            self.follower.set_options(pacing.options);
            self.pacing = pacing;
        }
        if self.options.replace(*options) != Some(*options) {
            self.follower.demand_search();
        }
        match &mut self.finder {
            Finder::AtOnce(detector) => {
                let search = self.follower.follow(frame, picture);
                if search == Search::Nothing {
                    return Ok(());
                }
                let started = Instant::now();
                let faces = detector.search(picture, &search, options)?;
                let strong = detector.strong(options);
                if search == Search::Everything {
                    count(&mut self.detections, &faces, strong, started.elapsed());
                }
                let found = Detections {
                    faces: &faces,
                    strong,
                };
                self.follower.found(&search, found, picture);
            }
            Finder::Beside(worker) => {
                let done = worker.take();
                frame.is_late = !worker.is_idle();
                let last_scene = self.follower.scene();
                let search = self.follower.follow(frame, picture);
                let is_same_scene = self.follower.scene() == last_scene;
                if let Some(done) = done {
                    let found = done.found?;
                    count(&mut self.detections, &found.faces, found.strong, found.time);
                    if is_same_scene && let Some(earlier) = done.picture.view() {
                        let detections = Detections {
                            faces: &found.faces,
                            strong: found.strong,
                        };
                        self.follower
                            .found_late(done.at, detections, &earlier, picture);
                    }
                    worker.give_back(done.picture);
                }
                if !is_same_scene {
                    worker.forget();
                }
                // It searches all of the frame, also where a part would do.
                if search != Search::Nothing {
                    worker.search(self.follower.now(), picture, *options);
                }
            }
        }
        Ok(())
    }
}

fn count(
    detections: &mut Stats,
    faces: &[emotion_detect::DetectedFace],
    strong: f64,
    time: Duration,
) {
    let faces = faces.iter().filter(|face| face.confidence >= strong);
    detections.add_analysed(faces.count(), time);
}
