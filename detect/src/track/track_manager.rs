//! Detections become tracks: strong ones first, then weak ones for faces that would otherwise be missed (ByteTrack, Zhang
//! et al. 2022), then faces that come back. Knows no pixels; looks come from outside where they are to be had.

use std::time::Duration;

use emotion_models::preprocess::Region;

use super::appearance::Look;
use super::assignment::{FORBIDDEN, assign};
use super::face_track::Track;
use super::kalman::centre;
use super::{Event, Options, TrackedFace};

/// A detection may lie so far from where its face is expected, in sizes of the face, ...
const GATE: f64 = 0.7;
/// ... and farther where that is uncertain, up to this.
const WIDEST_GATE: f64 = 2.0;
/// A face's size changes by no more than this factor from one detection to the next.
const RESIZED: f64 = 2.0;
/// How much looks weigh beside places.
const LOOKS_WEIGHT: f64 = 0.6;
/// What a weak detection must overlap to be that face.
const WEAK_IOU: f32 = 0.25;
/// How much noisier a weak detection's box is.
const WEAK_NOISE: f64 = 1.6;
/// A face that comes back is known by its looks alone from this similarity on, ...
const KNOWN: f32 = 0.8;
/// ... and near where it went from this.
const PLAUSIBLE: f32 = 0.45;
/// A detection that overlaps the expected box less is a surprise.
const SURPRISING: f32 = 0.3;
/// One that overlaps it so much is where it was expected.
const IN_ITS_PLACE: f32 = 0.5;
/// Two boxes that overlap more are one face.
const SAME: f32 = 0.4;
/// How far a head reaches beyond the box of its face, in its sizes on each side.
const HEAD: f32 = 0.3;
/// Somebody is in the way of a face of which their head covers a larger share.
const IN_THE_WAY: f32 = 0.1;
/// Of a face with another one in its way so little may be seen, as a share of its expected length, that the rest is taken
/// to be hidden.
const CUT_OFF: f32 = 0.9;
/// A face that the picture's border cuts off looks like nobody: where somebody left not long ago, it is given so long to
/// come in before it counts as another one.
const COMING_IN: Duration = Duration::from_millis(600);
/// A face of which less is inside the picture has left it.
const VISIBLE: f32 = 0.25;
/// Faces that are remembered for coming back, at most.
const REMEMBERED: usize = 64;

/// A detection.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    pub(super) region: Region,
    pub(super) confidence: f64,
    /// Sure enough to begin a track.
    pub(super) is_strong: bool,
    pub(super) look: Option<Look>,
}

/// A search and what it found.
#[derive(Debug)]
pub(super) struct Searched<'a> {
    /// When the searched picture was taken: now, or some time ago.
    pub(super) at: Duration,
    /// The parts that were searched, `None` for the whole picture.
    pub(super) parts: Option<&'a [Region]>,
    pub(super) observations: Vec<Observation>,
}

/// All faces of a stream.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    gone: Vec<Track>,
    last_id: i32,
    now: Duration,
    /// The last picture's extent.
    frame: Option<Region>,
    /// Whether this scene was searched before.
    is_searched: bool,
    events: Vec<Event>,
}

impl Tracker {
    /// Tracks that are not over, counted or not.
    pub(super) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    pub(super) fn tracks_mut(&mut self) -> &mut [Track] {
        &mut self.tracks
    }

