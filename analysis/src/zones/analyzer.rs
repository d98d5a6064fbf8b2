//! From the people of each frame to what happens in zones and at lines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::counters::{LineCounter, ZoneCounter};
use super::layout::ZoneLayout;
use super::line_passage::LinePassage;
use super::presence::Presence;
use super::results::{CrossingDirection, LineCounts, PersonInZone, ZoneCounts, ZoneEvent};
use super::shape::FramePoint;

/// Who is at least this far beyond a border, in sizes of the face, has crossed it.
const MARGIN: f64 = 0.25;

/// A smaller face would make each jitter count, in fractions of the frame.
const SMALLEST_FACE: f64 = 0.001;

/// A person on a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonPosition<'a> {
    /// The id of the track, the same from frame to frame.
    pub id: i32,
    /// The centre of the face's box.
    pub centre: FramePoint,
    /// Width and height of the face's box in fractions of the frame.
    pub size: (f64, f64),
    /// The emotion that is shown, if the face is classified.
    pub emotion: Option<&'a str>,
    /// Time since a detector last found the face, where a tracker guesses its place; zero while it is found.
    pub unseen: Duration,
}

/// How zones are analyzed. It may change from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOptions {
    /// Who is not seen for longer has left.
    pub max_absence: Duration,
    /// How far back the shares of emotions look.
    pub emotion_window: Duration,
}

impl Default for ZoneOptions {
    /// Five seconds, in which the tracker takes a face for the same one, and ten seconds.
    fn default() -> Self {
        Self {
            max_absence: Duration::from_secs(5),
            emotion_window: Duration::from_secs(10),
        }
    }
}

/// Counts people in zones and their crossings of lines, frame by frame. See the [module](super) for what counts.
///
/// ```
/// use std::time::Duration;
///
/// use emotion_analysis::zones::{FramePoint, PersonPosition, ZoneAnalyzer, ZoneLayout, ZoneOptions};
///
/// let layout = ZoneLayout::parse("hall=0.5,0 1,0 1,1 0.5,1", "door=0.5,1 0.5,0")?;
/// let mut room = ZoneAnalyzer::new(layout);
/// for (second, x) in [(0, 0.2), (1, 0.4), (2, 0.6), (3, 0.8), (4, 0.3)] {
///     let person = PersonPosition {
///         id: 7,
///         centre: FramePoint { x, y: 0.5 },
///         size: (0.1, 0.2),
///         emotion: Some("happy"),
///         unseen: Duration::ZERO,
///     };
///     room.update(Some(Duration::from_secs(second)), &[person], &ZoneOptions::default());
/// }
/// let hall = &room.zones()[0];
/// assert_eq!((hall.entered, hall.left, hall.people.len()), (1, 1, 0));
/// assert_eq!(hall.dwell.mean, Duration::from_secs(2));
/// assert_eq!((room.lines()[0].crossed_in, room.lines()[0].crossed_out), (1, 1));
/// # Ok::<(), emotion_analysis::zones::ZoneLayoutError>(())
/// ```
#[derive(Debug, Default)]
pub struct ZoneAnalyzer {
    zones: Vec<ZoneCounter>,
    lines: Vec<LineCounter>,
    people: BTreeMap<i32, Person>,
    /// Time of the last frame since the first one.
    now: Duration,
    /// The time that the last frame was given.
    last_time: Option<Duration>,
}

#[derive(Debug)]
struct Person {
    last_seen: Duration,
    centre: FramePoint,
    /// One for each zone.
    presences: Vec<Presence>,
    /// One for each line.
    passages: Vec<LinePassage>,
}

impl ZoneAnalyzer {
    /// Nobody in these zones yet.
    pub fn new(layout: ZoneLayout) -> Self {
        let mut analyzer = Self::default();
        analyzer.set_layout(layout);
        analyzer
    }

    /// Replaces zones and lines. One that has the same name and shape as before keeps its counts and people.
    pub fn set_layout(&mut self, layout: ZoneLayout) {
        let (zones, lines) = (layout.zones().to_vec(), layout.lines().to_vec());
        let old_zones: Vec<_> = (zones.iter())
            .map(|zone| self.zones.iter().position(|old| old.is_at(zone)))
            .collect();
        let old_lines: Vec<_> = (lines.iter())
            .map(|line| self.lines.iter().position(|old| old.line == *line))
            .collect();
        for person in self.people.values_mut() {
            person.presences = taken(&old_zones, &person.presences);
            person.passages = taken(&old_lines, &person.passages);
        }
        let mut before: Vec<_> = self.zones.drain(..).map(Some).collect();
        for (zone, old) in zones.into_iter().zip(old_zones) {
            let kept = old.and_then(|old| before[old].take());
            let mut state = kept.unwrap_or_else(|| ZoneCounter::new(zone.clone()));
            state.zone = zone;
            self.zones.push(state);
        }
        let mut before: Vec<_> = self.lines.drain(..).map(Some).collect();
        for (line, old) in lines.into_iter().zip(old_lines) {
            let kept = old.and_then(|old| before[old].take());
            self.lines
                .push(kept.unwrap_or_else(|| LineCounter::new(line)));
        }
    }

