//! The track of one face.

use std::collections::VecDeque;
use std::time::Duration;

use emotion_models::preprocess::{Landmarks, Region};

use super::appearance::Appearance;
use super::kalman::KalmanFilter;
use super::observation::Observation;
use super::template_matcher::Template;

/// How long past positions are kept for late results, ...
const MAX_HISTORY: Duration = Duration::from_secs(5);
/// ... and how many of them.
const MAX_POSITIONS: usize = 600;

/// The least time after which a lost face that was seen only for a moment ends.
const MIN_LOST: Duration = Duration::from_millis(100);

/// The pixels of a face and where they were found last.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub(super) template: Template,
    pub(super) centre: (f64, f64),
}

/// One face from its first detection on.
#[derive(Debug, Clone)]
pub(super) struct FaceTrack {
    /// None until the face is confirmed.
    pub(super) id: Option<i32>,
    pub(super) filter: KalmanFilter,
    pub(super) confidence: f64,
    /// Number of detections so far.
    pub(super) hits: u32,
    first_seen: Duration,
    /// Time of the frame of the last detection.
    pub(super) last_seen: Duration,
    /// Time of the frame of the last strong detection.
    last_strong: Duration,
    /// When the track ended, if it did.
    pub(super) ended: Duration,
    /// Time of the first detection that missed the face since the last one that found it.
    missed_since: Option<Duration>,
    /// Number of detections that missed it since then.
    misses: u32,
    pub(super) appearance: Option<Appearance>,
    pub(super) anchor: Option<Anchor>,
    /// Whether its pixels could not be found in the last frame.
    pub(super) is_unfollowed: bool,
    /// Whether a detection was added since its pixels were followed last.
    pub(super) was_detected: bool,
    /// Box of the last detection.
    pub(super) last_detected: Region,
    /// Width and height of the face when nothing hid a part of it last: what is visible of it behind another one shrinks.
    whole_size: (f32, f32),
    /// Those of the last detection that told them, in fractions of its box: they move with the face.
    landmarks: Option<Landmarks>,
    positions: VecDeque<(Duration, Region)>,
}

impl FaceTrack {
    /// A face detected in the frame of the time `at`, which is known at the time `now`.
    pub(super) fn new(observation: Observation, at: Duration, now: Duration) -> Self {
        let landmarks = observation.landmark_fractions();
        let mut track = Self {
            id: None,
            filter: KalmanFilter::new(&observation.region),
            confidence: observation.confidence,
            hits: 1,
            first_seen: at,
            last_seen: at,
            last_strong: at,
            ended: at,
            missed_since: None,
            misses: 0,
            appearance: observation.appearance,
            anchor: None,
            is_unfollowed: false,
            was_detected: true,
            last_detected: observation.region,
            whole_size: (observation.region.width, observation.region.height),
            landmarks,
            positions: VecDeque::new(),
        };
        track.record_position(at);
        track.record_position(now);
        track
    }

    /// The landmarks on the last frame, in pixels.
    pub(super) fn landmarks(&self) -> Option<Landmarks> {
        let region = self.filter.region();
        self.landmarks.map(|landmarks| landmarks.to_pixels(&region))
    }

