//! The record of one frame: its faces and their emotions, as they are written to files and sent over networks.
//!
//! A record is one JSON object, on one line in JSON Lines:
//!
//! ```json
//! {"version":2,"source":"hall","frame":51,"stream_time":2.04,"running_time":2.04,"width":640,"height":360,
//!  "model":"residual_xception","weights_id":"0c59eb3f60bd4177","threshold":0.45,"faces":[{"id":3,
//!  "box":{"x":212,"y":70,"width":140,"height":140},
//!  "box_normalized":{"x":0.33125,"y":0.194444,"width":0.21875,"height":0.388889},"detection_confidence":0.94,
//!  "emotion":"happy","uncertain":false,"confidence":0.87,"probabilities":{"angry":0.01,"disgust":0.0,"fear":0.02,
//!  "happy":0.87,"sad":0.03,"surprise":0.02,"neutral":0.05},"valence":0.81,"quality":0.93}]}
//! ```
//!
//! `pipelines/schema/record.schema.json` describes it for validators. Fields without a value are left out, apart from the
//! two times, which are null. Fractions of the frame, confidences and probabilities are rounded to six decimals. A reader
//! should ignore unknown fields: [`VERSION`] counts up only when a field changes its meaning or goes away.

mod probabilities;
pub mod table;
mod zones;

use std::time::Duration;

use emotion_models::preprocess::Landmarks;
use serde::{Deserialize, Serialize};

pub use self::probabilities::Probabilities;
use self::probabilities::rounded;
pub use self::zones::{DwellRecord, LineRecord, PresentRecord, ZoneRecord};
use crate::face::{EmotionResult, Face};
use crate::frame_time::FrameTime;
use crate::zones::FrameZones;

/// The version of the format. In version 1 `source` was the file name alone in the records of `emotion-tag`.
pub const VERSION: u32 = 2;

/// The faces of one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// Name of the stream, if it was given one: a camera, the path of a file below the root of its archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Number of the frame, from 0, in the file, or among the frames that reached the element. Frames without a record
    /// count too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// Position of the frame in the medium in seconds, as a player shows it. Null if the frame has no time stamp.
    pub stream_time: Option<f64>,
    /// Time that the pipeline has been running up to this frame, in seconds. Unlike the stream time it goes on over
    /// seeks and loops. Null if the frame has no time stamp or lies outside the played segment.
    pub running_time: Option<f64>,
    /// The computer's clock when the record was made, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_clock: Option<String>,
    /// The clock of the sender when it captured the frame, RFC 3339 in UTC, if the sender tells it, as cameras do by RTCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_time: Option<String>,
    /// Width of the frame in pixels.
    pub width: u32,
    /// Height of the frame in pixels.
    pub height: u32,
    /// Width of a pixel divided by its height, if pixels are not square: the frame is shown `width` times this wide. Boxes
    /// are in pixels all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_aspect_ratio: Option<f64>,
    /// Name of the weights that the faces were classified with, if any was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The fingerprint of these weights: it changes with their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_id: Option<String>,
    /// The threshold below which an emotion was uncertain, 0 to 1, if known; on poor faces it is higher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The faces in the order of detection.
    pub faces: Vec<FaceRecord>,
    /// The zones, if `emotionzones` counts people in zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneRecord>,
    /// The lines, if `emotionzones` counts who crosses lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineRecord>,
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
    /// The box in fractions of the frame's width and height.
    pub box_normalized: NormalizedBox,
    /// The detector's confidence that this is a face, 0 to 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_confidence: Option<f64>,
    /// Name of the emotion to show, if the face is classified, or [`UNCERTAIN`](crate::face::UNCERTAIN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<String>,
    /// Whether no emotion is certain enough to be named, if the face is classified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<bool>,
    /// Probability of `emotion`, or of the best guess where that is uncertain, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Probability of every emotion by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Probabilities>,
    /// How pleasant the expression is, -1 to 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valence: Option<f64>,
    /// How well the face can be judged, 0 to 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Points of the face, if the detector finds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<LandmarkRecord>,
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

/// A rectangle in fractions of the frame: 0, 0 is its upper left corner and 1, 1 its lower right one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct NormalizedBox {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Points of a face in fractions of the frame, named as in the metadata; right and left are the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LandmarkRecord {
    pub right_eye_x: f64,
    pub right_eye_y: f64,
    pub left_eye_x: f64,
    pub left_eye_y: f64,
    pub nose_x: f64,
    pub nose_y: f64,
    pub right_mouth_x: f64,
    pub right_mouth_y: f64,
    pub left_mouth_x: f64,
    pub left_mouth_y: f64,
}

impl From<Landmarks> for LandmarkRecord {
    fn from(landmarks: Landmarks) -> Self {
        let [right_eye, left_eye, nose, right_mouth, left_mouth] = landmarks
            .0
            .map(|point| point.map(|value| rounded(value.into())));
        let ([right_eye_x, right_eye_y], [left_eye_x, left_eye_y]) = (right_eye, left_eye);
        let ([right_mouth_x, right_mouth_y], [left_mouth_x, left_mouth_y]) =
            (right_mouth, left_mouth);
        let [nose_x, nose_y] = nose;
        Self {
            right_eye_x,
            right_eye_y,
            left_eye_x,
            left_eye_y,
            nose_x,
            nose_y,
            right_mouth_x,
            right_mouth_y,
            left_mouth_x,
            left_mouth_y,
        }
    }
}

