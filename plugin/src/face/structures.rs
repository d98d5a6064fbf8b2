//! The structures of a face's params.

use std::ops::RangeInclusive;

use emotion_analysis::{EmotionResult, RawEmotion};
use emotion_models::preprocess::Landmarks;
use gst::{Structure, StructureRef};

use super::types::Detection;
use crate::foreign::{array_field, text, text_field};

pub(super) const DETECTION: &str = "detection";
pub(super) const OBJECT_ID: &str = "object_id";
pub(super) const LANDMARKS: &str = "landmarks";
pub(super) const EMOTION: &str = "emotion";

impl Detection {
    pub(super) fn from_structure(structure: &StructureRef) -> Option<Self> {
        let confidence: f64 = structure.get("confidence").ok()?;
        confidence.is_finite().then_some(Self {
            confidence,
            age: structure.get("age").ok(),
            lost: structure.get("lost").ok(),
        })
    }
}

/// Sets the limits of a rectangle, x, y, width and height in pixels, as fractions of the frame of this width and height.
pub(super) fn set_limits(
    detection: &mut StructureRef,
    (x, y, width, height): (u32, u32, u32, u32),
    (frame_width, frame_height): (u32, u32),
) {
    let fraction = |at: u32, side: u32| f64::from(at) / f64::from(side);
    detection.set("x_min", fraction(x, frame_width));
    detection.set("x_max", fraction(x + width, frame_width));
    detection.set("y_min", fraction(y, frame_height));
    detection.set("y_max", fraction(y + height, frame_height));
}

/// Points that lie far outside the frame are those of another picture.
const LANDMARK_RANGE: RangeInclusive<f64> = -2.0..=3.0;

pub(super) fn landmarks_from_structure(structure: &StructureRef) -> Option<Landmarks> {
    let value = |name: &str, axis: &str| {
        within(structure, &format!("{name}_{axis}"), LANDMARK_RANGE).map(|value| value as f32)
    };
    let mut points = [[0.0; 2]; Landmarks::COUNT];
    for (point, name) in points.iter_mut().zip(Landmarks::NAMES) {
        *point = [value(name, "x")?, value(name, "y")?];
    }
    Some(Landmarks(points))
}

pub(super) fn landmarks_to_structure(landmarks: &Landmarks) -> Structure {
    let mut builder = Structure::builder(LANDMARKS);
    for (name, [x, y]) in Landmarks::NAMES.iter().zip(landmarks.0) {
        builder = builder
            .field(format!("{name}_x"), f64::from(x))
            .field(format!("{name}_y"), f64::from(y));
    }
    builder.build()
}

/// Only the label, its index and its confidence are required: other classifiers leave fields out.
pub(super) fn emotion_from_structure(structure: &StructureRef) -> Option<EmotionResult> {
    let label_id: i32 = structure.get("label_id").ok()?;
    let confidence: f64 = structure.get("confidence").ok()?;
    if !confidence.is_finite() {
        return None;
    }
    Some(EmotionResult {
        label: text_field(structure, "label")?.to_owned(),
        label_id: usize::try_from(label_id).ok()?,
        confidence,
        model_name: owned_text(structure, "model_name"),
        weights_id: owned_text(structure, "weights_id"),
        threshold: within(structure, "threshold", 0.0..=1.0),
        labels: array_field(structure, "labels", |value| {
            Some(text(value).ok()??.to_owned())
        }),
        probabilities: array_field(structure, "probabilities", |value| value.get().ok()),
        valence: within(structure, "valence", -1.0..=1.0),
        quality: within(structure, "quality", 0.0..=1.0),
        raw: raw_emotion_from_structure(structure),
    })
}

fn raw_emotion_from_structure(structure: &StructureRef) -> Option<RawEmotion> {
    Some(RawEmotion {
        label: text_field(structure, "raw_label")?.to_owned(),
        confidence: within(structure, "raw_confidence", 0.0..=1.0)?,
    })
}

pub(super) fn emotion_to_structure(emotion: &EmotionResult) -> Structure {
    let raw = emotion.raw.as_ref();
    let label_id = i32::try_from(emotion.label_id).unwrap_or(i32::MAX);
    Structure::builder(EMOTION)
        .field("label", &emotion.label)
        .field("label_id", label_id)
        .field("confidence", emotion.confidence)
        .field("model_name", &emotion.model_name)
        .field("weights_id", &emotion.weights_id)
        .field_if_some("threshold", emotion.threshold)
        .field("labels", gst::Array::new(&emotion.labels))
        .field("probabilities", gst::Array::new(&emotion.probabilities))
        .field_if_some("valence", emotion.valence)
        .field_if_some("quality", emotion.quality)
        .field_if_some("raw_label", raw.map(|raw| &raw.label))
        .field_if_some("raw_confidence", raw.map(|raw| raw.confidence))
        .build()
}

/// A number in its range, which NaN is not.
fn within(structure: &StructureRef, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
    structure
        .get(name)
        .ok()
        .filter(|value| range.contains(value))
}

/// The text of a field, empty if there is none.
fn owned_text(structure: &StructureRef, name: &str) -> String {
    text_field(structure, name).unwrap_or_default().to_owned()
}
