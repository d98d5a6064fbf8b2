//! The accuracy on faces as cameras, detectors and codecs deliver them.

use std::fmt::Write;

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::preprocess::LightCorrection;
use serde_json::{Map, Value, json};

use super::super::common::percent;
use super::probabilities::{Probabilities, Side, classify, evaluate_rows};
use crate::data::augment::cover::{Cover, CoverKind};
use crate::data::augment::degradation::{Blur, compress, resized};
use crate::data::augment::{Margins, Movement, Warp};
use crate::data::{FACE_SIZE, Faces};
use crate::emotion::metrics::argmax;
use crate::emotion::people::PeopleMetrics;
use crate::random::{Purpose, generator};

/// A change of all faces.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// None.
    None,
    /// Reduced to this side in pixels, and enlarged again.
    Reduced(usize),
    /// Rotated by this angle in degrees.
    Rotated(f32),
    /// Blurred by a lens by this fraction of the side.
    Blurred(f32),
    /// Smeared by motion across, by this fraction of the side.
    Smeared(f32),
    /// Compressed as JPEG of this quality.
    Compressed(u8),
    /// Shifted to the right by this fraction of the side.
    Shifted(f32),
    /// Cut out by this factor too wide.
    Scaled(f32),
    /// Covered.
    Covered(CoverKind),
}

/// The rows of the table.
const CHANGES: [(&str, Change); 23] = [
    ("as it is", Change::None),
    ("40 pixels", Change::Reduced(40)),
    ("32 pixels", Change::Reduced(32)),
    ("24 pixels", Change::Reduced(24)),
    ("16 pixels", Change::Reduced(16)),
    ("roll 10°", Change::Rotated(10.0)),
    ("roll 20°", Change::Rotated(20.0)),
    ("roll 40°", Change::Rotated(40.0)),
    ("roll 90°", Change::Rotated(90.0)),
    ("upside down", Change::Rotated(180.0)),
    ("lens blur 4 %", Change::Blurred(0.04)),
    ("lens blur 8 %", Change::Blurred(0.08)),
    ("motion blur 8 %", Change::Smeared(0.08)),
    ("JPEG 50", Change::Compressed(50)),
    ("JPEG 20", Change::Compressed(20)),
    ("JPEG 10", Change::Compressed(10)),
    ("shifted 5 %", Change::Shifted(0.05)),
    ("shifted 10 %", Change::Shifted(0.1)),
    ("12 % too wide", Change::Scaled(1.12)),
    ("12 % too narrow", Change::Scaled(0.88)),
    ("mask", Change::Covered(CoverKind::Mask)),
    ("hand", Change::Covered(CoverKind::Hand)),
    ("dark glasses", Change::Covered(CoverKind::Glasses)),
];

/// The results on all faces with one change.
pub(super) struct RobustnessRow {
    name: &'static str,
    accuracy: f64,
    /// Accuracy on the majority of the votes, if there are votes.
    people_accuracy: Option<f64>,
    /// Share of the faces that keep the label that they have without the change.
    kept: f64,
    /// Mean confidence of the label.
    confidence: f64,
    /// Mean probability that the face is covered or turned, of a network that has learnt it.
    hidden: Option<f64>,
}

/// Evaluates `faces` with every change.
///
/// # Errors
///
/// When a network fails.
pub(super) fn table(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
) -> Result<Vec<RobustnessRow>> {
    let labels = |probabilities: &Probabilities| -> Vec<usize> {
        probabilities.iter().map(|row| argmax(row)).collect()
    };
    let mut unchanged = None;
    let mut rows = Vec::new();
    for (name, change) in CHANGES {
        let mut changer = Changer::default();
        let changed = faces.changed(|row, pixels| changer.run(change, row, pixels));
        let found = classify(networks, &changed, batch, LightCorrection::None, Side::AsIs)?;
        let answers = labels(&found.probabilities);
        let unchanged = unchanged.get_or_insert_with(|| answers.clone());
        let kept = answers.iter().zip(unchanged.iter()).filter(|(a, b)| a == b);
        let confidence: f64 = found
            .probabilities
            .iter()
            .zip(&answers)
            .map(|(p, &id)| p[id])
            .sum();
        let people = PeopleMetrics::new(&found.probabilities, &changed);
        let count = faces.len() as f64;
        rows.push(RobustnessRow {
            name,
            accuracy: evaluate_rows(&found.probabilities, &changed, |_| true).accuracy(),
            people_accuracy: people.map(|metrics| metrics.majority().accuracy()),
            kept: kept.count() as f64 / count,
            confidence: confidence / count,
            hidden: found
                .hidden
                .map(|hidden| hidden.iter().sum::<f64>() / count),
        });
    }
    Ok(rows)
}