    /// How many faces were counted so far.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.last_id.unsigned_abs())
    }

    /// The faces that count.
    pub(super) fn faces(&self) -> impl Iterator<Item = TrackedFace> {
        self.tracks.iter().filter_map(|track| {
            Some(TrackedFace {
                id: track.id?,
                region: track.filter.region(),
                confidence: track.confidence,
                age: self.now.saturating_sub(track.born),
                lost: track.lost(self.now),
            })
        })
    }

    /// What happened since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Lets the time run to `now`. `moved` says how far the face of a track was seen to move, in pixels.
    pub(super) fn advance(
        &mut self,
        now: Duration,
        frame: &Region,
        options: &Options,
        mut moved: impl FnMut(&mut Track, f64) -> Option<(f64, f64)>,
    ) {
        let seconds = now.saturating_sub(self.now).as_secs_f64();
        self.now = now;
        self.frame = Some(*frame);
        for track in &mut self.tracks {
            match moved(track, seconds) {
                Some(by) => track.filter.follow(seconds, by),
                None => {
                    track.filter.predict(seconds);
                    if track.is_missed() {
                        track.filter.slow_down(seconds);
                    }
                }
            }
            track.remember(now);
        }
        self.end(options, |track| {
            track.is_lost(now, options.max_lost) || visible(&track.filter.region(), frame) < VISIBLE
        });
        self.gone
            .retain(|track| now.saturating_sub(track.ended) <= options.reattach);
    }

    /// Ends all tracks: what follows has nothing to do with what was.
    pub(super) fn end_all(&mut self) {
        for track in self.tracks.drain(..) {
            if let Some(id) = track.id {
                let region = track.filter.region();
                self.events.push(Event::Lost { id, region });
            }
        }
        self.gone.clear();
        self.is_searched = false;
    }

    /// Ends the tracks that the last search did not find.
    pub(super) fn end_missed(&mut self, options: &Options) {
        self.end(options, Track::is_missed);
    }

    /// Ends the tracks that are `over`, and remembers those that counted.
    fn end(&mut self, options: &Options, over: impl Fn(&Track) -> bool) {
        let (ended, going): (Vec<_>, Vec<_>) = self.tracks.drain(..).partition(over);
        self.tracks = going;
        for mut track in ended {
            track.ended = self.now;
            let Some(id) = track.id else { continue };
            let region = track.filter.region();
            self.events.push(Event::Lost { id, region });
            if !options.reattach.is_zero() {
                self.gone.push(track);
            }
        }
        let surplus = self.gone.len().saturating_sub(REMEMBERED);
        self.gone.drain(..surplus);
    }

    /// Takes a search into account.
    pub(super) fn observe(&mut self, searched: Searched<'_>, options: &Options) {
        let Searched {
            at,
            parts,
            observations,
        } = searched;
        let mut free: Vec<usize> = (0..self.tracks.len())
            .filter(|&t| is_in(parts, &self.tracks[t].region_at(at)))
            .collect();
        let (mut strong, mut weak): (Vec<_>, Vec<_>) = observations
            .into_iter()
            .partition(|observation| observation.is_strong);
        let mut taken = Vec::new();

        let in_the_way: Vec<Option<Region>> = (0..self.tracks.len())
            .map(|index| self.in_the_way(index, at))
            .collect();
        for observation in self.pair(&mut free, &mut strong, |index, seen| {
            expected(&self.tracks[index], in_the_way[index].as_ref(), seen, at)
        }) {
            let other = in_the_way[observation.0].as_ref();
            taken.push(self.matched(observation, other, at, 1.0, options));
        }
        free.retain(|&t| {
            // One detection is no face yet, and without the next it never was one.
            self.tracks[t].id.is_some()
        });
        for observation in self.pair(&mut free, &mut weak, |index, seen| {
            overlapping(&self.tracks[index], seen, at)
        }) {
            let index = observation.0;
            // Weak detections bridge gaps; what lives on them alone is no face.
            let missed_since = self.tracks[index].missed_since();
            let other = in_the_way[index].as_ref();
            taken.push(self.matched(observation, other, at, WEAK_NOISE, options));
            let track = &mut self.tracks[index];
            if track.unsure(at) > options.max_lost {
                track.miss(missed_since.unwrap_or(at));
            }
        }
        for &t in &free {
            self.tracks[t].miss(at);
        }
        let is_missed = |track: &Track| {
            track.id.is_none() && track.seen < at && is_in(parts, &track.region_at(at))
        };
        let known: Vec<Region> = taken
            .iter()
            .map(|&t: &usize| self.tracks[t].region_at(at))
            .collect();
        self.tracks.retain(|track| !is_missed(track));

        // A part shows faces cut off by its own border.
        if parts.is_none() {
            strong.retain(|seen| !known.iter().any(|region| is_same(region, &seen.region)));
            self.return_gone(&mut strong, at);
            for seen in strong {
                self.begin(seen, at, options);
            }
            self.is_searched = true;
        }
    }

    /// Pairs tracks with observations and takes both out of their lists.
    fn pair(
        &self,
        tracks: &mut Vec<usize>,
        observations: &mut Vec<Observation>,
        cost: impl Fn(usize, &Observation) -> f64,
    ) -> Vec<(usize, Observation)> {
        let columns = assign(tracks.len(), observations.len(), &|row, column| {
            cost(tracks[row], &observations[column])
        });
        let mut pool: Vec<Option<Observation>> = observations.drain(..).map(Some).collect();
        let mut pairs = Vec::new();
        let mut left = Vec::new();
        for (track, column) in tracks.drain(..).zip(columns) {
            match column.and_then(|column| pool[column].take()) {
                Some(observation) => pairs.push((track, observation)),
                None => left.push(track),
            }
        }
        *tracks = left;
        observations.extend(pool.into_iter().flatten());
        pairs
    }

    fn matched(
        &mut self,
        (index, mut seen): (usize, Observation),
        in_the_way: Option<&Region>,
        at: Duration,
        noise: f64,
        options: &Options,
    ) -> usize {
        if let Some(other) = in_the_way {
            let place = self.tracks[index].region_at(at);
            seen.region = completed(&seen.region, &place, other);
        }
        let track = &mut self.tracks[index];
        track.see(&seen, at, noise, in_the_way.is_none());
        if track.id.is_none() && track.hits >= options.min_hits {
            self.count_in_or_know_again(index, &seen, at);
        }
        index
    }

    /// The face whose head hides most of the one of a track, if any does.
    fn in_the_way(&self, index: usize, at: Duration) -> Option<Region> {
        let place = self.tracks[index].region_at(at);
        let others = self.tracks.iter().enumerate();
        let others = others.filter(|(other, _)| *other != index);
        others
            .map(|(_, track)| track.region_at(at))
            .filter(|other| is_in_the_way(&place, other))
            .max_by(|a, b| covered(&place, a).total_cmp(&covered(&place, b)))
    }

    /// Gives a track the id of a face that was gone, if it is that one, or else one of its own.
    fn count_in_or_know_again(&mut self, index: usize, seen: &Observation, at: Duration) {
        let costs = self.gone.iter().map(|track| returning(track, seen, at));
        let best = costs.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((place, cost)) = best
            && cost < FORBIDDEN
        {
            let gone = self.gone.remove(place);
            let region = self.tracks[index].filter.region();
            self.tracks[index].go_on_as(gone);
            let id = self.tracks[index].id;
            self.events
                .extend(id.map(|id| Event::Appeared { id, region }));
            return;
        }
        let comes_in = self.tracks[index].lasted(at) < COMING_IN
            && self
                .frame
                .is_some_and(|frame| is_cut_off(&seen.region, &frame))
            && self.gone.iter().any(|track| is_near(track, seen, at));
        if !comes_in {
            self.count_in(index);
        }
    }

    /// Gives a track its id.
    fn count_in(&mut self, index: usize) {
        self.last_id = self.last_id.saturating_add(1);
        let track = &mut self.tracks[index];
        track.id = Some(self.last_id);
        let region = track.filter.region();
        self.events.push(Event::Appeared {
            id: self.last_id,
            region,
        });
    }

    fn begin(&mut self, seen: Observation, at: Duration, options: &Options) {
        self.tracks.push(Track::new(seen, at, self.now));
        // The first picture of a scene, and a photograph has no other, is taken at its word.
        if !self.is_searched || options.min_hits <= 1 {
            self.count_in(self.tracks.len() - 1);
        }
    }

    /// Lets faces go on that are found again.
    fn return_gone(&mut self, strong: &mut Vec<Observation>, at: Duration) {
        let columns = assign(self.gone.len(), strong.len(), &|row, column| {
            returning(&self.gone[row], &strong[column], at)
        });
        let mut pool: Vec<Option<Observation>> = strong.drain(..).map(Some).collect();
        let mut still_gone = Vec::new();
        for (mut track, column) in self.gone.drain(..).zip(columns) {
            let Some(seen) = column.and_then(|column| pool[column].take()) else {
                still_gone.push(track);
                continue;
            };
            track.come_back(&seen, at, self.now);
            if let Some(id) = track.id {
                let region = track.filter.region();
                self.events.push(Event::Appeared { id, region });
            }
            self.tracks.push(track);
        }
        self.gone = still_gone;
        strong.extend(pool.into_iter().flatten());
    }
}

