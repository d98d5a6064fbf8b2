//! Tracks faces: which face is which from one frame to the next, and where it is on frames without a detection.
//!
//! Detection is slow and sometimes wrong; following a face by its appearance is fast but drifts. A [`FaceTracker`]
//! combines both. For each frame it says whether and where to detect, in between it moves the faces by the motion of
//! their pixels, and it joins detections into tracks, whose ids stay while a face stays. All settings are times and not
//! numbers of frames, so that they suit a film, a security camera and a stream with gaps. The module needs neither
//! GStreamer nor a detector.

mod appearance;
mod assignment;
mod association;
mod detection_schedule;
mod face_track;
mod face_tracker;
mod following;
mod geometry;
mod kalman;
mod observation;
mod occlusion;
mod scene_change;
mod stream_clock;
mod template_matcher;
mod track_manager;

use std::time::Duration;

use emotion_models::preprocess::{Landmarks, Region};

use crate::DetectedFace;

pub use assignment::assign;
pub use detection_schedule::{DetectionInterval, InvalidDetectionInterval};
pub use face_tracker::{DetectionRequest, Detections, FaceTracker, FrameTiming};
pub use stream_clock::StreamClock;

/// How faces are tracked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// When to detect.
    pub interval: DetectionInterval,
    /// How long a lost face, which detections miss, stays.
    pub max_lost: Duration,
    /// How long after its end a track continues with the same id if its face returns; zero: never.
    pub reattach: Duration,
    /// Number of detections that confirm a face. The faces of the first frame of a scene are confirmed at once, so that a
    /// photograph has faces too.
    pub min_hits: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: DetectionInterval::Auto,
            max_lost: Duration::from_millis(500),
            reattach: Duration::from_secs(5),
            min_hits: 2,
        }
    }
}

/// A confirmed face on the last frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedFace {
    /// Id of its track, from 1, never used twice.
    pub id: i32,
    /// Its box in pixels; may reach outside the frame.
    pub region: Region,
    /// Confidence of its last detection, 0 to 1.
    pub confidence: f64,
    /// Time since its first detection.
    pub age: Duration,
    /// Time since detections miss it; zero while they find it.
    pub lost: Duration,
    /// Its landmarks in pixels, moved with the box, from a detector that finds them.
    pub landmarks: Option<Landmarks>,
}

impl TrackedFace {
    /// The face on the grid of pixels.
    pub fn to_detected(&self) -> DetectedFace {
        let Region {
            x,
            y,
            width,
            height,
        } = self.region;
        DetectedFace {
            x: x.round() as i32,
            y: y.round() as i32,
            width: width.round() as u32,
            height: height.round() as u32,
            confidence: self.confidence,
            landmarks: self.landmarks,
        }
    }
}

/// A change in the set of tracked faces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrackEvent {
    /// The face was confirmed, or returned.
    Appeared {
        /// Id of its track.
        id: i32,
        /// Its box in pixels.
        region: Region,
    },
    /// The track ended.
    Ended {
        /// Id of its track.
        id: i32,
        /// Its last box in pixels.
        region: Region,
    },
}
