//! From frames to tracked faces.

use std::time::Duration;

use emotion_models::preprocess::{GreyRows, Region};

use super::appearance::Looker;
use super::detection_schedule::{Due, Pace, Situation};
use super::face_track::{Anchor, Track};
use super::kalman::centre;
use super::scene_change::Thumbnail;
use super::stream_clock::Clock;
use super::template_matcher::{self as motion, Found, Reach};
use super::track_manager::{Observation, Searched, Tracker, is_in_the_way};
use super::{Event, Options, TrackedFace};
use crate::DetectedFace;

/// A place that looks less like the face than this is not where it went, ...
const FOLLOWED: f32 = 0.6;
/// ... nor this where another face is in the way, ...
const FOLLOWED_BEHIND: f32 = 0.85;
/// ... nor one so far from where it is expected then, in sizes of the face.
const SURPRISE: f64 = 0.1;
/// What a face looks like is taken anew when it looks less like before.
const RENEWED: f32 = 0.9;
/// The part of the picture that is searched for a face, in sizes of the face.
const NEIGHBOURHOOD: f32 = 2.5;

/// A frame as the stream has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame {
    /// Its timestamp, if it has one.
    pub stamp: Option<Duration>,
    /// How long it lasts, if that is known.
    pub duration: Option<Duration>,
    /// The stream has no time for a detection.
    pub is_late: bool,
}

/// Where to detect on a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Nowhere.
    Nothing,
    /// In these parts of the picture.
    Parts(Vec<Region>),
    /// In the whole picture.
    Everything,
}

/// What a detector found.
#[derive(Debug, Clone, Copy)]
pub struct Detections<'a> {
    /// All that might be a face, also what is not sure enough to begin a track.
    pub faces: &'a [DetectedFace],
    /// The confidence from which a face may begin a track; less sure ones only continue one.
    pub strong: f64,
}

/// Follows the faces of a stream.
#[derive(Debug, Default)]
pub struct Follower {
    options: Options,
    clock: Clock,
    pace: Pace,
    tracker: Tracker,
    looker: Looker,
    motion: motion::Search,
    size: Option<(usize, usize)>,
    /// Scenes so far.
    scene: u64,
    /// Something else is looked for since the last search.
    is_demanded: bool,
    /// The picture to which the faces were followed last.
    followed: Thumbnail,
    /// The picture that was searched last.
    searched: Thumbnail,
}

impl Follower {
    /// Follows faces as `options` say.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Goes on with other options.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// The faces that count, where they are on the last frame.
    pub fn faces(&self) -> impl Iterator<Item = TrackedFace> {
        self.tracker.faces()
    }

    /// How many faces were counted so far.
    pub fn count(&self) -> u64 {
        self.tracker.count()
    }

