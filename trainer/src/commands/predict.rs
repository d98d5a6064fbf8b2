//! `emotion-trainer predict`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::{Classifier, Scores};
use serde_json::{Map, Value, json};

use crate::cli::{Crop, PredictArgs};
use crate::data::picture::Picture;
use crate::emotion::prediction::{FaceLocator, PredictedFace, Predictor};

/// Prints the emotions of the faces in pictures. One that cannot be read is reported, and the others are looked at.
///
/// # Errors
///
/// When weights are broken, or, in the end, when a picture could not be read.
pub fn run(args: &PredictArgs) -> Result<()> {
    let classifier = Classifier::new(&super::weights(&args.weights)?)?;
    let mut predictor = Predictor::new(classifier, faces(args)?);
    let mut out = io::stdout().lock();
    let mut unread = 0;
    for path in &args.images {
        let looked = look_at(&mut predictor, path)
            .with_context(|| path.display().to_string())
            .inspect_err(|error| eprintln!("emotion-trainer: {error:#}"));
        unread += usize::from(looked.is_err());
        let labels = &predictor.metadata().labels;
        let text = match (&looked, args.json) {
            (_, true) => json(path, &looked, labels).to_string() + "\n",
            (Ok(seen), false) => text(path, seen, labels),
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
    if args.crop == Crop::None {
        return Ok(FaceLocator::Whole);
    }
    let detector = NetworkDetector::new(super::weights(&args.detector)?)?;
    Ok(FaceLocator::Found {
        detector: Box::new(detector.with_threads(rayon::current_num_threads())),
        options: Options {
            min_size_px: args.min_size,
            ..Options::default()
        },
        margin: args.margin,
    })
}

/// What is known about a picture.
struct ImageFaces {
    width: usize,
    height: usize,
    faces: Vec<(PredictedFace, Scores)>,
}

fn look_at(predictor: &mut Predictor, path: &Path) -> Result<ImageFaces> {
    // Its message holds the cause already.
    let picture = Picture::load(path).map_err(|error| anyhow!("{error}"))?;
    Ok(ImageFaces {
        width: picture.width(),
        height: picture.height(),
        faces: predictor.predict(&picture.view()?)?,
    })
}

/// The probabilities of each face, the most probable first.
fn text(path: &Path, seen: &ImageFaces, labels: &[String]) -> String {
    let path = path.display();
    let mut text = match seen.faces.len() {
        0 => format!("{path}: no face found (is it a face already? --crop none)\n"),
        1 => format!("{path}: 1 face\n"),
        count => format!("{path}: {count} faces\n"),
    };
    let width = labels.iter().map(|label| label.chars().count()).max();
    let width = width.unwrap_or(0);
    for (face, scores) in &seen.faces {
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

/// One picture; the names of the fields are those of the plugin's records.
fn json(path: &Path, looked: &Result<ImageFaces>, labels: &[String]) -> Value {
    let image = path.display().to_string();
    let seen = match looked {
        Ok(seen) => seen,
        Err(error) => return json!({ "image": image, "error": format!("{error:#}") }),
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
    let faces: Vec<Value> = seen.faces.iter().map(face).collect();
    json!({ "image": image, "width": seen.width, "height": seen.height, "faces": faces })
}

/// To six decimals, as in the plugin's records.
fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}
