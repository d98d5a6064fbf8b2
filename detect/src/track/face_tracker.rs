//! The tracker: from frames and detections to tracked faces.

use std::time::Duration;

use emotion_models::preprocess::{GreyRows, Region};

use super::appearance::AppearanceExtractor;
use super::detection_schedule::{DetectionSchedule, DueDetection, FrameConditions};
use super::face_track::FaceTrack;
use super::following::{MIN_SIMILARITY, follow_track, is_occluded_by_any, regions, renew_anchor};
use super::observation::{DetectionResult, Observation};
use super::scene_change::Thumbnail;
use super::stream_clock::StreamClock;
use super::template_matcher::{SearchRange, TemplateMatcher};
use super::track_manager::TrackManager;
use super::{Options, TrackEvent, TrackedFace};
use crate::DetectedFace;

/// After a longer time from one frame to the next, a face may be anywhere.
const SPARSE: Duration = Duration::from_millis(200);
/// Faces are small below this share of the frame's longer side: twice the size that is found reliably without tiles.
const SMALL: f32 = 1.0 / 16.0;
/// Time between detections in tiles while no face is small.
const TILING_INTERVAL: Duration = Duration::from_secs(2);
/// Side of the region that is searched around a face, in sizes of the face.
const NEIGHBOURHOOD: f32 = 2.5;

/// When a frame is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameTiming {
    /// Timestamp of the frame, if it has one.
    pub timestamp: Option<Duration>,
    /// Duration of the frame, if known.
    pub duration: Option<Duration>,
    /// Whether the stream has no time for a detection.
    pub is_late: bool,
    /// Whether a detection in an earlier frame has not ended: there is none in this one then.
    pub is_searching: bool,
}

/// Where to detect in a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum DetectionRequest {
    /// Nowhere.
    None,
    /// In these regions, in pixels.
    Regions(Vec<Region>),
    /// In the whole frame.
    WholeFrame {
        /// Whether far faces are worth the time that tiles take, where the options leave their number open.
        with_tiles: bool,
    },
}

/// The output of a detector.
#[derive(Debug, Clone, Copy)]
pub struct Detections<'a> {
    /// All detected faces, also those too weak to begin a track.
    pub faces: &'a [DetectedFace],
    /// Confidence from which a face may begin a track; weaker ones only continue one.
    pub strong_confidence: f64,
}

/// Tracks the faces of a stream.
#[derive(Debug, Default)]
pub struct FaceTracker {
    options: Options,
    clock: StreamClock,
    schedule: DetectionSchedule,
    tracks: TrackManager,
    appearances: AppearanceExtractor,
    matcher: TemplateMatcher,
    size: Option<(usize, usize)>,
    /// Number of scenes so far.
    scene: u64,
    /// Whether the detection options changed since the last whole-frame detection.
    are_options_new: bool,
    /// The last frame to which the faces were followed.
    followed: Thumbnail,
    /// The last frame with a whole-frame detection.
    searched: Thumbnail,
    /// Time of the last detection in tiles of this scene.
    tiled: Option<Duration>,
}

impl FaceTracker {
    /// A tracker with these options.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Changes the options.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// The confirmed faces on the last frame.
    pub fn faces(&self) -> impl Iterator<Item = TrackedFace> {
        self.tracks.faces()
    }

    /// What was found on the last frames and is not confirmed as a face yet.
    pub fn candidates(&self) -> impl Iterator<Item = DetectedFace> {
        self.tracks.candidates()
    }

    /// Whether a whole frame of this scene was searched.
    pub fn is_searched(&self) -> bool {
        self.tracks.is_searched()
    }