/// Whether the head of the face `other` may hide a part of the face at `region`.
pub(super) fn is_in_the_way(region: &Region, other: &Region) -> bool {
    covered(region, other) > IN_THE_WAY
}

/// The share of `region` that the head of the face `other` covers.
fn covered(region: &Region, other: &Region) -> f32 {
    let overlap = |a: f32, a_length: f32, b: f32, b_length: f32| {
        let (start, end) = (b - HEAD * b_length, b + (1.0 + HEAD) * b_length);
        ((a + a_length).min(end) - a.max(start)).max(0.0)
    };
    overlap(region.x, region.width, other.x, other.width)
        * overlap(region.y, region.height, other.y, other.height)
        / (region.width * region.height)
}

/// What is seen of a face made as long as it was expected to be, if it goes on behind `other`: otherwise the face would
/// seem to stop and to grow narrow where somebody walks in front of it.
fn completed(seen: &Region, expected: &Region, other: &Region) -> Region {
    let ((x, y), (other_x, other_y)) = (centre(expected), centre(other));
    let [right, down] = [
        (other_x - x) / f64::from(expected.width),
        (other_y - y) / f64::from(expected.height),
    ];
    let along = |start: f32, length: f32, whole: f32, towards_end: f64| {
        let begin = if towards_end > 0.0 {
            start
        } else {
            start + length - whole
        };
        (length < CUT_OFF * whole).then_some((begin, whole))
    };
    let mut region = *seen;
    if right.abs() >= down.abs() {
        if let Some((x, width)) = along(seen.x, seen.width, expected.width, right) {
            (region.x, region.width) = (x, width);
        }
    } else if let Some((y, height)) = along(seen.y, seen.height, expected.height, down) {
        (region.y, region.height) = (y, height);
    }
    region
}

