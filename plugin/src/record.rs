//! What is known about the faces of one frame, as it is written to files and sent over networks.
//!
//! A record is one JSON object, on one line in JSON Lines:
//!
//! ```json
//! {"version":1,"source":"hall","stream_time":2.04,"running_time":2.04,"width":640,"height":360,"faces":[{"id":3,
//!  "box":{"x":212,"y":70,"width":140,"height":140},
//!  "box_normalized":{"x":0.33125,"y":0.194444,"width":0.21875,"height":0.388889},"detection_confidence":0.94,
//!  "emotion":"happy","uncertain":false,"confidence":0.87,"probabilities":{"angry":0.01,"disgust":0.0,"fear":0.02,
//!  "happy":0.87,"sad":0.03,"surprise":0.02,"neutral":0.05},"valence":0.81}]}
//! ```
//!
//! `pipelines/schema/record.schema.json` describes it for validators. Fields without a value are left out, apart from the
//! two times, which are null. Shares of the frame, confidences and
//! probabilities are rounded to six decimals. A reader should ignore fields that it does not know: [`VERSION`] counts up
//! only when a field changes its meaning or goes away.

pub mod table;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::face::{EmotionResult, Face};

/// The version of the format that this module writes.
pub const VERSION: u32 = 1;

/// The faces of one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// Name of the stream, if it was given one: a camera, a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Position of the frame in the medium, in seconds: what a player shows. Null if the frame has no time stamp.
    pub stream_time: Option<f64>,
    /// Time that the pipeline has been running up to this frame, in seconds. Unlike the stream time it goes on over
    /// seeks and loops. Null if the frame has no time stamp or lies outside the played segment.
    pub running_time: Option<f64>,
    /// The computer's clock when the record was written, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_clock: Option<String>,
    /// Width of the frame in pixels.
    pub width: u32,
    /// Height of the frame in pixels.
    pub height: u32,
    /// The faces in the order of detection.
    pub faces: Vec<FaceRecord>,
}

/// One face of a [`Record`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceRecord {
    /// The track that the face belongs to, the same from frame to frame, if faces are tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// The box in pixels of the frame; it may reach outside.
    #[serde(rename = "box")]
    pub pixels: PixelBox,
    /// The box in shares of the frame's width and height.
    pub box_normalized: NormalizedBox,
    /// How sure the detector is that this is a face, 0 to 1, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_confidence: Option<f64>,
    /// The emotion to be shown, if the face is classified: its name, or [`UNCERTAIN`](crate::face::UNCERTAIN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<String>,
    /// Whether no emotion is sure enough to be named, if the face is classified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<bool>,
    /// Probability of `emotion`, or of the best guess where that is uncertain, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Probability of every emotion by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Probabilities>,
    /// How pleasant the expression is, -1 to 1, if the classifier says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valence: Option<f64>,
}

/// A rectangle in pixels; `x` and `y` are its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PixelBox {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

/// A rectangle in shares of the frame: 0, 0 is its upper left corner and 1, 1 its lower right one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct NormalizedBox {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Probabilities by the name of the emotion, in the order of the model's labels: a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities(pub Vec<(String, f64)>);

/// The times of a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// Position in the medium.
    pub stream: Option<gst::ClockTime>,
    /// Time since the pipeline started.
    pub running: Option<gst::ClockTime>,
    /// The computer's clock, RFC 3339, if it is to be recorded.
    pub wall_clock: Option<String>,
}

impl Record {
    /// The record of a frame of `width` × `height` pixels with `faces`.
    pub fn new(times: Times, width: u32, height: u32, faces: &[Face]) -> Self {
        Self {
            version: VERSION,
            source: None,
            stream_time: times.stream.map(seconds),
            running_time: times.running.map(seconds),
            wall_clock: times.wall_clock,
            width,
            height,
            faces: faces
                .iter()
                .map(|face| FaceRecord::new(face, width, height))
                .collect(),
        }
    }

    /// The same record with the name of its stream.
    #[must_use]
    pub fn from_source(self, source: Option<String>) -> Self {
        Self { source, ..self }
    }
}

impl FaceRecord {
    fn new(face: &Face, width: u32, height: u32) -> Self {
        let Face {
            x,
            y,
            width: face_width,
            height: face_height,
            ..
        } = *face;
        let of_width = |pixels: f64| rounded(pixels / f64::from(width.max(1)));
        let of_height = |pixels: f64| rounded(pixels / f64::from(height.max(1)));
        let emotion = face.emotion.as_ref();
        Self {
            id: face.object_id,
            pixels: PixelBox {
                x,
                y,
                width: face_width,
                height: face_height,
            },
            box_normalized: NormalizedBox {
                x: of_width(f64::from(x)),
                y: of_height(f64::from(y)),
                width: of_width(f64::from(face_width)),
                height: of_height(f64::from(face_height)),
            },
            detection_confidence: face
                .detection
                .map(|detection| rounded(detection.confidence)),
            emotion: emotion.map(|emotion| emotion.label.clone()),
            uncertain: emotion.map(EmotionResult::is_uncertain),
            confidence: emotion.map(|emotion| rounded(emotion.confidence)),
            probabilities: emotion.and_then(Probabilities::of),
            valence: emotion.and_then(|emotion| emotion.valence).map(rounded),
        }
    }
}