    /// What happened since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.tracker.take_events()
    }

    /// The time of the last frame, by which late results name it.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The number of the scene: what was found in another one is of no use.
    pub fn scene(&self) -> u64 {
        self.scene
    }

    /// Lets the next frame be searched, because something else is looked for from now on: faces that are not found there
    /// go at once.
    pub fn demand_search(&mut self) {
        self.is_demanded = true;
        self.pace.demand();
    }

    /// Another segment of the stream begins, in which the timestamps start anew; the picture may go on.
    pub fn begin_segment(&mut self) {
        self.clock.begin_anew();
    }

    /// What comes has nothing to do with what was: ends all tracks.
    pub fn begin_scene(&mut self) {
        self.scene += 1;
        self.clock.begin_anew();
        self.tracker.end_all();
        self.pace.demand();
        self.followed = Thumbnail::default();
    }

    /// Follows the faces to the next frame, and says where to detect on it. What is found there goes to
    /// [`found`](Self::found) or, once it is known, to [`found_late`](Self::found_late).
    pub fn follow(&mut self, frame: Frame, picture: &impl GreyRows) -> Search {
        let size = (picture.width(), picture.height());
        if self.size.replace(size).is_some_and(|last| last != size) {
            self.begin_scene();
        }
        let now = self.clock.tick(frame.stamp, frame.duration);
        let thumbnail = Thumbnail::of(picture);
        let change = thumbnail.change_since(&self.followed);
        if change.is_cut {
            // The time goes on.
            self.scene += 1;
            self.tracker.end_all();
            self.pace.demand();
        }

        let whole = Region::whole(picture);
        let Self {
            tracker,
            motion,
            options,
            ..
        } = self;
        if change.share > 0.0 {
            let regions = regions(tracker);
            tracker.advance(now, &whole, options, |track, seconds| {
                let is_crowded = is_crowded(&regions, &track.filter.region());
                follow_track(motion, picture, track, seconds, is_crowded)
            });
            self.followed = thumbnail.clone();
        } else {
            tracker.advance(now, &whole, options, |_, _| Some((0.0, 0.0)));
        }

        let tracks = self.tracker.tracks();
        let due = self.pace.due(
            self.options.interval,
            Situation {
                now,
                change: thumbnail.change_since(&self.searched).share,
                is_unsure: tracks.iter().any(|track| track.id.is_none()),
                is_missed: tracks.iter().any(Track::is_missed),
                is_weak: tracks.iter().any(|track| track.is_weak),
            },
        );
        if frame.is_late || due == Due::Nowhere {
            return Search::Nothing;
        }
        self.pace.searched(now, due);
        if due == Due::Around {
            let around = tracks
                .iter()
                .filter(|track| track.id.is_none() || track.is_missed() || track.is_weak)
                .filter_map(|track| neighbourhood(&track.filter.region(), &whole));
            return Search::Parts(around.collect());
        }
        self.searched = thumbnail;
        Search::Everything
    }

    /// Takes what was found where the last [`follow`](Self::follow) said, on the very `picture`.
    pub fn found(&mut self, search: &Search, found: Detections<'_>, picture: &impl GreyRows) {
        let parts = match search {
            Search::Nothing => return,
            Search::Parts(parts) => Some(parts.as_slice()),
            Search::Everything => None,
        };
        let observations = self.observations(found, picture);
        let searched = Searched {
            at: self.clock.now(),
            parts,
            observations,
        };
        self.observe(searched);
        self.anchor(picture, |_, _| None);
    }

    /// Takes what was found everywhere in an `earlier` picture, that of the time `at`, while the last frame followed is
    /// `picture`. Faces that are new are looked for between there and here.
    pub fn found_late(
        &mut self,
        at: Duration,
        found: Detections<'_>,
        earlier: &impl GreyRows,
        picture: &impl GreyRows,
    ) {
        let observations = self.observations(found, earlier);
        let searched = Searched {
            at,
            parts: None,
            observations,
        };
        self.observe(searched);
        let seconds = self.clock.now().saturating_sub(at).as_secs_f64();
        self.anchor(picture, |motion, track| {
            if track.anchor.is_some() {
                return None;
            }
            let (place, side) = (centre(&track.last_place), track.filter.size());
            let template = motion.template(earlier, place, side)?;
            let found = motion.find(picture, &template, place, side, Reach::Far)?;
            let by = (found.centre.0 - place.0, found.centre.1 - place.1);
            (found.similarity >= FOLLOWED).then_some((seconds, by))
        });
    }

    fn observe(&mut self, mut searched: Searched<'_>) {
        let is_demanded = searched.parts.is_none() && std::mem::take(&mut self.is_demanded);
        if is_demanded {
            searched.observations.retain(|seen| seen.is_strong);
        }
        self.tracker.observe(searched, &self.options);
        if is_demanded {
            self.tracker.end_missed(&self.options);
        }
    }

    fn observations(&mut self, found: Detections<'_>, picture: &impl GreyRows) -> Vec<Observation> {
        let observe = |face: &DetectedFace| {
            let region = Region {
                x: face.x as f32,
                y: face.y as f32,
                width: face.width.max(1) as f32,
                height: face.height.max(1) as f32,
            };
            Observation {
                region,
                confidence: face.confidence,
                is_strong: face.confidence >= found.strong,
                look: self.looker.look(picture, &region),
            }
        };
        found.faces.iter().map(observe).collect()
    }

    /// Takes anew what the faces look like that were just found. `shift` says for a face that was found some seconds ago
    /// how far it moved since.
    fn anchor<P: GreyRows>(
        &mut self,
        picture: &P,
        shift: impl Fn(&mut motion::Search, &Track) -> Option<(f64, (f64, f64))>,
    ) {
        let regions = regions(&self.tracker);
        for track in self.tracker.tracks_mut() {
            if !std::mem::take(&mut track.is_renewed) {
                continue;
            }
            if let Some((seconds, by)) = shift(&mut self.motion, track) {
                track.filter.follow(seconds, by);
                track.remember(self.clock.now());
            }
            // With somebody in the way it looks like both.
            if track.anchor.is_none() || !is_crowded(&regions, &track.filter.region()) {
                renew(&mut self.motion, picture, track);
            }
        }
    }
}

