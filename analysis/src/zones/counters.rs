//! What is counted of each zone and line.

use std::time::Duration;

use super::dwell::DwellTimes;
use super::emotion_window::EmotionWindow;
use super::line_passage::Crossing;
use super::presence::PresenceChange;
use super::results::{
    CrossingDirection, LineCounts, PersonInZone, ZoneCounts, ZoneEvent, ZoneEventKind,
};
use super::shape::{Line, Zone};

/// A limit is kept again when it was for this long.
const LIMIT_HOLD: Duration = Duration::from_secs(2);

/// What is counted of a zone.
#[derive(Debug)]
pub(super) struct ZoneCounter {
    pub(super) zone: Zone,
    people: u32,
    entered: u64,
    left: u64,
    dwell: DwellTimes,
    pub(super) emotions: EmotionWindow,
    is_exceeded: bool,
    /// Since when there have not been too many, while the limit counts as exceeded.
    kept_since: Option<Duration>,
}

/// What is counted of a line.
#[derive(Debug)]
pub(super) struct LineCounter {
    pub(super) line: Line,
    crossed_in: u64,
    crossed_out: u64,
}

impl ZoneCounter {
    pub(super) fn new(zone: Zone) -> Self {
        Self {
            zone,
            people: 0,
            entered: 0,
            left: 0,
            dwell: DwellTimes::default(),
            emotions: EmotionWindow::default(),
            is_exceeded: false,
            kept_since: None,
        }
    }

    /// The counts, with the `people` who are in the zone.
    pub(super) fn counts(&self, people: Vec<PersonInZone>) -> ZoneCounts {
        ZoneCounts {
            name: self.zone.name().to_owned(),
            people,
            entered: self.entered,
            left: self.left,
            limit: self.zone.limit(),
            is_exceeded: self.is_exceeded,
            dwell: self.dwell.summary(),
            emotions: self.emotions.shares(),
        }
    }

    /// Whether the zone is the same part of the frame under the same name.
    pub(super) fn is_at(&self, other: &Zone) -> bool {
        self.zone.name() == other.name() && self.zone.corners() == other.corners()
    }

    /// Counts a change and returns the event.
    pub(super) fn count(&mut self, id: i32, change: PresenceChange, now: Duration) -> ZoneEvent {
        let zone = self.zone.name().to_owned();
        match change {
            PresenceChange::Entered { at } => {
                self.people += 1;
                self.entered += 1;
                let people = self.people;
                ZoneEvent {
                    ago: now - at,
                    kind: ZoneEventKind::Entered { zone, id, people },
                }
            }
            PresenceChange::Left { since, at } => {
                self.people -= 1;
                self.left += 1;
                let (people, dwell) = (self.people, at.saturating_sub(since));
                self.dwell.add(dwell);
                ZoneEvent {
                    ago: now - at,
                    kind: ZoneEventKind::Left {
                        zone,
                        id,
                        people,
                        dwell,
                    },
                }
            }
        }
    }

    /// Adds an event if the limit is exceeded or kept from now on.
    pub(super) fn update_limit(&mut self, now: Duration, events: &mut Vec<ZoneEvent>) {
        let Some(limit) = self.zone.limit() else {
            (self.is_exceeded, self.kept_since) = (false, None);
            return;
        };
        let (zone, people) = (self.zone.name().to_owned(), self.people);
        let kind = if people > limit {
            self.kept_since = None;
            if self.is_exceeded {
                return;
            }
            ZoneEventKind::LimitExceeded {
                zone,
                people,
                limit,
            }
        } else {
            if !self.is_exceeded || now - *self.kept_since.get_or_insert(now) < LIMIT_HOLD {
                return;
            }
            ZoneEventKind::LimitKept {
                zone,
                people,
                limit,
            }
        };
        self.is_exceeded = people > limit;
        events.push(ZoneEvent {
            ago: Duration::ZERO,
            kind,
        });
    }
}

impl LineCounter {
    pub(super) fn new(line: Line) -> Self {
        Self {
            line,
            crossed_in: 0,
            crossed_out: 0,
        }
    }

    /// The counts.
    pub(super) fn counts(&self) -> LineCounts {
        LineCounts {
            name: self.line.name().to_owned(),
            inwards: self.line.inwards().to_owned(),
            outwards: self.line.outwards().to_owned(),
            crossed_in: self.crossed_in,
            crossed_out: self.crossed_out,
        }
    }

    /// Counts a crossing and returns the event.
    pub(super) fn count(&mut self, id: i32, crossing: Crossing, now: Duration) -> ZoneEvent {
        let Crossing { direction, at } = crossing;
        let name = match direction {
            CrossingDirection::In => {
                self.crossed_in += 1;
                self.line.inwards()
            }
            CrossingDirection::Out => {
                self.crossed_out += 1;
                self.line.outwards()
            }
        };
        ZoneEvent {
            ago: now - at,
            kind: ZoneEventKind::Crossed {
                line: self.line.name().to_owned(),
                id,
                direction,
                name: name.to_owned(),
            },
        }
    }
}