impl Probabilities {
    /// None where a foreign classifier left out the names or the probabilities.
    fn of(emotion: &EmotionResult) -> Option<Self> {
        let named: Vec<_> = emotion
            .labels
            .iter()
            .cloned()
            .zip(emotion.probabilities.iter().copied().map(rounded))
            .collect();
        (!named.is_empty()).then_some(Self(named))
    }
}

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, probability) in &self.0 {
            map.serialize_entry(label, probability)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Probabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Probabilities;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with a probability for each emotion")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Probabilities, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Probabilities(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The computer's clock as [`Record::wall_clock`] has it.
pub fn now() -> String {
    gst::glib::DateTime::now_utc()
        .and_then(|now| now.format("%Y-%m-%dT%H:%M:%S.%fZ"))
        .map(String::from)
        .expect("the year has four digits")
}

fn seconds(time: gst::ClockTime) -> f64 {
    time.nseconds() as f64 / 1e9
}

/// JSON has no NaN and no infinity; in a share or a probability they mean nothing either.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Detection;

    fn face() -> Face {
        Face {
            roi_id: 9,
            x: -10,
            y: 70,
            width: 140,
            height: 90,
            detection: Some(Detection {
                confidence: 0.9400000001,
                ..Detection::default()
            }),
            object_id: Some(3),
            emotion: Some(EmotionResult {
                label: "sad".into(),
                label_id: 1,
                confidence: 0.699_999_988_079_071,
                model_name: "any".into(),
                labels: ["zest", "sad", "anger"].map(String::from).to_vec(),
                probabilities: vec![0.1, 0.699_999_988_079_071, 0.2],
                valence: Some(-0.500_000_01),
                ..EmotionResult::default()
            }),
        }
    }

    fn bare(face: Face) -> Face {
        Face {
            detection: None,
            object_id: None,
            emotion: None,
            ..face
        }
    }

    fn json(record: &Record) -> String {
        serde_json::to_string(record).unwrap()
    }

    #[test]
    fn a_record_has_the_documented_fields_in_order_and_rounded() {
        let times = Times {
            stream: Some(gst::ClockTime::from_nseconds(2_040_000_001)),
            running: Some(gst::ClockTime::from_mseconds(40)),
            wall_clock: Some("2026-01-31T12:00:00Z".into()),
        };
        assert_eq!(
            json(&Record::new(times, 640, 360, &[face()]).from_source(Some("hall".into()))),
            concat!(
                r#"{"version":1,"source":"hall","stream_time":2.040000001,"running_time":0.04,"#,
                r#""wall_clock":"2026-01-31T12:00:00Z","width":640,"height":360,"faces":["#,
                r#"{"id":3,"box":{"x":-10,"y":70,"width":140,"height":90},"#,
                r#""box_normalized":{"x":-0.015625,"y":0.194444,"width":0.21875,"height":0.25},"#,
                r#""detection_confidence":0.94,"emotion":"sad","uncertain":false,"confidence":0.7,"#,
                r#""probabilities":{"zest":0.1,"sad":0.7,"anger":0.2},"valence":-0.5}]}"#
            )
        );
    }

    #[test]
    fn unknown_times_are_null_and_other_unknown_fields_are_left_out() {
        assert_eq!(
            json(&Record::new(Times::default(), 4, 2, &[bare(face())])),
            concat!(
                r#"{"version":1,"stream_time":null,"running_time":null,"width":4,"height":2,"#,
                r#""faces":[{"box":{"x":-10,"y":70,"width":140,"height":90},"#,
                r#""box_normalized":{"x":-2.5,"y":35.0,"width":35.0,"height":45.0}}]}"#
            )
        );
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for record in [
            Record::new(Times::default(), 640, 360, &[face(), bare(face())]),
            Record::new(Times::default(), 1, 1, &[]),
        ] {
            assert_eq!(
                serde_json::from_str::<Record>(&json(&record)).unwrap(),
                record
            );
        }
    }

    #[test]
    fn numbers_that_json_cannot_carry_become_zero() {
        let mut face = face();
        face.emotion.as_mut().unwrap().probabilities = vec![f64::NAN, f64::INFINITY, 1.0];
        let record = Record::new(Times::default(), 0, 0, &[face]);
        let back: Record = serde_json::from_str(&json(&record)).unwrap();
        let values: Vec<f64> = back.faces[0]
            .probabilities
            .as_ref()
            .unwrap()
            .0
            .iter()
            .map(|(_, p)| *p)
            .collect();
        assert_eq!(values, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn probabilities_that_are_no_object_are_refused_with_a_reason() {
        let text = json(&Record::new(Times::default(), 1, 1, &[face()]))
            .replace(r#"{"zest":0.1,"sad":0.7,"anger":0.2}"#, "[0.1, 0.9]");
        let error = serde_json::from_str::<Record>(&text)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("an object with a probability for each emotion"),
            "{error}"
        );
    }
}
