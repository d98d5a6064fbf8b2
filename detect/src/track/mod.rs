//! Which face is which, from one frame to the next, and where it is on the frames that nobody searched.
//!
//! Detection is dear and now and then wrong; following a face by its looks is cheap and drifts. So both are joined: a
//! [`Follower`] says on each frame whether and where to detect, moves the faces by what their pixels do in between, and
//! makes tracks of the detections, with ids that stay while a face stays. Everything is measured in times and not in
//! frames, so that the same settings serve a film, a security camera and a stream with gaps. Knows no GStreamer and no
//! detector.

mod appearance;
mod assignment;
mod detection_schedule;
mod face_track;
mod face_tracker;
mod kalman;
mod scene_change;
mod stream_clock;
mod template_matcher;
mod track_manager;

use std::time::Duration;

use emotion_models::preprocess::Region;

pub use assignment::assign;
pub use detection_schedule::{Interval, NoInterval};
pub use face_tracker::{Detections, Follower, Frame, Search};

/// How faces are tracked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// When to detect.
    pub interval: Interval,
    /// How long a face goes on that is searched and not found.
    pub max_lost: Duration,
    /// How long after that it keeps its id if it comes back; zero: it never does.
    pub reattach: Duration,
    /// How often a face must be found until it counts. The faces of a scene's first picture count at once, or there would
    /// be none on a photograph.
    pub min_hits: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: Interval::Auto,
            max_lost: Duration::from_millis(500),
            reattach: Duration::from_secs(5),
            min_hits: 2,
        }
    }
}

/// A face that counts, on the last frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedFace {
    /// The id of its track, from 1, never used twice.
    pub id: i32,
    /// Where it is, in pixels; it may reach outside the picture.
    pub region: Region,
    /// How sure its last detection was, 0 to 1.
    pub confidence: f64,
    /// How long ago it was found first.
    pub age: Duration,
    /// For how long it is searched and not found; zero while it is found.
    pub lost: Duration,
}

/// What happened to a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// It counts from now on, or came back.
    Appeared {
        /// Its track.
        id: i32,
        /// Where it is.
        region: Region,
    },
    /// It is no longer there.
    Lost {
        /// Its track.
        id: i32,
        /// Where it was.
        region: Region,
    },
}
