//! The metadata of zones and lines on a buffer: one writer, one reader.
//!
//! A custom meta without tags, `GstEmotionZoneMeta`, holds what [`emotion_analysis::zones`] has counted, and the shapes:
//!
//! | field | content |
//! |---|---|
//! | `aspect` | double, width by height of the picture as it was shown |
//! | `zones` | array of `zone`: `name`, `roi_id` (int), `corners` (array of doubles, x and y by turns, 0 to 1 of the frame), `people` (uint), `ids` (array of ints), `dwell` (array of times, since each entered), `entered`, `left` (uint64), where there is a limit `limit` (uint) and `exceeded` (boolean), `stays` (uint64), `mean-dwell`, `longest-dwell` (times), `emotions` (array of strings), `shares` (array of doubles, 0 to 1) |
//! | `lines` | array of `line`: `name`, `roi_id` (int), `ends` (array of four doubles), `in`, `out` (uint64), `in-name`, `out-name` |
//! | `events` | array of what has happened, named and built as the messages of `emotionzones`, with `ago` (time) |
//!
//! Times are in nanoseconds. The counts hold whatever becomes of the picture. The shapes hold only for the picture on which
//! they were drawn: for each there is a region of interest of the type `zone` or `line` with the rectangle around it, and
//! elements that crop or flip drop those regions and keep this meta. [`shapes`] gives shapes only while all regions are
//! where they belong.

mod events;
mod read;
mod structures;
mod types;
mod write;

pub use self::read::{frame_zones, shapes};
pub use self::types::{FrameZones, LINE_ROI_TYPE, ZONE_ROI_TYPE};
pub use self::write::set_zones;
pub(crate) use self::{events::event_to_structure, structures::to_structures};

#[cfg(test)]
mod tests;
