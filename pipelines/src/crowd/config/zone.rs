//! The zones and lines of a source, and how people in them are counted.

use std::time::Duration;

use emotion_analysis::zones::{FramePoint, Line, ShapeError, Zone};
use serde::Deserialize;

use super::values;

/// The times of the element that counts; `None` for its default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ZoneTimes {
    /// Who is not seen for longer has left.
    #[serde(
        rename = "max-absence-seconds",
        deserialize_with = "values::seconds_of_an_hour"
    )]
    pub max_absence: Option<Duration>,
    /// How far back the shares of the emotions in a zone look.
    #[serde(
        rename = "emotion-window-seconds",
        deserialize_with = "values::seconds_of_an_hour"
    )]
    pub emotion_window: Option<Duration>,
}

impl ZoneTimes {
    /// These, and those of `general` where there is none.
    pub(crate) fn or(self, general: Self) -> Self {
        Self {
            max_absence: self.max_absence.or(general.max_absence),
            emotion_window: self.emotion_window.or(general.emotion_window),
        }
    }
}

/// A zone in the file.
#[derive(Debug, Deserialize)]
#[serde(try_from = "ZoneTable")]
pub(super) struct ZoneSettings(pub(super) Zone);

/// A line in the file.
#[derive(Debug, Deserialize)]
#[serde(try_from = "LineTable")]
pub(super) struct LineSettings(pub(super) Line);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ZoneTable {
    name: String,
    corners: Vec<Point>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LineTable {
    name: String,
    from: Point,
    to: Point,
    #[serde(rename = "in")]
    inwards: Option<String>,
    #[serde(rename = "out")]
    outwards: Option<String>,
}

/// `[x, y]`.
#[derive(Deserialize)]
#[serde(try_from = "Vec<f64>")]
struct Point(FramePoint);

impl TryFrom<Vec<f64>> for Point {
    type Error = String;

    fn try_from(numbers: Vec<f64>) -> Result<Self, String> {
        match numbers[..] {
            [x, y] => Ok(Self(FramePoint { x, y })),
            _ => Err(format!(
                "expected a point as [x, y], found {} numbers",
                numbers.len()
            )),
        }
    }
}

impl TryFrom<ZoneTable> for ZoneSettings {
    type Error = String;

    fn try_from(table: ZoneTable) -> Result<Self, String> {
        let corners = table.corners.into_iter().map(|corner| corner.0).collect();
        let zone = Zone::new(&table.name, corners, table.limit);
        zone.map(Self)
            .map_err(|error| about("zone", &table.name, error))
    }
}

impl TryFrom<LineTable> for LineSettings {
    type Error = String;

    fn try_from(table: LineTable) -> Result<Self, String> {
        let [inwards, outwards] = Line::DIRECTIONS;
        let directions = [
            table.inwards.as_deref().unwrap_or(inwards),
            table.outwards.as_deref().unwrap_or(outwards),
        ];
        let line = Line::new(&table.name, [table.from.0, table.to.0], directions);
        line.map(Self)
            .map_err(|error| about("line", &table.name, error))
    }
}

fn about(kind: &str, name: &str, error: ShapeError) -> String {
    format!("the {kind} {name}: {error}")
}
