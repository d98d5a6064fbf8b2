//! Whether a person has crossed a line.

use std::time::Duration;

use super::presence::CONFIRMATION;
use super::results::CrossingDirection;

/// One person at one line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LinePassage {
    /// The last crossing and its time, while that may be jitter.
    doubted: Option<Crossing>,
}

/// A crossing and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) direction: CrossingDirection,
    pub(super) at: Duration,
}

impl LinePassage {
    /// The person has come to the frame at `now`, over the line in the direction `crossed` if at all; `is_clear` says that the line
    /// is too far for jitter. Returns a crossing that counts.
    pub(super) fn update(
        &mut self,
        crossed: Option<CrossingDirection>,
        is_clear: bool,
        now: Duration,
    ) -> Option<Crossing> {
        let mut counted = None;
        if let Some(direction) = crossed {
            let crossing = Crossing { direction, at: now };
            self.doubted = match self.doubted.take() {
                None => Some(crossing),
                // Around the end of the line and over it again.
                Some(before) if before.direction == direction => {
                    counted = Some(before);
                    Some(crossing)
                }
                // Back again.
                Some(_) => None,
            };
        }
        let lasts =
            |crossing: &mut Crossing| is_clear || now.saturating_sub(crossing.at) >= CONFIRMATION;
        match counted {
            // The other one counts on the next frame.
            Some(_) => counted,
            None => self.doubted.take_if(lasts),
        }
    }

    /// The person will not come back: what was last seen counts.
    pub(super) fn end(&mut self) -> Option<Crossing> {
        self.doubted.take()
    }
}