/// Distance of the centres in sizes of the track's face, and the factor between the sizes, at least 1.
fn apart(region: &Region, seen: &Region) -> (f64, f64) {
    let size = |region: &Region| f64::from(region.width + region.height) / 2.0;
    let ((x, y), (seen_x, seen_y)) = (centre(region), centre(seen));
    let ratio = size(seen) / size(region);
    (
        (x - seen_x).hypot(y - seen_y) / size(region),
        ratio.max(1.0 / ratio),
    )
}

fn unlike(track: &Track, seen: &Observation) -> Option<f64> {
    let similarity = track.look.as_ref()?.similarity(seen.look.as_ref()?);
    Some(f64::from(1.0 - similarity))
}

/// The cost of a strong detection being the face of a track, with another one `in_the_way` of it or not.
fn expected(track: &Track, in_the_way: Option<&Region>, seen: &Observation, at: Duration) -> f64 {
    let region = track.region_at(at);
    let place = in_the_way.map_or(seen.region, |other| completed(&seen.region, &region, other));
    let (distance, ratio) = apart(&region, &place);
    let gate = (GATE + 2.0 * track.filter.uncertainty() / track.filter.size()).min(WIDEST_GATE);
    if distance > gate || ratio > RESIZED {
        return FORBIDDEN;
    }
    let iou = region.iou(&place);
    // Of whom a part is hidden that looks like somebody else, where it is in its place.
    let is_part = place != seen.region && iou >= IN_ITS_PLACE;
    let unlike = unlike(track, seen).filter(|_| !is_part);
    // Who is not where expected must at least look like it.
    if iou < SURPRISING && unlike.is_some_and(|unlike| unlike > f64::from(1.0 - PLAUSIBLE)) {
        return FORBIDDEN;
    }
    let off = 0.5 * f64::from(1.0 - iou) + 0.5 * distance / gate;
    off + LOOKS_WEIGHT * unlike.unwrap_or(0.5)
}

