//! Joins detections into tracks: strong detections first, then weak ones for faces that would otherwise be missed
//! (ByteTrack, Zhang et al. 2022), then faces that return. Sees no pixels; appearances come with the observations.

use std::time::Duration;

use emotion_models::preprocess::Region;

use super::assignment::FORBIDDEN;
use super::association::{is_reachable, pair, reattachment_cost, strong_cost, weak_cost};
use super::face_track::FaceTrack;
use super::geometry::{is_within, touches_border};
use super::observation::{DetectionResult, Observation};
use super::occlusion::{completed, covered_share, is_occluded};
use super::{Options, TrackEvent, TrackedFace};
use crate::DetectedFace;

/// Noise of a weak detection's box, relative to that of a strong one.
const WEAK_NOISE: f64 = 1.6;
/// Two boxes that overlap more are one face.
const SAME_FACE_IOU: f32 = 0.4;
/// How long a face may take to enter the frame where another one left it, before it counts as a new one: while the border
/// cuts it off, its appearance is of no use.
const ENTERING: Duration = Duration::from_millis(600);
/// A face with a smaller share inside the frame has left it.
const MIN_VISIBLE_SHARE: f32 = 0.25;
/// Most ended tracks that are kept for faces that return.
const MAX_ENDED: usize = 64;

/// All tracks of a stream.
#[derive(Debug, Default)]
pub(super) struct TrackManager {
    tracks: Vec<FaceTrack>,
    /// Tracks that continue if their face returns.
    ended: Vec<FaceTrack>,
    last_id: i32,
    now: Duration,
    /// Extent of the last frame.
    frame: Option<Region>,
    /// Whether a frame of this scene was searched before.
    is_searched: bool,
    /// Time of the frame of the last detection in a whole frame.
    searched: Option<Duration>,
    /// Whether faces cannot be followed from the frame before the last to the last one.
    is_sparse: bool,
    events: Vec<TrackEvent>,
}

impl TrackManager {
    /// The running tracks, confirmed or not.
    pub(super) fn tracks(&self) -> &[FaceTrack] {
        &self.tracks
    }

    pub(super) fn tracks_mut(&mut self) -> &mut [FaceTrack] {
        &mut self.tracks
    }