impl Record {
    /// The record of a frame of `width` × `height` pixels with `faces`.
    pub fn new(time: FrameTime, width: u32, height: u32, faces: &[Face]) -> Self {
        let emotion = faces.iter().find_map(|face| face.emotion.as_ref());
        let known = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            version: VERSION,
            source: None,
            frame: None,
            stream_time: time.stream.map(seconds),
            running_time: time.running.map(seconds),
            wall_clock: None,
            sender_time: None,
            width,
            height,
            pixel_aspect_ratio: None,
            model: emotion.and_then(|emotion| known(&emotion.model_name)),
            weights_id: emotion.and_then(|emotion| known(&emotion.weights_id)),
            threshold: emotion.and_then(|emotion| emotion.threshold).map(rounded),
            faces: faces
                .iter()
                .map(|face| FaceRecord::new(face, width, height))
                .collect(),
            zones: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The same record with the zones and lines of its frame, if there are any.
    #[must_use]
    pub fn with_zones(self, zones: Option<&FrameZones>) -> Self {
        let zones = zones.map(|zones| {
            let lines = zones.lines.iter().map(LineRecord::from);
            (
                zones.zones.iter().map(ZoneRecord::from).collect(),
                lines.collect(),
            )
        });
        let (zones, lines) = zones.unwrap_or_default();
        Self {
            zones,
            lines,
            ..self
        }
    }

    /// The same record with the name of its stream.
    #[must_use]
    pub fn with_source(self, source: Option<String>) -> Self {
        Self { source, ..self }
    }

    /// The same record with the shape of its pixels, width to height.
    #[must_use]
    pub fn with_pixel_aspect_ratio(self, ratio: gst::Fraction) -> Self {
        let ratio = f64::from(ratio.numer()) / f64::from(ratio.denom());
        Self {
            pixel_aspect_ratio: (ratio != 1.0).then_some(rounded(ratio)),
            ..self
        }
    }

    /// The same record with the number of its frame.
    #[must_use]
    pub fn with_frame(self, frame: Option<u64>) -> Self {
        Self { frame, ..self }
    }

    /// The same record with the clock of the sender, as [`rfc3339`] gives it.
    #[must_use]
    pub fn with_sender_time(self, sender_time: Option<String>) -> Self {
        Self {
            sender_time,
            ..self
        }
    }

    /// The same record with the computer's clock, as [`now`] gives it.
    #[must_use]
    pub fn with_wall_clock(self, wall_clock: Option<String>) -> Self {
        Self { wall_clock, ..self }
    }
}

impl FaceRecord {
    fn new(face: &Face, width: u32, height: u32) -> Self {
        let Face { x, y, .. } = *face;
        let fraction = |pixels: f64, of: u32| rounded(pixels / f64::from(of.max(1)));
        let emotion = face.emotion.as_ref();
        Self {
            id: face.object_id,
            pixels: PixelBox {
                x,
                y,
                width: face.width,
                height: face.height,
            },
            box_normalized: NormalizedBox {
                x: fraction(x.into(), width),
                y: fraction(y.into(), height),
                width: fraction(face.width.into(), width),
                height: fraction(face.height.into(), height),
            },
            detection_confidence: face
                .detection
                .map(|detection| rounded(detection.confidence)),
            emotion: emotion.map(|emotion| emotion.label.clone()),
            uncertain: emotion.map(EmotionResult::is_uncertain),
            confidence: emotion.map(|emotion| rounded(emotion.confidence)),
            probabilities: emotion.and_then(Probabilities::of),
            valence: emotion.and_then(|emotion| emotion.valence).map(rounded),
            quality: emotion.and_then(|emotion| emotion.quality).map(rounded),
            landmarks: face.landmarks.map(LandmarkRecord::from),
        }
    }
}

/// The computer's clock as [`Record::wall_clock`] has it.
pub fn now() -> String {
    gst::glib::DateTime::now_utc()
        .and_then(|now| now.format("%Y-%m-%dT%H:%M:%S.%fZ"))
        .map(String::from)
        .expect("the year has four digits")
}

/// A time since 1970 as [`Record::sender_time`] has it; `None` after the year 9999.
pub fn rfc3339(since_1970: Duration) -> Option<String> {
    let seconds = i64::try_from(since_1970.as_secs()).ok()?;
    let time = gst::glib::DateTime::from_unix_utc(seconds).ok()?;
    let whole = time.format("%Y-%m-%dT%H:%M:%S").ok()?;
    Some(format!("{whole}.{:06}Z", since_1970.subsec_micros()))
}

fn seconds(time: gst::ClockTime) -> f64 {
    time.nseconds() as f64 / 1e9
}

#[cfg(test)]
mod tests;
