//! The options of the constructor.

use std::path::PathBuf;

use emotion_analysis::Options;
use emotion_detect::{Detector, NetworkDetector};
use emotion_models::Classifier;
use emotion_models::preprocess::{LightCorrection, MARGINS};
use emotion_models::weights::Weights;
use pyo3::prelude::*;

use crate::errors::{detector_error, inference_error, value_error, weights_error};

/// What all pictures are analyzed with.
pub(crate) struct Analysis {
    classifier: Classifier,
    detector: Option<Weights>,
    pub(crate) detection: emotion_detect::Options,
    pub(crate) options: Options,
}

/// The keyword arguments.
#[derive(FromPyObject)]
pub(crate) struct Arguments {
    #[pyo3(item)]
    model: PathBuf,
    #[pyo3(item)]
    detector: Option<PathBuf>,
    #[pyo3(item)]
    threshold: Option<f64>,
    #[pyo3(item)]
    detection_threshold: f64,
    #[pyo3(item)]
    min_size: i64,
    #[pyo3(item)]
    max_faces: i64,
    #[pyo3(item)]
    margin: f64,
    #[pyo3(item)]
    light: String,
    #[pyo3(item)]
    mirror: bool,
}

impl Analysis {
    /// Loads the weights.
    pub(crate) fn new(arguments: Arguments) -> PyResult<Self> {
        let Arguments {
            threshold,
            detection_threshold,
            ..
        } = arguments;
        check_share("threshold", threshold.unwrap_or_default())?;
        check_share("detection_threshold", detection_threshold)?;
        let margin = arguments.margin as f32;
        if !MARGINS.contains(&margin) {
            return Err(value_error(format!(
                "margin: expected {} to {}, found {margin}",
                MARGINS.start(),
                MARGINS.end()
            )));
        }
        let light = LightCorrection::from_name(&arguments.light).ok_or_else(|| {
            value_error(format!(
                "light: expected {}, found {}",
                LightCorrection::ALL.map(LightCorrection::name).join(", "),
                arguments.light
            ))
        })?;
        let detection = emotion_detect::Options {
            threshold: detection_threshold as f32,
            min_size_px: count("min_size", arguments.min_size)?,
            max_faces: count("max_faces", arguments.max_faces)? as usize,
            ..emotion_detect::Options::default()
        };
        let options = Options {
            threshold,
            margin,
            light,
            mirror: arguments.mirror,
            ..Options::default()
        };
        let load =
            |path: &PathBuf| Weights::load_or_built_in(path).map_err(|error| weights_error(&error));
        let mut classifier =
            Classifier::new(&load(&arguments.model)?).map_err(|error| inference_error(&error))?;
        // Weights that are too large to compute with are refused before a picture comes.
        let grey = vec![0.0; classifier.metadata().input_size.pow(2)];
        classifier
            .classify(&grey)
            .map_err(|error| inference_error(&error))?;
        let analysis = Self {
            classifier,
            detector: arguments.detector.as_ref().map(load).transpose()?,
            detection,
            options,
        };
        // It says what is wrong with the weights.
        analysis.detector()?;
        Ok(analysis)
    }

    /// The classifier; clones share the weights.
    pub(crate) fn classifier(&self) -> Classifier {
        self.classifier.clone()
    }

    /// A detector, if there is one.
    pub(crate) fn detector(&self) -> PyResult<Option<Detector>> {
        let Some(weights) = &self.detector else {
            return Ok(None);
        };
        let network = NetworkDetector::new(weights).map_err(|error| detector_error(&error))?;
        Ok(Some(network.into()))
    }
}

fn check_share(name: &str, value: f64) -> PyResult<()> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(value_error(format!(
            "{name}: expected a number from 0 to 1, found {value}"
        ))),
    }
}

fn count(name: &str, value: i64) -> PyResult<u32> {
    u32::try_from(value).map_err(|_| {
        value_error(format!(
            "{name}: expected a whole number from 0 to {}, found {value}",
            u32::MAX
        ))
    })
}