    /// Number of faces confirmed so far.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.last_id.unsigned_abs())
    }

    /// Says whether faces cannot be followed from the frame before the last to the last one.
    pub(super) fn set_sparse(&mut self, is_sparse: bool) {
        self.is_sparse = is_sparse;
    }

    /// Whether the face of a track counts on the last frame: on a sparse one that was searched, only where it was found.
    fn is_shown(&self, track: &FaceTrack) -> bool {
        let was_searched = self.searched == Some(self.now);
        track.id.is_some() && !(self.is_sparse && was_searched && track.is_missed())
    }

    /// The confirmed faces.
    pub(super) fn faces(&self) -> impl Iterator<Item = TrackedFace> {
        let shown = self.tracks.iter().filter(|track| self.is_shown(track));
        shown.filter_map(|track| {
            Some(TrackedFace {
                id: track.id?,
                region: track.filter.region(),
                confidence: track.confidence,
                age: track.age(self.now),
                lost: track.lost_for(self.now),
                landmarks: track.landmarks(),
            })
        })
    }

    /// The tracks that are not among the [faces](Self::faces).
    pub(super) fn candidates(&self) -> impl Iterator<Item = DetectedFace> {
        let hidden = self.tracks.iter().filter(|track| !self.is_shown(track));
        hidden.map(|track| {
            let region = track.filter.region();
            DetectedFace {
                x: region.x.round() as i32,
                y: region.y.round() as i32,
                width: region.width.round() as u32,
                height: region.height.round() as u32,
                confidence: track.confidence,
                landmarks: None,
            }
        })
    }

    /// Whether a frame of this scene was searched.
    pub(super) fn is_searched(&self) -> bool {
        self.is_searched
    }

    /// The events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<TrackEvent> {
        std::mem::take(&mut self.events)
    }

    /// Advances to the time `now`. `motion` returns how far the face of a track moved in the given seconds, in pixels, if
    /// that was measured.
    pub(super) fn advance(
        &mut self,
        now: Duration,
        frame: &Region,
        options: &Options,
        mut motion: impl FnMut(&mut FaceTrack, f64) -> Option<(f64, f64)>,
    ) {
        let seconds = now.saturating_sub(self.now).as_secs_f64();
        self.now = now;
        self.frame = Some(*frame);
        for track in &mut self.tracks {
            match motion(track, seconds) {
                Some(by) => track.filter.follow(seconds, by),
                None => {
                    track.filter.predict(seconds);
                    if track.is_missed() {
                        track.filter.slow_down(seconds);
                    }
                }
            }
            track.record_position(now);
        }
        self.end(options, |track| {
            let share = track.filter.region().share_in(frame);
            track.is_over(now, options.max_lost) || share < MIN_VISIBLE_SHARE
        });
        self.ended
            .retain(|track| now.saturating_sub(track.ended) <= options.reattach);
    }

    /// Ends all tracks, because a new scene begins.
    pub(super) fn end_all(&mut self) {
        for track in self.tracks.drain(..) {
            if let Some(id) = track.id {
                let region = track.filter.region();
                self.events.push(TrackEvent::Ended { id, region });
            }
        }
        self.ended.clear();
        self.is_searched = false;
    }

    /// Ends the tracks that the last detection missed.
    pub(super) fn end_missed(&mut self, options: &Options) {
        self.end(options, FaceTrack::is_missed);
    }

    /// Ends the tracks that satisfy `is_over`, and keeps the confirmed ones for faces that return.
    fn end(&mut self, options: &Options, is_over: impl Fn(&FaceTrack) -> bool) {
        let (ended, running): (Vec<_>, Vec<_>) = self.tracks.drain(..).partition(is_over);
        self.tracks = running;
        for mut track in ended {
            track.ended = self.now;
            let Some(id) = track.id else { continue };
            let region = track.filter.region();
            self.events.push(TrackEvent::Ended { id, region });
            if !options.reattach.is_zero() {
                self.ended.push(track);
            }
        }
        let surplus = self.ended.len().saturating_sub(MAX_ENDED);
        self.ended.drain(..surplus);
    }

    /// Updates the tracks with the result of a detection.
    pub(super) fn update(&mut self, result: DetectionResult<'_>, options: &Options) {
        let DetectionResult {
            at,
            regions,
            observations,
        } = result;
        let mut unmatched: Vec<usize> = (0..self.tracks.len())
            .filter(|&index| is_within(regions, &self.tracks[index].region_at(at)))
            .collect();
        let (mut strong, mut weak): (Vec<_>, Vec<_>) = observations
            .into_iter()
            .partition(|observation| observation.is_strong);
        let mut matched = Vec::new();

        let occluders: Vec<Option<Region>> = (0..self.tracks.len())
            .map(|index| self.occluder(index, at))
            .collect();
        for (index, observation) in pair(&mut unmatched, &mut strong, |&index, observation| {
            let occluder = occluders[index].as_ref();
            strong_cost(&self.tracks[index], occluder, observation, at)
        }) {
            self.update_track(index, observation, occluders[index], at, 1.0, options);
            matched.push(index);
        }
        // A weak detection does not confirm a face: without another strong one there was none.
        unmatched.retain(|&index| self.tracks[index].id.is_some());
        for (index, observation) in pair(&mut unmatched, &mut weak, |&index, observation| {
            weak_cost(&self.tracks[index], observation, at)
        }) {
            // Weak detections bridge gaps; a track that has nothing else is not a face.
            let missed_since = self.tracks[index].missed_since();
            self.update_track(
                index,
                observation,
                occluders[index],
                at,
                WEAK_NOISE,
                options,
            );
            matched.push(index);
            let track = &mut self.tracks[index];
            if track.time_without_strong(at) > options.max_lost {
                track.mark_missed(missed_since.unwrap_or(at));
            }
        }
        for &index in &unmatched {
            self.tracks[index].mark_missed(at);
        }
        let matched: Vec<Region> = matched
            .iter()
            .map(|&index: &usize| self.tracks[index].region_at(at))
            .collect();
        self.tracks.retain(|track| {
            let was_searched = is_within(regions, &track.region_at(at));
            track.id.is_some() || track.last_seen >= at || !was_searched
        });

        // The border of a searched region may cut faces off, so only whole frames begin tracks.
        if regions.is_none() {
            strong.retain(|observation| {
                let is_same = |region: &Region| region.iou(&observation.region) > SAME_FACE_IOU;
                !matched.iter().any(is_same)
            });
            self.reattach(&mut strong, at);
            for observation in strong {
                self.begin(observation, at, options);
            }
            self.is_searched = true;
            self.searched = Some(at);
        }
    }

    /// Updates a track with its observation, whose noise is `noise` times that of a strong detection.
    fn update_track(
        &mut self,
        index: usize,
        mut observation: Observation,
        occluder: Option<Region>,
        at: Duration,
        noise: f64,
        options: &Options,
    ) {
        let track = &mut self.tracks[index];
        if let Some(occluder) = occluder {
            let whole = track.whole_region_at(at);
            observation.region = completed(&observation.region, &whole, &occluder);
        }
        track.update(&observation, at, noise, occluder.is_none());
        if track.id.is_none() && track.hits >= options.min_hits {
            self.confirm_or_reattach(index, &observation, at);
        }
    }

    /// The face whose head hides most of the face of a track, if any does.
    fn occluder(&self, index: usize, at: Duration) -> Option<Region> {
        let region = self.tracks[index].region_at(at);
        let others = self.tracks.iter().enumerate();
        others
            .filter(|(other, _)| *other != index)
            .map(|(_, track)| track.region_at(at))
            .filter(|other| is_occluded(&region, other))
            .max_by(|a, b| covered_share(&region, a).total_cmp(&covered_share(&region, b)))
    }

    /// Gives a track the id of an ended track if it shows the same face, or else a new id.
    fn confirm_or_reattach(&mut self, index: usize, observation: &Observation, at: Duration) {
        let costs = self.ended.iter();
        let costs = costs.map(|ended| reattachment_cost(ended, observation, at));
        let best = costs.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((ended, cost)) = best
            && cost < FORBIDDEN
        {
            let ended = self.ended.remove(ended);
            let track = &mut self.tracks[index];
            track.continue_ended(ended);
            self.events.extend(track.id.map(|id| TrackEvent::Appeared {
                id,
                region: track.filter.region(),
            }));
            return;
        }
        let is_entering = self.tracks[index].age(at) < ENTERING
            && self
                .frame
                .is_some_and(|frame| touches_border(&observation.region, &frame))
            && self
                .ended
                .iter()
                .any(|ended| is_reachable(ended, observation, at));
        if !is_entering {
            self.confirm(index);
        }
    }

    /// Gives a track its id.
    fn confirm(&mut self, index: usize) {
        self.last_id = self.last_id.saturating_add(1);
        let track = &mut self.tracks[index];
        track.id = Some(self.last_id);
        self.events.push(TrackEvent::Appeared {
            id: self.last_id,
            region: track.filter.region(),
        });
    }

    fn begin(&mut self, observation: Observation, at: Duration, options: &Options) {
        self.tracks.push(FaceTrack::new(observation, at, self.now));
        // The first frame of a scene may be its only one, as in a photograph, and a sparse one the only one with this face.
        if !self.is_searched || self.is_sparse || options.min_hits <= 1 {
            self.confirm(self.tracks.len() - 1);
        }
    }

    /// Continues the ended tracks whose faces are among the strong observations.
    fn reattach(&mut self, strong: &mut Vec<Observation>, at: Duration) {
        for (mut track, observation) in pair(&mut self.ended, strong, |ended, observation| {
            reattachment_cost(ended, observation, at)
        }) {
            track.restart(&observation, at, self.now);
            if let Some(id) = track.id {
                let region = track.filter.region();
                self.events.push(TrackEvent::Appeared { id, region });
            }
            self.tracks.push(track);
        }
    }
}