/// Changes faces; it keeps a buffer.
#[derive(Default)]
struct Changer {
    margins: Margins,
}

impl Changer {
    fn run(&mut self, change: Change, row: usize, pixels: &[u8]) -> Vec<u8> {
        let mut face = pixels.to_vec();
        match change {
            Change::None => {}
            Change::Reduced(size) => {
                face = resized(&resized(pixels, FACE_SIZE, size), size, FACE_SIZE);
            }
            Change::Rotated(angle_degrees) => {
                face = self.moved(
                    pixels,
                    Movement {
                        angle_degrees,
                        ..Movement::NONE
                    },
                );
            }
            Change::Shifted(shift) => {
                face = self.moved(
                    pixels,
                    Movement {
                        shift: [-shift, 0.0],
                        ..Movement::NONE
                    },
                );
            }
            Change::Scaled(zoom) => {
                face = self.moved(
                    pixels,
                    Movement {
                        zoom: [zoom; 2],
                        ..Movement::NONE
                    },
                );
            }
            Change::Blurred(length) => blur(length, true).apply(&mut face, FACE_SIZE),
            Change::Smeared(length) => blur(length, false).apply(&mut face, FACE_SIZE),
            Change::Compressed(quality) => compress(&mut face, FACE_SIZE, quality),
            Change::Covered(kind) => {
                let mut generator = generator(0, Purpose::Cover, row as u64);
                Cover::new(kind, &mut generator).draw(&mut face, FACE_SIZE);
            }
        }
        face
    }

    fn moved(&mut self, pixels: &[u8], movement: Movement) -> Vec<u8> {
        let mut face = vec![0; pixels.len()];
        Warp::new(movement, FACE_SIZE).apply(pixels, FACE_SIZE, &mut self.margins, &mut face);
        face
    }
}

fn blur(length: f32, is_even: bool) -> Blur {
    Blur {
        length: length * FACE_SIZE as f32,
        angle: 0.0,
        is_even,
    }
}

/// An object for each change.
pub(super) fn to_json(rows: &[RobustnessRow]) -> Value {
    let entries = rows.iter().map(|row| {
        let value = json!({
            "accuracy": row.accuracy,
            "people_accuracy": row.people_accuracy,
            "kept": row.kept,
            "confidence": row.confidence,
            "hidden": row.hidden,
        });
        (row.name.to_owned(), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

/// The same as a table.
pub(super) fn to_text(rows: &[RobustnessRow]) -> String {
    let mut text =
        "faces as they arrive: accuracy, share of kept labels, mean confidence\n".to_owned();
    let _ = writeln!(
        text,
        "{:<16} {:>9} {:>9} {:>8} {:>11} {:>8}",
        "", "labels", "people", "kept", "confidence", "hidden"
    );
    for row in rows {
        let or_nothing =
            |share: Option<f64>| share.map_or(String::new(), |share| percent(share, 1));
        let line = format!(
            "{:<16} {:>9} {:>9} {:>8} {:>11} {:>8}",
            row.name,
            percent(row.accuracy, 1),
            or_nothing(row.people_accuracy),
            percent(row.kept, 1),
            percent(row.confidence, 1),
            or_nothing(row.hidden),
        );
        text += line.trim_end();
        text += "\n";
    }
    text
}