fn regions(tracker: &Tracker) -> Vec<Region> {
    let tracks = tracker.tracks().iter();
    tracks.map(|track| track.filter.region()).collect()
}

/// Whether another of `regions`, of which `region` is one, is in its way.
fn is_crowded(regions: &[Region], region: &Region) -> bool {
    let near = regions.iter().filter(|other| is_in_the_way(region, other));
    near.count() > 1
}

/// How far the face of a track moved in the `seconds` up to this picture, if it is to be seen.
fn follow_track(
    motion: &mut motion::Search,
    picture: &impl GreyRows,
    track: &mut Track,
    seconds: f64,
    is_crowded: bool,
) -> Option<(f64, f64)> {
    let (vx, vy) = track.filter.velocity();
    let side = track.filter.size();
    let is_hidden = is_crowded && track.is_missed();
    let anchor = track.anchor.as_mut()?;
    let before = anchor.centre;
    let expected = (before.0 + vx * seconds, before.1 + vy * seconds);
    anchor.centre = expected;
    // Who is behind another face would be followed to that one.
    if is_hidden {
        track.is_weak = true;
        return None;
    }
    let found = motion.find(picture, &anchor.template, expected, side, Reach::Near);
    let is_it = |found: &Found| {
        let off = (found.centre.0 - expected.0).hypot(found.centre.1 - expected.1);
        if is_crowded {
            found.similarity >= FOLLOWED_BEHIND && off < SURPRISE * side
        } else {
            found.similarity >= FOLLOWED
        }
    };
    let Some(Found { centre, similarity }) = found.filter(is_it) else {
        track.is_weak = true;
        return None;
    };
    track.is_weak = false;
    anchor.centre = centre;
    if similarity < RENEWED
        && !is_crowded
        && let Some(template) = motion.template(picture, centre, side)
    {
        anchor.template = template;
    }
    Some((centre.0 - before.0, centre.1 - before.1))
}

/// Takes what the face of a track looks like from where it is now.
fn renew(motion: &mut motion::Search, picture: &impl GreyRows, track: &mut Track) {
    let (centre, side) = (centre(&track.filter.region()), track.filter.size());
    track.anchor = motion
        .template(picture, centre, side)
        .map(|template| Anchor { template, centre });
    track.is_weak = track.anchor.is_none();
}

/// The square about a face, moved into the picture; as large for every place, so that a network need not be laid out
/// anew.
fn neighbourhood(face: &Region, whole: &Region) -> Option<Region> {
    let margin = (NEIGHBOURHOOD - 1.0) / 2.0;
    let square = Region::face(face.x, face.y, face.width, face.height, margin);
    let side = square.width.ceil().min(whole.width).min(whole.height);
    (side >= 1.0).then(|| Region {
        x: square.x.floor().clamp(0.0, whole.width - side),
        y: square.y.floor().clamp(0.0, whole.height - side),
        width: side,
        height: side,
    })
}