    /// Number of faces confirmed so far.
    pub fn count(&self) -> u64 {
        self.tracks.count()
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<TrackEvent> {
        self.tracks.take_events()
    }

    /// Time of the last frame, which late results name.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Number of the scene; detections in another scene are of no use.
    pub fn scene(&self) -> u64 {
        self.scene
    }

    /// Requests a detection in the whole next frame, because the detector's options changed. Faces that it misses end at
    /// once.
    pub fn restart_detection(&mut self) {
        self.are_options_new = true;
        self.schedule.reset();
    }

    /// Begins another segment of the stream: the timestamps start anew, but the image may continue.
    pub fn begin_segment(&mut self) {
        self.clock.begin_segment();
    }

    /// Begins another scene and ends all tracks.
    pub fn begin_scene(&mut self) {
        self.cut();
        self.clock.begin_segment();
        self.followed = Thumbnail::default();
    }

    /// Ends all tracks while the time goes on.
    fn cut(&mut self) {
        self.scene += 1;
        self.tracks.end_all();
        self.schedule.reset();
        self.tiled = None;
    }

    /// Follows the faces to the next frame, and returns where to detect in it. The detections go to
    /// [`add_detections`](Self::add_detections) or, if they come later, to
    /// [`add_late_detections`](Self::add_late_detections).
    pub fn follow(&mut self, timing: FrameTiming, image: &impl GreyRows) -> DetectionRequest {
        let size = (image.width(), image.height());
        if self.size.replace(size).is_some_and(|last| last != size) {
            self.begin_scene();
        }
        let last = self.clock.now();
        let now = self.clock.tick(timing.timestamp, timing.duration);
        let is_sparse = now.saturating_sub(last) > SPARSE;
        let thumbnail = Thumbnail::of(image);
        let change = thumbnail.change_since(&self.followed);
        if change.is_cut {
            self.cut();
        }

        let whole = Region::whole(image);
        let Self {
            tracks,
            matcher,
            options,
            ..
        } = self;
        if change.share > 0.0 {
            let regions = regions(tracks);
            tracks.advance(now, &whole, options, |track, seconds| {
                let is_occluded = is_occluded_by_any(&regions, &track.filter.region());
                follow_track(matcher, image, track, seconds, is_occluded)
            });
            self.followed = thumbnail.clone();
        } else {
            tracks.advance(now, &whole, options, |_, _| Some((0.0, 0.0)));
        }

        self.tracks.set_sparse(is_sparse);
        let tracks = self.tracks.tracks();
        let due = self.schedule.due(
            self.options.interval,
            FrameConditions {
                now,
                is_sparse,
                change: thumbnail.change_since(&self.searched).share,
                has_unconfirmed: tracks.iter().any(|track| track.id.is_none()),
                has_missed: tracks.iter().any(FaceTrack::is_missed),
                has_unfollowed: tracks.iter().any(|track| track.is_unfollowed),
            },
        );
        // The first frame of a scene is searched however late it is: there is nothing to follow.
        let is_late = timing.is_late && self.tracks.is_searched();
        if is_late || timing.is_searching || due == DueDetection::None {
            return DetectionRequest::None;
        }
        self.schedule.record(now, due);
        if due == DueDetection::AroundFaces {
            let regions = tracks
                .iter()
                .filter(|track| track.id.is_none() || track.is_missed() || track.is_unfollowed)
                .filter_map(|track| neighbourhood(&track.filter.region(), &whole));
            return DetectionRequest::Regions(regions.collect());
        }
        let with_tiles = self.is_tiling_due(now, &whole);
        if with_tiles {
            self.tiled = Some(now);
        }
        self.searched = thumbnail;
        DetectionRequest::WholeFrame { with_tiles }
    }

    /// Whether to detect in tiles too: while there are small faces, and now and then for those that only tiles show.
    fn is_tiling_due(&self, now: Duration, whole: &Region) -> bool {
        let small = f64::from(SMALL * whole.width.max(whole.height));
        let mut tracks = self.tracks.tracks().iter();
        tracks.any(|track| track.filter.size() < small)
            || (self.tiled).is_none_or(|last| now.saturating_sub(last) >= TILING_INTERVAL)
    }

    /// Adds the detections in `image`, the last frame, which [`follow`](Self::follow) requested.
    pub fn add_detections(
        &mut self,
        request: &DetectionRequest,
        detections: Detections<'_>,
        image: &impl GreyRows,
    ) {
        let regions = match request {
            DetectionRequest::None => return,
            DetectionRequest::Regions(regions) => Some(regions.as_slice()),
            DetectionRequest::WholeFrame { .. } => None,
        };
        self.update(self.clock.now(), regions, detections, image);
        self.renew_anchors(image, |_, _| None);
    }

    /// Adds the detections in the whole of an `earlier` frame, that of the time `at`, while `image` is the last frame. New
    /// faces are followed from there to here.
    pub fn add_late_detections(
        &mut self,
        at: Duration,
        detections: Detections<'_>,
        earlier: &impl GreyRows,
        image: &impl GreyRows,
    ) {
        self.update(at, None, detections, earlier);
        let seconds = self.clock.now().saturating_sub(at).as_secs_f64();
        self.renew_anchors(image, |matcher, track| {
            if track.anchor.is_some() {
                return None;
            }
            let (from, side) = (track.last_detected.centre(), track.filter.size());
            let template = matcher.template(earlier, from, side)?;
            let found = matcher.find(image, &template, from, side, SearchRange::Far)?;
            let by = (found.centre.0 - from.0, found.centre.1 - from.1);
            (found.similarity >= MIN_SIMILARITY).then_some((seconds, by))
        });
    }

    /// Updates the tracks with detections in `regions` of `image`, the frame of the time `at`.
    fn update(
        &mut self,
        at: Duration,
        regions: Option<&[Region]>,
        detections: Detections<'_>,
        image: &impl GreyRows,
    ) {
        let observe = |face: &DetectedFace| {
            let region = Region {
                width: face.width.max(1) as f32,
                height: face.height.max(1) as f32,
                ..face.region()
            };
            Observation {
                region,
                confidence: face.confidence,
                is_strong: face.confidence >= detections.strong_confidence,
                appearance: self.appearances.extract(image, &region),
                landmarks: face.landmarks,
            }
        };
        let mut observations: Vec<_> = detections.faces.iter().map(observe).collect();
        let are_options_new = regions.is_none() && std::mem::take(&mut self.are_options_new);
        if are_options_new {
            observations.retain(|observation| observation.is_strong);
        }
        let result = DetectionResult {
            at,
            regions,
            observations,
        };
        self.tracks.update(result, &self.options);
        if are_options_new {
            self.tracks.end_missed(&self.options);
        }
    }

    /// Renews the templates of the faces that were just detected. `motion` returns, for a face in an earlier frame, the
    /// seconds since then and how far it moved, in pixels.
    fn renew_anchors(
        &mut self,
        image: &impl GreyRows,
        motion: impl Fn(&mut TemplateMatcher, &FaceTrack) -> Option<(f64, (f64, f64))>,
    ) {
        let regions = regions(&self.tracks);
        for track in self.tracks.tracks_mut() {
            if !std::mem::take(&mut track.was_detected) {
                continue;
            }
            if let Some((seconds, by)) = motion(&mut self.matcher, track) {
                track.filter.follow(seconds, by);
                track.record_position(self.clock.now());
            }
            // The template of an occluded face would show both faces.
            if track.anchor.is_none() || !is_occluded_by_any(&regions, &track.filter.region()) {
                renew_anchor(&mut self.matcher, image, track);
            }
        }
    }
}

/// The square around a face, moved into the frame. Its side does not depend on the position, so that the network need not
/// be prepared for another size.
fn neighbourhood(face: &Region, whole: &Region) -> Option<Region> {
    let margin = (NEIGHBOURHOOD - 1.0) / 2.0;
    let square = Region::face(face.x, face.y, face.width, face.height, margin);
    let side = square.width.ceil().min(whole.width).min(whole.height);
    (side >= 1.0).then(|| {
        Region::new(
            square.x.floor().clamp(0.0, whole.width - side),
            square.y.floor().clamp(0.0, whole.height - side),
            side,
            side,
        )
    })
}