    /// Takes the people on the frame at `time` and returns what has happened. Call it once for each frame.
    ///
    /// Of several people with the same id, the first counts. A frame without a time comes at the time of the one before, and so
    /// does a frame with an earlier one.
    pub fn update(
        &mut self,
        time: Option<Duration>,
        people: &[PersonPosition<'_>],
        options: &ZoneOptions,
    ) -> Vec<ZoneEvent> {
        let before = self.now;
        if let Some(time) = time {
            let step = self.last_time.map(|last| time.saturating_sub(last));
            self.now = self.now.saturating_add(step.unwrap_or_default());
            self.last_time = Some(time);
        }
        let elapsed = self.now - before;
        let mut events = Vec::new();
        let absent_since = |person: &Person, now: Duration| now - person.last_seen;
        let now = self.now;
        self.end_people(&mut events, |person| {
            absent_since(person, now) > options.max_absence
        });
        let mut seen = BTreeSet::new();
        for person in people {
            let is_placed = person.centre.x.is_finite() && person.centre.y.is_finite();
            let is_there = is_placed && person.unseen <= options.max_absence;
            if is_there && seen.insert(person.id) {
                self.move_person(person, &mut events);
            }
        }
        for (index, zone) in self.zones.iter_mut().enumerate() {
            zone.update_limit(now, &mut events);
            let is_inside = |id: &i32| {
                let person = self.people.get(id);
                person.is_some_and(|person| person.presences[index].inside_since().is_some())
            };
            let inside = people.iter().filter(|person| is_inside(&person.id));
            let emotions = inside.filter_map(|person| person.emotion);
            (zone.emotions).add(now, elapsed, options.emotion_window, emotions);
        }
        events
    }

    /// All people leave, as where the stream jumps to another place. Counts stay.
    pub fn end_tracks(&mut self) -> Vec<ZoneEvent> {
        let mut events = Vec::new();
        self.end_people(&mut events, |_| true);
        events
    }

    /// The zones after the last frame.
    pub fn zones(&self) -> Vec<ZoneCounts> {
        let zones = self.zones.iter().enumerate();
        zones
            .map(|(index, zone)| zone.counts(self.people_in(index)))
            .collect()
    }

    /// The lines after the last frame.
    pub fn lines(&self) -> Vec<LineCounts> {
        self.lines.iter().map(LineCounter::counts).collect()
    }

    fn people_in(&self, zone: usize) -> Vec<PersonInZone> {
        let people = self.people.iter();
        people
            .filter_map(|(&id, person)| {
                let since = person.presences[zone].inside_since()?;
                let dwell = self.now - since;
                Some(PersonInZone { id, dwell })
            })
            .collect()
    }

    fn move_person(&mut self, to: &PersonPosition<'_>, events: &mut Vec<ZoneEvent>) {
        let (now, centre) = (self.now, to.centre);
        let last_seen = now.saturating_sub(to.unseen);
        let person = self.people.entry(to.id).or_insert_with(|| Person {
            last_seen,
            centre,
            presences: vec![Presence::default(); self.zones.len()],
            passages: vec![LinePassage::default(); self.lines.len()],
        });
        let from = std::mem::replace(&mut person.centre, centre);
        person.last_seen = person.last_seen.max(last_seen);
        let size = |length: f64| length.max(SMALLEST_FACE);
        let unit = (size(to.size.0), size(to.size.1));
        for (line, passage) in self.lines.iter_mut().zip(&mut person.passages) {
            let crossed = line.line.crossing(from, centre).map(|is_inwards| {
                if is_inwards {
                    CrossingDirection::In
                } else {
                    CrossingDirection::Out
                }
            });
            let is_clear = line.line.distance(centre, unit) >= MARGIN;
            if let Some(crossing) = passage.update(crossed, is_clear, now) {
                events.push(line.count(to.id, crossing, now));
            }
        }
        for (zone, presence) in self.zones.iter_mut().zip(&mut person.presences) {
            let is_inside = zone.zone.contains(centre);
            let is_clear = zone.zone.border_distance(centre, unit) >= MARGIN;
            if let Some(change) = presence.update(is_inside, is_clear, now) {
                events.push(zone.count(to.id, change, now));
            }
        }
    }

    /// Forgets the people that `is_gone` names.
    fn end_people(&mut self, events: &mut Vec<ZoneEvent>, is_gone: impl Fn(&Person) -> bool) {
        let (zones, lines, now) = (&mut self.zones, &mut self.lines, self.now);
        self.people.retain(|&id, person| {
            if !is_gone(person) {
                return true;
            }
            for (line, passage) in lines.iter_mut().zip(&mut person.passages) {
                events.extend(passage.end().map(|crossing| line.count(id, crossing, now)));
            }
            for (zone, presence) in zones.iter_mut().zip(&mut person.presences) {
                let change = presence.end(person.last_seen);
                events.extend(change.map(|change| zone.count(id, change, now)));
            }
            false
        });
    }
}

/// Of each of `before` that goes on, at its new place; the default for what is new.
fn taken<T: Copy + Default>(old: &[Option<usize>], before: &[T]) -> Vec<T> {
    let taken = old.iter().map(|old| old.map(|old| before[old]));
    taken.map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests;
