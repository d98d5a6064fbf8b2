//! `emotion-trainer predict`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::{Classifier, Scores};
use serde_json::{Map, Value, json};

use super::common::load_weights;
use crate::cli::{CropMode, PredictArgs};
use crate::data::image_file;
use crate::emotion::prediction::{FaceLocator, PredictedFace, Predictor};

/// Prints the emotions of the faces in images. An image that cannot be read is reported, and the others are processed.
///
/// # Errors
///
/// When weights are broken, or an image could not be read.
pub fn run(args: &PredictArgs) -> Result<()> {
    let classifier = Classifier::new(&load_weights(&args.weights)?)?;
    let mut predictor = Predictor::new(classifier, faces(args)?);
    let mut out = io::stdout().lock();
    let mut unread = 0;
    for path in &args.images {
        let result = predict(&mut predictor, path)
            .with_context(|| path.display().to_string())
            .inspect_err(|error| eprintln!("emotion-trainer: {error:#}"));
        unread += usize::from(result.is_err());
        let labels = &predictor.metadata().labels;
        let text = match (&result, args.json) {
            (_, true) => json(path, &result, labels).to_string() + "\n",
            (Ok(image), false) => text(path, image, labels),
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

fn faces(args: &PredictArgs) -> Result<FaceLocator> {
    if args.crop == CropMode::None {
        return Ok(FaceLocator::WholeImage);
    }
    let detector = NetworkDetector::new(load_weights(&args.detector)?)?;
    Ok(FaceLocator::Detector {
        detector: Box::new(detector.with_threads(rayon::current_num_threads())),
        options: Options {
            min_size_px: args.min_size,
            ..Options::default()
        },
        margin: args.margin,
    })
}

/// The size and the faces of an image.
struct ImageFaces {
    width: u32,
    height: u32,
    faces: Vec<(PredictedFace, Scores)>,
}

fn predict(predictor: &mut Predictor, path: &Path) -> Result<ImageFaces> {
    // The message contains the cause already.
    let image = image_file::load(path).map_err(|error| anyhow!("{error}"))?;
    Ok(ImageFaces {
        width: image.width(),
        height: image.height(),
        faces: predictor.predict(&image_file::view(&image)?)?,
    })
}

/// The probabilities of each face, the most probable first.
fn text(path: &Path, image: &ImageFaces, labels: &[String]) -> String {
    let path = path.display();
    let mut text = match image.faces.len() {
        0 => format!("{path}: no face found (is it a face already? --crop none)\n"),
        1 => format!("{path}: 1 face\n"),
        count => format!("{path}: {count} faces\n"),
    };
    let width = labels.iter().map(|label| label.chars().count()).max();
    let width = width.unwrap_or(0);
    for (face, scores) in &image.faces {
        text += &format!(
            "  {}×{} pixels at {}, {}",
            face.width, face.height, face.x, face.y
        );
        if let Some(detection) = face.detection {
            text += &format!(", a face with confidence {detection:.2}");
        }
        text += "\n";
        let mut rows: Vec<(&f32, &String)> = scores.probabilities().iter().zip(labels).collect();
        rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (probability, label) in rows {
            text += &format!("    {label:<width$} {:5.1} %\n", 100.0 * probability);
        }
    }
    text
}

/// One image; the names of the fields are those of the plugin's records.
fn json(path: &Path, result: &Result<ImageFaces>, labels: &[String]) -> Value {
    let name = path.display().to_string();
    let image = match result {
        Ok(image) => image,
        Err(error) => return json!({ "image": name, "error": format!("{error:#}") }),
    };
    let face = |(face, scores): &(PredictedFace, Scores)| {
        let (best, confidence) = scores.best();
        let probabilities: Map<String, Value> = labels
            .iter()
            .zip(scores.probabilities())
            .map(|(label, &probability)| (label.clone(), rounded(probability.into())))
            .collect();
        let mut object = Map::new();
        object.insert(
            "box".to_owned(),
            json!({ "x": face.x, "y": face.y, "width": face.width, "height": face.height }),
        );
        if let Some(detection) = face.detection {
            object.insert("detection".to_owned(), rounded(detection));
        }
        object.insert("emotion".to_owned(), json!(labels[best]));
        object.insert("confidence".to_owned(), rounded(confidence.into()));
        object.insert("probabilities".to_owned(), Value::Object(probabilities));
        Value::Object(object)
    };
    let faces: Vec<Value> = image.faces.iter().map(face).collect();
    json!({ "image": name, "width": image.width, "height": image.height, "faces": faces })
}

/// Rounded to six decimals, as in the plugin's records.
fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}
