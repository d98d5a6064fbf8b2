//! `emotion-trainer predict`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_analysis::{AnalyzedFace, Options, PictureAnalyzer};
use emotion_detect::{Detector, NetworkDetector};
use emotion_models::preprocess::{Landmarks, Region};
use emotion_models::weights::WeightsId;
use emotion_models::{Classifier, image_file};
use serde_json::{Map, Value, json};

use super::common::load_weights;
use crate::cli::{CropMode, PredictArgs};

/// Prints the emotions of the faces in images. An image that cannot be read is reported, and the others are processed.
///
/// # Errors
///
/// When weights are broken, or an image could not be read.
pub fn run(args: &PredictArgs) -> Result<()> {
    let classifier = Classifier::new(&load_weights(&args.weights)?)?;
    let mut pictures = PictureAnalyzer::new(classifier, detector(args)?);
    let options = Options {
        margin: args.margin,
        threshold: args.threshold,
        ..Options::default()
    };
    let detection = emotion_detect::Options {
        min_size_px: args.min_size,
        ..emotion_detect::Options::default()
    };
    let mut out = io::stdout().lock();
    let mut unread = 0;
    for path in &args.images {
        let result = predict(&mut pictures, path, &detection, &options)
            .with_context(|| path.display().to_string())
            .inspect_err(|error| eprintln!("emotion-trainer: {error:#}"));
        unread += usize::from(result.is_err());
        let answers = Answers {
            weights: pictures.analyzer().weights_id(),
            threshold: pictures.analyzer().threshold(&options),
        };
        let text = match (&result, args.json) {
            (_, true) => answers.json(path, &result).to_string() + "\n",
            (Ok(image), false) => text(path, image),
            (Err(_), false) => String::new(),
        };
        out.write_all(text.as_bytes())
            .context("cannot write the results")?;
    }
    ensure!(
        unread == 0,
        "{unread} of {} pictures could not be read",
        args.images.len()
    );
    Ok(())
}

fn detector(args: &PredictArgs) -> Result<Option<Detector>> {
    if args.crop == CropMode::None {
        return Ok(None);
    }
    let detector = NetworkDetector::new(&load_weights(&args.detector)?)?;
    let detector = detector.with_threads(rayon::current_num_threads());
    Ok(Some(detector.into()))
}

/// The size and the faces of an image.
struct ImageFaces {
    width: u32,
    height: u32,
    faces: Vec<AnalyzedFace>,
}

fn predict(
    pictures: &mut PictureAnalyzer,
    path: &Path,
    detection: &emotion_detect::Options,
    options: &Options,
) -> Result<ImageFaces> {
    // The message contains the cause already.
    let image = image_file::load(path).map_err(|error| anyhow!("{error}"))?;
    Ok(ImageFaces {
        width: image.width(),
        height: image.height(),
        faces: pictures.analyze(&image_file::view(&image)?, detection, options)?,
    })
}

/// The label of each face and the probabilities, the most probable first.
fn text(path: &Path, image: &ImageFaces) -> String {
    let path = path.display();
    let mut text = match image.faces.len() {
        0 => format!("{path}: no face found (is it a face already? --crop none)\n"),
        1 => format!("{path}: 1 face\n"),
        count => format!("{path}: {count} faces\n"),
    };
    for face in &image.faces {
        let AnalyzedFace { emotion, .. } = face;
        text += &format!(
            "  {}, {}×{} pixels at {}, {}, quality {:.2}",
            emotion.label,
            face.width,
            face.height,
            face.x,
            face.y,
            emotion.quality.unwrap_or_default()
        );
        if let Some(detection) = face.detection {
            text += &format!(", a face with confidence {detection:.2}");
        }
        text += "\n";
        let labels = &emotion.labels;
        let width = labels.iter().map(|label| label.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut rows: Vec<_> = emotion.probabilities.iter().zip(labels).collect();
        rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (probability, label) in rows {
            text += &format!("    {label:<width$} {:5.1} %\n", 100.0 * probability);
        }
    }
    text
}

/// What the answers of the network mean.
struct Answers<'a> {
    weights: &'a WeightsId,
    threshold: f64,
}

impl Answers<'_> {
    /// One image; the names of the fields are those of the plugin's records.
    fn json(&self, path: &Path, result: &Result<ImageFaces>) -> Value {
        let name = path.display().to_string();
        let image = match result {
            Ok(image) => image,
            Err(error) => return json!({ "image": name, "error": format!("{error:#}") }),
        };
        let size = [image.width, image.height];
        let faces: Vec<Value> = image.faces.iter().map(|found| face(found, size)).collect();
        json!({
            "image": name,
            "width": image.width,
            "height": image.height,
            "model": self.weights.name,
            "weights_id": self.weights.fingerprint,
            "threshold": rounded(self.threshold),
            "faces": faces,
        })
    }
}

/// A face in a picture of this width and height.
fn face(face: &AnalyzedFace, [width, height]: [u32; 2]) -> Value {
    let AnalyzedFace { emotion, .. } = face;
    let probabilities: Map<String, Value> = (emotion.labels.iter())
        .zip(&emotion.probabilities)
        .map(|(label, &probability)| (label.clone(), rounded(probability)))
        .collect();
    let mut object = Map::new();
    let mut insert = |name: &str, value| object.insert(name.to_owned(), value);
    insert(
        "box",
        json!({ "x": face.x, "y": face.y, "width": face.width, "height": face.height }),
    );
    if let Some(detection) = face.detection {
        insert("detection", rounded(detection));
    }
    insert("emotion", json!(emotion.label));
    insert("uncertain", json!(emotion.is_uncertain()));
    insert("confidence", rounded(emotion.confidence));
    insert("probabilities", Value::Object(probabilities));
    if let Some(quality) = emotion.quality {
        insert("quality", rounded(quality));
    }
    if let Some(landmarks) = face.landmarks {
        let whole = Region::new(0.0, 0.0, width as f32, height as f32);
        let mut points = Map::new();
        for (name, [x, y]) in Landmarks::NAMES
            .iter()
            .zip(landmarks.to_fractions(&whole).0)
        {
            points.insert(format!("{name}_x"), rounded(x.into()));
            points.insert(format!("{name}_y"), rounded(y.into()));
        }
        insert("landmarks", Value::Object(points));
    }
    Value::Object(object)
}

/// Rounded to six decimals, as in the plugin's records.
fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}
