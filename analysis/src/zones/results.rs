//! What is known about zones and lines after a frame.

use std::time::Duration;

/// A zone after a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ZoneCounts {
    /// Its name.
    pub name: String,
    /// Who is in it, by id.
    pub people: Vec<PersonInZone>,
    /// How many have entered since the start.
    pub entered: u64,
    /// How many have left since the start.
    pub left: u64,
    /// The largest number of people that may be in it, if there is a limit.
    pub limit: Option<u32>,
    /// Whether there are more. It ends when they have not been more for two seconds.
    pub is_exceeded: bool,
    /// How long those who have left had stayed.
    pub dwell: DwellSummary,
    /// Share of each emotion among those in the zone over the window, by name; empty if no face in it was classified.
    pub emotions: Vec<(String, f64)>,
}

/// Somebody in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonInZone {
    /// The id of the track.
    pub id: i32,
    /// Time since the person entered.
    pub dwell: Duration,
}

/// How long people stayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DwellSummary {
    /// How many stays there were.
    pub count: u64,
    /// The mean; zero if there were none.
    pub mean: Duration,
    /// The longest; zero if there were none.
    pub longest: Duration,
}

/// A line after a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Its name.
    pub name: String,
    /// Name of the inward direction.
    pub inwards: String,
    /// Name of the outward direction.
    pub outwards: String,
    /// Crossings inwards since the start.
    pub crossed_in: u64,
    /// Crossings outwards since the start.
    pub crossed_out: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneEvent {
    /// How long before the frame it happened: jitter and lost tracks are told apart from changes with hindsight.
    pub ago: Duration,
    /// What happened.
    pub kind: ZoneEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ZoneEventKind {
    /// Somebody entered a zone, in which there are `people` now.
    Entered { zone: String, id: i32, people: u32 },
    /// Somebody left a zone, in which there are `people` now, and had been there for `dwell`.
    Left {
        zone: String,
        id: i32,
        people: u32,
        dwell: Duration,
    },
    /// Somebody crossed a line; `name` is the line's name of the direction.
    Crossed {
        line: String,
        id: i32,
        direction: CrossingDirection,
        name: String,
    },
    /// There are more `people` in a zone than its `limit`.
    LimitExceeded {
        zone: String,
        people: u32,
        limit: u32,
    },
    /// There have not been more people in a zone than its `limit` for two seconds.
    LimitKept {
        zone: String,
        people: u32,
        limit: u32,
    },
}

/// The direction in which somebody crosses a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrossingDirection {
    /// To the right of who looks from the line's first to its second point.
    In,
    /// To the left.
    Out,
}

impl CrossingDirection {
    /// `in` or `out`.
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}