    /// Time since the first detection.
    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.first_seen)
    }

    /// How long the face has been lost; zero while detections find it.
    pub(super) fn lost_for(&self, now: Duration) -> Duration {
        self.missed_since
            .map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Since when detections miss the face.
    pub(super) fn missed_since(&self) -> Option<Duration> {
        self.missed_since
    }

    /// Whether the last detection missed the face.
    pub(super) fn is_missed(&self) -> bool {
        self.missed_since.is_some()
    }

    /// Whether the track is over: the face is lost for `max_lost`, or for as long as it was seen if that is less. A single
    /// miss does not end a track that could be followed, because a slow detector runs again only later.
    pub(super) fn is_over(&self, now: Duration, max_lost: Duration) -> bool {
        let seen = self.last_seen.saturating_sub(self.first_seen).max(MIN_LOST);
        self.is_missed()
            && self.lost_for(now) >= max_lost.min(seen)
            && (self.misses > 1 || self.is_unfollowed)
    }

    /// Box of the face in the frame of the time `at`, or of the nearest known time.
    pub(super) fn region_at(&self, at: Duration) -> Region {
        let known = self.positions.iter().rev().find(|(time, _)| *time <= at);
        known
            .or(self.positions.front())
            .map_or_else(|| self.filter.region(), |(_, region)| *region)
    }

    /// The same of the whole face where another one hides a part of it.
    pub(super) fn whole_region_at(&self, at: Duration) -> Region {
        let (x, y) = self.region_at(at).centre();
        let (width, height) = self.whole_size;
        Region::new(
            x as f32 - width / 2.0,
            y as f32 - height / 2.0,
            width,
            height,
        )
    }

    /// Keeps the position at the time `now`.
    pub(super) fn record_position(&mut self, now: Duration) {
        while self
            .positions
            .front()
            .is_some_and(|(time, _)| now.saturating_sub(*time) > MAX_HISTORY)
            || self.positions.len() >= MAX_POSITIONS
        {
            self.positions.pop_front();
        }
        while self.positions.back().is_some_and(|(time, _)| *time >= now) {
            self.positions.pop_back();
        }
        self.positions.push_back((now, self.filter.region()));
    }

    /// Time since the last strong detection.
    pub(super) fn time_without_strong(&self, at: Duration) -> Duration {
        at.saturating_sub(self.last_strong)
    }

    /// A detection in the frame of the time `at` missed the face.
    pub(super) fn mark_missed(&mut self, at: Duration) {
        self.missed_since.get_or_insert(at);
        self.misses = self.misses.saturating_add(1);
    }

    /// Adds a detection in the frame of the time `at`. The motion since then is kept and starts from the corrected
    /// position. Only an unoccluded face updates the appearance.
    pub(super) fn update(
        &mut self,
        observation: &Observation,
        at: Duration,
        noise: f64,
        is_unoccluded: bool,
    ) {
        let then = self.region_at(at);
        let now = self.filter.region();
        let ((then_x, then_y), (now_x, now_y)) = (then.centre(), now.centre());
        let (by_x, by_y) = ((now_x - then_x) as f32, (now_y - then_y) as f32);
        let moved = Region {
            x: observation.region.x + by_x,
            y: observation.region.y + by_y,
            ..observation.region
        };
        self.filter.correct(&moved, noise);
        if is_unoccluded {
            let whole = self.filter.region();
            self.whole_size = (whole.width, whole.height);
        }
        // Later results are compared with the corrected positions.
        let (x, y) = self.filter.region().centre();
        let (by_x, by_y) = ((x - now_x) as f32, (y - now_y) as f32);
        for (_, region) in &mut self.positions {
            region.x += by_x;
            region.y += by_y;
        }
        if let Some((_, last)) = self.positions.back_mut() {
            *last = self.filter.region();
        }
        self.hits = self.hits.saturating_add(1);
        self.last_seen = self.last_seen.max(at);
        if observation.is_strong {
            self.last_strong = self.last_strong.max(at);
        }
        self.missed_since = None;
        self.misses = 0;
        self.was_detected = true;
        self.confidence = observation.confidence;
        self.last_detected = observation.region;
        self.landmarks = observation.landmark_fractions();
        if is_unoccluded && observation.is_strong {
            match (&mut self.appearance, &observation.appearance) {
                (Some(mean), Some(new)) => mean.blend(new),
                (None, Some(new)) => self.appearance = Some(new.clone()),
                (_, None) => {}
            }
        }
    }

    /// Takes over the identity of an ended track of the same face.
    pub(super) fn continue_ended(&mut self, ended: Self) {
        self.id = ended.id;
        self.first_seen = ended.first_seen;
        // The earlier appearance is that of more frames.
        self.appearance = ended.appearance.or(self.appearance.take());
    }

    /// Starts the track anew where its face returned.
    pub(super) fn restart(&mut self, observation: &Observation, at: Duration, now: Duration) {
        self.filter = KalmanFilter::new(&observation.region);
        self.whole_size = (observation.region.width, observation.region.height);
        self.positions.clear();
        self.anchor = None;
        self.is_unfollowed = false;
        self.record_position(at);
        self.record_position(now);
        self.update(observation, at, 1.0, false);
    }
}
