//! Detections as tracks take them.

use std::time::Duration;

use emotion_models::preprocess::{Landmarks, Region};

use super::appearance::Appearance;

/// A detection with the appearance of its face.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    pub(super) region: Region,
    pub(super) confidence: f64,
    /// Whether the confidence suffices to begin a track.
    pub(super) is_strong: bool,
    pub(super) appearance: Option<Appearance>,
    /// In pixels.
    pub(super) landmarks: Option<Landmarks>,
}

impl Observation {
    /// The landmarks in fractions of the box.
    pub(super) fn landmark_fractions(&self) -> Option<Landmarks> {
        self.landmarks
            .map(|landmarks| landmarks.to_fractions(&self.region))
    }
}

/// All observations of one detection run.
#[derive(Debug)]
pub(super) struct DetectionResult<'a> {
    /// Time of the searched frame: now, or some time ago.
    pub(super) at: Duration,
    /// The searched regions; `None` for the whole frame.
    pub(super) regions: Option<&'a [Region]>,
    pub(super) observations: Vec<Observation>,
}
