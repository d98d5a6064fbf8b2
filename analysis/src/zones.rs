//! What happens in the room: people in zones, and their crossings of lines.
//!
//! A [`Zone`] is a polygon and a [`Line`] a segment with a direction, both in fractions of the frame. A [`ZoneAnalyzer`] takes
//! the people of each frame and counts who is in each zone, who entered and left it, how long people stayed, how many
//! crossed each line in either direction, whether a zone has more people than its limit, and which emotions are shown in it.
//!
//! The centre of the face's box stands for the person: it is what a face detector places best, it does not move when the
//! box only grows, and a face is all that is known of somebody. Zones are therefore drawn where faces are, not on the floor.
//!
//! # What counts
//!
//! - Boxes jitter. Somebody has changed sides of a border when the centre is a quarter of the face beyond it, or has been on the
//!   other side for a second. The time of the change is that of the first frame on the other side.
//! - Somebody who is first seen in a zone has entered it. So those who are in a zone are those who entered and have not left.
//! - A track may be lost for a moment. Somebody who is not seen for longer than [`ZoneOptions::max_absence`] has left, at the
//!   time at which they were last found, not guessed. The way from there to where the same track is found again counts as walked
//!   straight.
//! - A zone that was passed between two frames was not entered, for nobody was seen in it. A line that was passed between
//!   two frames was crossed, and so were several lines.
//! - Where the time of a stream stands still or goes back, nobody's time passes.

mod analyzer;
mod counters;
mod dwell;
mod emotion_window;
mod layout;
mod line_passage;
mod presence;
mod results;
mod shape;

pub use analyzer::{PersonPosition, ZoneAnalyzer, ZoneOptions};
pub use layout::{ZoneFileError, ZoneLayout, ZoneLayoutError};
pub use results::{
    CrossingDirection, DwellSummary, LineCounts, PersonInZone, ZoneCounts, ZoneEvent, ZoneEventKind,
};
pub use shape::{FramePoint, Line, ShapeError, Zone};
