//! `emotion-trainer predict`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::weights::WeightsId;
use emotion_models::{Classifier, UNCERTAIN, naming_threshold};
use serde_json::{Map, Value, json};

use super::common::load_weights;
use crate::cli::{CropMode, PredictArgs};
use crate::data::image_file;
use crate::emotion::prediction::{FaceLocator, Prediction, Predictor};

/// Prints the emotions of the faces in images. An image that cannot be read is reported, and the others are processed.
///
/// # Errors
///
/// When weights are broken, or an image could not be read.
pub fn run(args: &PredictArgs) -> Result<()> {
    let classifier = Classifier::new(&load_weights(&args.weights)?)?;
    let mut predictor = Predictor::new(classifier, faces(args)?);
    let of_weights = predictor.metadata().threshold.map_or(0.0, f64::from);
    let threshold = args.threshold.unwrap_or(of_weights);
    let mut out = io::stdout().lock();
    let mut unread = 0;
    for path in &args.images {
        let result = predict(&mut predictor, path)
            .with_context(|| path.display().to_string())
            .inspect_err(|error| eprintln!("emotion-trainer: {error:#}"));
        unread += usize::from(result.is_err());
        let answers = Answers {
            labels: &predictor.metadata().labels,
            weights: predictor.weights_id(),
            threshold,
        };
        let text = match (&result, args.json) {
            (_, true) => answers.json(path, &result).to_string() + "\n",
            (Ok(image), false) => answers.text(path, image),
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
    faces: Vec<Prediction>,
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

/// What the answers of the network mean.
struct Answers<'a> {
    labels: &'a [String],
    weights: &'a WeightsId,
    threshold: f64,
}

impl Answers<'_> {
    /// The label to be shown: the most probable one, or [`UNCERTAIN`].
    fn shown(&self, face: &Prediction) -> &str {
        let (best, confidence) = face.scores.best();
        match f64::from(confidence) < naming_threshold(self.threshold, face.quality) {
            true => UNCERTAIN,
            false => &self.labels[best],
        }
    }

    /// The label of each face and the probabilities, the most probable first.
    fn text(&self, path: &Path, image: &ImageFaces) -> String {
        let path = path.display();
        let mut text = match image.faces.len() {
            0 => format!("{path}: no face found (is it a face already? --crop none)\n"),
            1 => format!("{path}: 1 face\n"),
            count => format!("{path}: {count} faces\n"),
        };
        let labels = self.labels;
        let width = labels.iter().map(|label| label.chars().count()).max();
        let width = width.unwrap_or(0);
        for prediction in &image.faces {
            let face = prediction.face;
            text += &format!(
                "  {}, {}×{} pixels at {}, {}, quality {:.2}",
                self.shown(prediction),
                face.width,
                face.height,
                face.x,
                face.y,
                prediction.quality
            );
            if let Some(detection) = face.detection {
                text += &format!(", a face with confidence {detection:.2}");
            }
            text += "\n";
            let probabilities = prediction.scores.probabilities().iter();
            let mut rows: Vec<(&f32, &String)> = probabilities.zip(labels).collect();
            rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            for (probability, label) in rows {
                text += &format!("    {label:<width$} {:5.1} %\n", 100.0 * probability);
            }
        }
        text
    }

    /// One image; the names of the fields are those of the plugin's records.
    fn json(&self, path: &Path, result: &Result<ImageFaces>) -> Value {
        let name = path.display().to_string();
        let image = match result {
            Ok(image) => image,
            Err(error) => return json!({ "image": name, "error": format!("{error:#}") }),
        };
        let faces: Vec<Value> = image.faces.iter().map(|face| self.face(face)).collect();
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

    fn face(&self, prediction: &Prediction) -> Value {
        let Prediction { face, scores, .. } = prediction;
        let shown = self.shown(prediction);
        let probabilities: Map<String, Value> = (self.labels.iter())
            .zip(scores.probabilities())
            .map(|(label, &probability)| (label.clone(), rounded(probability.into())))
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
        insert("emotion", json!(shown));
        insert("uncertain", json!(shown == UNCERTAIN));
        insert("confidence", rounded(scores.best().1.into()));
        insert("probabilities", Value::Object(probabilities));
        insert("quality", rounded(prediction.quality));
        Value::Object(object)
    }
}

/// Rounded to six decimals, as in the plugin's records.
fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}