/// The cost of a weak detection being the face of a track.
fn overlapping(track: &Track, seen: &Observation, at: Duration) -> f64 {
    let iou = track.region_at(at).iou(&seen.region);
    if iou < WEAK_IOU {
        return FORBIDDEN;
    }
    f64::from(1.0 - iou) + LOOKS_WEIGHT * unlike(track, seen).unwrap_or(0.5)
}

/// The cost of a detection being a face that was gone.
fn returning(track: &Track, seen: &Observation, at: Duration) -> f64 {
    let (distance, _) = apart(&track.last_place, &seen.region);
    let is_near = is_near(track, seen, at);
    let unlike = unlike(track, seen);
    let is_possible = match unlike {
        Some(unlike) => {
            let similarity = 1.0 - unlike as f32;
            similarity >= KNOWN || (is_near && similarity >= PLAUSIBLE)
        }
        None => is_near,
    };
    if !is_possible {
        return FORBIDDEN;
    }
    unlike.unwrap_or(0.5) + 0.1 * distance.min(10.0)
}

/// Whether a face that is gone may have come to where this one is meanwhile.
fn is_near(track: &Track, seen: &Observation, at: Duration) -> bool {
    let (distance, ratio) = apart(&track.last_place, &seen.region);
    let gone = at.saturating_sub(track.seen).as_secs_f64();
    distance < 1.5 + gone && ratio < RESIZED
}

/// Whether a face touches the border of the picture.
fn is_cut_off(region: &Region, frame: &Region) -> bool {
    region.x <= 1.0
        || region.y <= 1.0
        || region.x + region.width >= frame.width - 1.0
        || region.y + region.height >= frame.height - 1.0
}

/// Whether the middle of `region` was searched.
fn is_in(parts: Option<&[Region]>, region: &Region) -> bool {
    let (x, y) = centre(region);
    parts.is_none_or(|parts| {
        parts.iter().any(|part| {
            let (dx, dy) = (x - f64::from(part.x), y - f64::from(part.y));
            (0.0..f64::from(part.width)).contains(&dx)
                && (0.0..f64::from(part.height)).contains(&dy)
        })
    })
}

/// Whether the boxes are so much the same that a second track would be a double.
fn is_same(known: &Region, seen: &Region) -> bool {
    known.iou(seen) > SAME
}

/// The share of `region` that lies in the picture.
fn visible(region: &Region, frame: &Region) -> f32 {
    let overlap = |a: f32, length: f32, limit: f32| ((a + length).min(limit) - a.max(0.0)).max(0.0);
    overlap(region.x, region.width, frame.width) * overlap(region.y, region.height, frame.height)
        / (region.width * region.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(x: f32, y: f32, width: f32, height: f32) -> Region {
        Region {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn what_is_seen_of_a_face_goes_on_behind_the_one_in_front_of_it() {
        let expected = region(100.0, 50.0, 40.0, 50.0);
        let [left, right, above] = [
            region(80.0, 50.0, 40.0, 50.0),
            region(120.0, 55.0, 40.0, 50.0),
            region(102.0, 20.0, 40.0, 50.0),
        ];
        let seen = region(102.0, 52.0, 20.0, 48.0);
        assert_eq!(
            completed(&seen, &expected, &right),
            region(102.0, 52.0, 40.0, 48.0)
        );
        assert_eq!(
            completed(&seen, &expected, &left),
            region(82.0, 52.0, 40.0, 48.0)
        );
        let seen = region(101.0, 70.0, 40.0, 30.0);
        assert_eq!(
            completed(&seen, &expected, &above),
            region(101.0, 50.0, 40.0, 50.0)
        );
        // Nearly all of it is seen.
        let seen = region(101.0, 51.0, 38.0, 30.0);
        assert_eq!(completed(&seen, &expected, &right), seen);
    }
}
