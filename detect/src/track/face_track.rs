//! The track of one face.

use std::collections::VecDeque;
use std::time::Duration;

use emotion_models::preprocess::Region;

use super::appearance::Look;
use super::kalman::{Filter, centre};
use super::template_matcher::Template;
use super::track_manager::Observation;

/// Past places are kept for results that come late, for so long ...
const HISTORY: Duration = Duration::from_secs(5);
/// ... and so many.
const PLACES: usize = 600;

/// A face that was seen for a moment only is not kept much longer, but for so long.
const LEAST_LOST: Duration = Duration::from_millis(100);

/// What the face looks like where it was last followed to.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub(super) template: Template,
    pub(super) centre: (f64, f64),
}

/// One face from its first detection on.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// None until it counts.
    pub(super) id: Option<i32>,
    pub(super) filter: Filter,
    pub(super) confidence: f64,
    /// Detections so far.
    pub(super) hits: u32,
    pub(super) born: Duration,
    /// When the picture of its last detection was taken.
    pub(super) seen: Duration,
    /// When it was last found for sure.
    sure: Duration,
    /// When it ended, if it did.
    pub(super) ended: Duration,
    /// Since when it was searched and not found.
    missed_since: Option<Duration>,
    /// Searches since then.
    misses: u32,
    pub(super) look: Option<Look>,
    pub(super) anchor: Option<Anchor>,
    /// It could not be followed to this frame.
    pub(super) is_weak: bool,
    /// Its last detection was taken in since it was last followed.
    pub(super) is_renewed: bool,
    /// Where it was last detected.
    pub(super) last_place: Region,
    places: VecDeque<(Duration, Region)>,
}

impl Track {
    /// A face that was seen in the picture taken `at`, of which it is `now` known.
    pub(super) fn new(seen: Observation, at: Duration, now: Duration) -> Self {
        let mut track = Self {
            id: None,
            filter: Filter::new(&seen.region),
            confidence: seen.confidence,
            hits: 1,
            born: at,
            seen: at,
            sure: at,
            ended: at,
            missed_since: None,
            misses: 0,
            look: seen.look,
            anchor: None,
            is_weak: false,
            is_renewed: true,
            last_place: seen.region,
            places: VecDeque::new(),
        };
        track.remember(at);
        track.remember(now);
        track
    }

    /// For how long the face is searched and not found; zero while it is.
    pub(super) fn lost(&self, now: Duration) -> Duration {
        self.missed_since
            .map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Since when searches do not find it.
    pub(super) fn missed_since(&self) -> Option<Duration> {
        self.missed_since
    }

    /// Whether the last search did not find it.
    pub(super) fn is_missed(&self) -> bool {
        self.missed_since.is_some()
    }

    /// Whether it is lost for so long, or for as long as it was seen if that is less, and not by one search alone while it
    /// could be followed: a slow detector comes again only later.
    pub(super) fn is_lost(&self, now: Duration, max_lost: Duration) -> bool {
        let seen = self.seen.saturating_sub(self.born).max(LEAST_LOST);
        self.is_missed()
            && self.lost(now) >= max_lost.min(seen)
            && (self.misses > 1 || self.is_weak)
    }

    /// Where the face was in the picture taken `at`; of times that are not known, the nearest.
    pub(super) fn region_at(&self, at: Duration) -> Region {
        let known = self.places.iter().rev().find(|(time, _)| *time <= at);
        known
            .or(self.places.front())
            .map_or_else(|| self.filter.region(), |(_, region)| *region)
    }

    /// Keeps the place of this moment.
    pub(super) fn remember(&mut self, now: Duration) {
        while self
            .places
            .front()
            .is_some_and(|(time, _)| now.saturating_sub(*time) > HISTORY)
            || self.places.len() >= PLACES
        {
            self.places.pop_front();
        }
        while self.places.back().is_some_and(|(time, _)| *time >= now) {
            self.places.pop_back();
        }
        self.places.push_back((now, self.filter.region()));
    }

    /// For how long it is not found for sure.
    pub(super) fn unsure(&self, at: Duration) -> Duration {
        at.saturating_sub(self.sure)
    }

    /// The face was searched in the picture taken `at` and not found.
    pub(super) fn miss(&mut self, at: Duration) {
        self.missed_since.get_or_insert(at);
        self.misses = self.misses.saturating_add(1);
    }

    /// The face was found in the picture taken `at`; what it did since then it did at its new place too.
    pub(super) fn see(&mut self, seen: &Observation, at: Duration, noise: f64, is_free: bool) {
        let then = self.region_at(at);
        let now = self.filter.region();
        let ((then_x, then_y), (now_x, now_y)) = (centre(&then), centre(&now));
        let (by_x, by_y) = ((now_x - then_x) as f32, (now_y - then_y) as f32);
        let carried = Region {
            x: seen.region.x + by_x,
            y: seen.region.y + by_y,
            ..seen.region
        };
        self.filter.correct(&carried, noise);
        // Later results are measured against the corrected track.
        let (x, y) = centre(&self.filter.region());
        let (by_x, by_y) = ((x - now_x) as f32, (y - now_y) as f32);
        for (_, place) in &mut self.places {
            place.x += by_x;
            place.y += by_y;
        }
        if let Some((_, last)) = self.places.back_mut() {
            *last = self.filter.region();
        }
        self.hits = self.hits.saturating_add(1);
        self.seen = self.seen.max(at);
        if seen.is_strong {
            self.sure = self.sure.max(at);
        }
        self.missed_since = None;
        self.misses = 0;
        self.is_renewed = true;
        self.confidence = seen.confidence;
        self.last_place = seen.region;
        if is_free && seen.is_strong {
            match (&mut self.look, &seen.look) {
                (Some(mean), Some(new)) => mean.blend(new),
                (None, Some(new)) => self.look = Some(new.clone()),
                (_, None) => {}
            }
        }
    }

    /// This is the face of a track that was gone.
    pub(super) fn go_on_as(&mut self, gone: Self) {
        self.id = gone.id;
        self.born = gone.born;
        // What it looks like as a whole was known before.
        self.look = gone.look.or(self.look.take());
    }

    /// How long it was seen up to the picture taken `at`.
    pub(super) fn lasted(&self, at: Duration) -> Duration {
        at.saturating_sub(self.born)
    }

    /// The face is found again after it was gone.
    pub(super) fn come_back(&mut self, seen: &Observation, at: Duration, now: Duration) {
        self.filter = Filter::new(&seen.region);
        self.places.clear();
        self.anchor = None;
        self.is_weak = false;
        self.remember(at);
        self.remember(now);
        self.see(seen, at, 1.0, false);
    }
}
