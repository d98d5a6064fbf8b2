//! Faces as plain values.

use emotion_analysis::AnalyzedFace;
use emotion_models::preprocess::Landmarks;
use pyo3::prelude::*;

/// A face as a tuple; `emotion_faces/_native.pyi` names the elements.
#[derive(IntoPyObject)]
pub(crate) struct NativeFace(
    /// Left, upper edge, width, height in pixels.
    (i32, i32, u32, u32),
    /// The id of its track.
    Option<i32>,
    /// Confidence of the detector.
    Option<f64>,
    /// Points in pixels.
    Option<[(f64, f64); Landmarks::COUNT]>,
    /// Labels with their probabilities.
    Vec<(String, f64)>,
    /// The most probable label, its probability, and whether that is too little to name it.
    (String, f64, bool),
    /// Valence and quality.
    (Option<f64>, f64),
    /// Roll and yaw in degrees.
    Option<(f64, f64)>,
);

/// Roll and yaw in degrees of a face with these landmarks.
#[pyfunction]
pub(crate) fn roll_and_yaw(points: [(f32, f32); Landmarks::COUNT]) -> (f64, f64) {
    angles(&Landmarks(points.map(|(x, y)| [x, y])))
}

fn angles(landmarks: &Landmarks) -> (f64, f64) {
    (
        landmarks.roll_degrees().into(),
        landmarks.yaw_degrees().into(),
    )
}

impl From<AnalyzedFace> for NativeFace {
    fn from(face: AnalyzedFace) -> Self {
        let emotion = face.emotion;
        let is_uncertain = emotion.is_uncertain();
        let dominant = emotion.labels.get(emotion.label_id).cloned();
        let point = |[x, y]: [f32; 2]| (f64::from(x), f64::from(y));
        Self(
            (face.x, face.y, face.width, face.height),
            face.id,
            face.detection,
            face.landmarks.map(|landmarks| landmarks.0.map(point)),
            emotion
                .labels
                .into_iter()
                .zip(emotion.probabilities)
                .collect(),
            (
                dominant.unwrap_or_default(),
                emotion.confidence,
                is_uncertain,
            ),
            (emotion.valence, emotion.quality.unwrap_or_default()),
            face.landmarks.as_ref().map(angles),
        )
    }
}
