//! What is remembered of each face from frame to frame: where its things stood, and its emotions so far.

use std::collections::VecDeque;

use emotion_models::preprocess::Region;
use gst::ClockTime;

use super::layout::Spots;
use super::palette::Colour;

/// Cells of a history.
pub(super) const CELLS: usize = 24;
/// The time that a cell stands for.
const CELL: ClockTime = ClockTime::from_mseconds(500);
/// A face that was not seen for so long is forgotten.
const FORGET: ClockTime = ClockTime::from_seconds(2);
/// Faces that overlap less from one frame to the next are not the same.
const MIN_IOU: f32 = 0.3;
/// Faces that are remembered at most.
const MAX_TRACKS: usize = 1024;

/// Where a face was seen, and its track if it has one.
pub(super) type Place = (Option<i32>, Region);

/// A face that was seen before or is new.
#[derive(Debug)]
pub(super) struct Track {
    place: Place,
    seen: ClockTime,
    /// Whether the frame at hand is the first with this face.
    pub(super) is_new: bool,
    /// Where its things stood on the frame before.
    pub(super) spots: Spots,
    /// Whether it had the bars that only one face has.
    pub(super) is_first: bool,
    history: VecDeque<Option<Colour>>,
    /// Number of the cell that ends the history.
    newest: u64,
}

/// The faces of a stream.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<Track>);

impl Memory {
    /// For each of `places` on the frame at `now`, the index of its face: one with an id is the face with that id, one
    /// without the face that it overlaps most, each face once.
    pub(super) fn recall(&mut self, now: ClockTime, places: &[Place]) -> Vec<usize> {
        let surplus = self.0.len().saturating_sub(MAX_TRACKS);
        self.0.drain(..surplus);
        self.0
            .retain(|track| now.saturating_sub(track.seen) <= FORGET);
        let mut taken = vec![false; self.0.len()];
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let best = (0..self.0.len())
                .filter(|&i| !taken[i])
                .map(|i| (i, likeness(place, &self.0[i].place)))
                .filter(|(_, likeness)| *likeness >= MIN_IOU)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let index = best.map_or(self.0.len(), |(index, _)| index);
            if index == self.0.len() {
                self.0.push(Track::new(*place, now));
                taken.push(true);
            } else {
                taken[index] = true;
                let track = &mut self.0[index];
                (track.place, track.seen, track.is_new) = (*place, now, false);
            }
            found.push(index);
        }
        found
    }

    pub(super) fn track(&self, index: usize) -> &Track {
        &self.0[index]
    }

    pub(super) fn track_mut(&mut self, index: usize) -> &mut Track {
        &mut self.0[index]
    }
}

impl Track {
    fn new(place: Place, now: ClockTime) -> Self {
        Self {
            place,
            seen: now,
            is_new: true,
            spots: Spots::default(),
            is_first: false,
            history: VecDeque::new(),
            newest: 0,
        }
    }

    /// Adds the emotion at `now`; the last of a cell's time stays in it, and what nobody saw leaves a gap.
    pub(super) fn add(&mut self, now: ClockTime, colour: Colour) {
        let cell = now.nseconds() / CELL.nseconds();
        if self.history.is_empty() {
            self.newest = cell;
            self.history.push_back(None);
        }
        let gone = cell.saturating_sub(self.newest).min(CELLS as u64);
        for _ in 0..gone {
            self.history.push_back(None);
        }
        self.newest = self.newest.max(cell);
        if let Some(last) = self.history.back_mut() {
            *last = Some(colour);
        }
        let surplus = self.history.len().saturating_sub(CELLS);
        self.history.drain(..surplus);
    }

    /// The colours of the last [`CELLS`] cells, the newest at the end.
    pub(super) fn history(&self) -> Vec<Option<Colour>> {
        let unseen = CELLS.saturating_sub(self.history.len());
        let unseen = std::iter::repeat_n(None, unseen);
        unseen.chain(self.history.iter().copied()).collect()
    }
}

/// 1 for the same id; without ids, how much the rectangles overlap.
fn likeness(a: &Place, b: &Place) -> f32 {
    match (a.0, b.0) {
        (None, None) => a.1.iou(&b.1),
        (a, b) => f32::from(u8::from(a == b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Colour = Colour(255, 0, 0);
    const BLUE: Colour = Colour(0, 0, 255);

    fn at(x: f32) -> Region {
        Region {
            x,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        }
    }

    fn ms(ms: u64) -> ClockTime {
        ClockTime::from_mseconds(ms)
    }

    #[test]
    fn faces_are_recognised_whatever_their_order() {
        for ids in [[None, None], [Some(4), Some(2)]] {
            let mut memory = Memory::default();
            let (left, right) = ((ids[0], at(0.0)), (ids[1], at(50.0)));
            let first = memory.recall(ms(0), &[left, right]);
            assert!(memory.track(first[0]).is_new);
            let second = memory.recall(ms(40), &[right, left]);
            assert_eq!(second, [first[1], first[0]], "{ids:?}");
            assert!(!memory.track(first[0]).is_new);
        }
    }

    #[test]
    fn faces_that_are_gone_are_forgotten() {
        let mut memory = Memory::default();
        for id in 0..10_000 {
            memory.recall(ms(100 * id), &[(Some(id as i32), at(0.0))]);
        }
        assert!(memory.0.len() <= 22, "{}", memory.0.len());
    }

    #[test]
    fn two_hundred_faces_a_frame_are_remembered_within_bounds() {
        let mut memory = Memory::default();
        for frame in 0..40 {
            let places: Vec<Place> = (0..200).map(|i| (Some(frame * 200 + i), at(0.0))).collect();
            memory.recall(ms(frame as u64), &places);
        }
        assert!(memory.0.len() <= MAX_TRACKS + 200);
    }

    #[test]
    fn the_newest_emotion_ends_the_history_and_absence_leaves_a_gap() {
        let mut track = Track::new((None, at(0.0)), ms(0));
        assert_eq!(track.history(), [None; CELLS]);
        track.add(ms(700), RED);
        track.add(ms(900), BLUE);
        track.add(ms(2100), RED);
        let history = track.history();
        assert_eq!(history.len(), CELLS);
        assert_eq!(history[CELLS - 4..], [Some(BLUE), None, None, Some(RED)]);
        track.add(ms(3_600_000), BLUE);
        assert_eq!(track.history()[..CELLS - 1], [None; CELLS - 1]);
        assert_eq!(track.history()[CELLS - 1], Some(BLUE));
    }
}
