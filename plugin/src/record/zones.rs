//! The zones and lines of a record.

use emotion_analysis::zones::{LineCounts, ZoneCounts};
use serde::{Deserialize, Serialize};

use super::probabilities::{Probabilities, rounded};

/// A zone of a [`Record`](super::Record).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneRecord {
    /// Its name.
    pub name: String,
    /// How many people are in it.
    pub people: u32,
    /// Who they are.
    pub present: Vec<PresentRecord>,
    /// How many have entered since the start.
    pub entered: u64,
    /// How many have left since the start.
    pub left: u64,
    /// The largest number of people that may be in it, if there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Whether there are more, if there is a limit. It ends when there have not been more for two seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceeded: Option<bool>,
    /// How long those who have left had stayed, if any has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell: Option<DwellRecord>,
    /// Share of each emotion among those in the zone over the last seconds, if any face was classified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotions: Option<Probabilities>,
}

/// Somebody in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PresentRecord {
    /// The track, as in the record's faces, if it has one.
    pub id: i32,
    /// Time since the person entered, in seconds.
    pub dwell: f64,
}

/// How long people stayed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DwellRecord {
    /// How many stays there were.
    pub count: u64,
    /// Their mean in seconds.
    pub mean: f64,
    /// The longest in seconds.
    pub longest: f64,
}

/// A line of a [`Record`](super::Record).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineRecord {
    /// Its name.
    pub name: String,
    /// Crossings inwards since the start.
    #[serde(rename = "in")]
    pub crossed_in: u64,
    /// Crossings outwards since the start.
    #[serde(rename = "out")]
    pub crossed_out: u64,
    /// Name of the inward direction.
    pub in_name: String,
    /// Name of the outward direction.
    pub out_name: String,
}

impl From<&ZoneCounts> for ZoneRecord {
    fn from(zone: &ZoneCounts) -> Self {
        let seconds = |time: std::time::Duration| rounded(time.as_secs_f64());
        let present = zone.people.iter().map(|person| PresentRecord {
            id: person.id,
            dwell: seconds(person.dwell),
        });
        let dwell = zone.dwell;
        let emotions = zone.emotions.iter();
        let emotions: Vec<_> = emotions
            .map(|(name, share)| (name.clone(), rounded(*share)))
            .collect();
        Self {
            name: zone.name.clone(),
            people: u32::try_from(zone.people.len()).unwrap_or(u32::MAX),
            present: present.collect(),
            entered: zone.entered,
            left: zone.left,
            limit: zone.limit,
            exceeded: zone.limit.map(|_| zone.is_exceeded),
            dwell: (dwell.count > 0).then(|| DwellRecord {
                count: dwell.count,
                mean: seconds(dwell.mean),
                longest: seconds(dwell.longest),
            }),
            emotions: (!emotions.is_empty()).then_some(Probabilities(emotions)),
        }
    }
}

impl From<&LineCounts> for LineRecord {
    fn from(line: &LineCounts) -> Self {
        Self {
            name: line.name.clone(),
            crossed_in: line.crossed_in,
            crossed_out: line.crossed_out,
            in_name: line.inwards.clone(),
            out_name: line.outwards.clone(),
        }
    }
}
