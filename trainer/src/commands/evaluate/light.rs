//! The accuracy in other light, with each light correction.

use std::fmt::Write;

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::preprocess::LightCorrection;
use serde_json::{Map, Value, json};

use super::super::common::percent;
use super::probabilities::{Side, classify, evaluate_rows};
use crate::data::illumination::Illumination;
use crate::data::{FACE_SIZE, Faces};

/// Change of the light in stops.
const STOPS: f32 = 1.5;

/// The accuracy in each illumination with one correction.
pub(super) struct LightAccuracy {
    correction: LightCorrection,
    once: [f64; Illumination::ALL.len()],
    mirrored: [f64; Illumination::ALL.len()],
}

/// Evaluates `faces` in every illumination with every correction.
///
/// # Errors
///
/// When a network fails.
pub(super) fn table(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
) -> Result<Vec<LightAccuracy>> {
    let mut rows = LightCorrection::ALL.map(|correction| LightAccuracy {
        correction,
        once: [f64::NAN; Illumination::ALL.len()],
        mirrored: [f64::NAN; Illumination::ALL.len()],
    });
    for (column, light) in Illumination::ALL.into_iter().enumerate() {
        let lit = in_light(faces, light);
        for row in &mut rows {
            let [once, mirrored] = [Side::AsIs, Side::Mirrored]
                .map(|side| classify(networks, &lit, batch, row.correction, side));
            let (once, mirrored) = (once?, mirrored?);
            let accuracy = |probabilities| evaluate_rows(probabilities, &lit, |_| true).accuracy();
            row.once[column] = accuracy(&once.probabilities);
            row.mirrored[column] = accuracy(&once.mean_with(&mirrored));
        }
    }
    Ok(rows.into())
}

/// `faces` in this illumination.
fn in_light(faces: &Faces, light: Illumination) -> Faces {
    faces.changed(|_, pixels| {
        let mut pixels = pixels.to_vec();
        light.apply(STOPS, &mut pixels, FACE_SIZE);
        pixels
    })
}

/// An object for each correction with the accuracy in each illumination.
pub(super) fn to_json(rows: &[LightAccuracy]) -> Value {
    let by_light = |accuracies: &[f64]| -> Map<String, Value> {
        let entries = Illumination::ALL.iter().zip(accuracies);
        let entries = entries.map(|(light, accuracy)| (light.name().to_owned(), json!(accuracy)));
        entries.collect()
    };
    let entries = rows.iter().map(|row| {
        let value = json!({
            "accuracy": by_light(&row.once),
            "flip": { "accuracy": by_light(&row.mirrored) },
        });
        (row.correction.name().to_owned(), value)
    });
    Value::Object(entries.collect())
}

/// The same as a table.
pub(super) fn to_text(rows: &[LightAccuracy]) -> String {
    let mut text = "accuracy by light: of the face, and with its mirror image\n".to_owned();
    let _ = write!(text, "{:<10}", "corrected");
    for light in Illumination::ALL {
        let _ = write!(text, " {:>19}", light.name());
    }
    text += "\n";
    for row in rows {
        let _ = write!(text, "{:<10}", row.correction.name());
        for (once, mirrored) in row.once.iter().zip(&row.mirrored) {
            let both = [once, mirrored].map(|accuracy| percent(*accuracy, 2));
            let _ = write!(text, " {:>10} {:>8}", both[0], both[1]);
        }
        text += "\n";
    }
    text
}
