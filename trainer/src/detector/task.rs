//! Training of the face detector.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use emotion_models::face_net::{self, GridCell, LANDMARK_VALUES, STRIDES, VALUES};
use emotion_models::preprocess::normalize;
use emotion_models::weights::{Normalization, Task, WeightTensor, WeightTensors};
use emotion_models::{Metadata, Weights};
use rayon::prelude::*;

use super::calibration::PlattScaling;
use super::epoch::DetectorEpoch;
use super::images::{self, TrainingImage, TrainingImages, TrainingSelection};
use super::loss::{detection, landmarks};
use super::matching::{PrecisionRecallCurve, mean};
use super::plots;
use super::sample::Sample;
use super::settings::{ImageDataSummary, Settings};
use super::targets::targets;
use super::validation;
use crate::data::prefetch::Prefetched;
use crate::hash::fnv1a;
use crate::random::{Purpose, generator};
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::settings::RunSettings;
use crate::run::state::Run;
use crate::run::task::{StepOutput, TrainingTask};

/// Initial biases of the last layers: a face is improbable in most cells (Lin et al. 2017, "Focal loss"), and twice as
/// large as the stride.
const INITIAL_BIASES: [f32; VALUES] = [-4.0, 0.0, 0.0, 0.7, 0.7];

/// Images with their faces.
#[derive(Debug, Clone)]
pub struct DetectorTask {
    training: Arc<TrainingImages>,
    validation: Vec<TrainingImage>,
    data_summary: ImageDataSummary,
}

impl DetectorTask {
    /// Training on some images and validation on others.
    pub fn new(training: Vec<TrainingImage>, validation: Vec<TrainingImage>) -> Self {
        let all: Vec<&TrainingImage> = training.iter().chain(&validation).collect();
        let hashes: Vec<u64> = all.par_iter().map(|image| image.fingerprint()).collect();
        let bytes: Vec<u8> = hashes.into_iter().flat_map(u64::to_le_bytes).collect();
        Self {
            data_summary: ImageDataSummary {
                data: format!("{:016x}", fnv1a(&bytes)),
                training_pictures: training.len(),
                validation_pictures: validation.len(),
            },
            training: Arc::new(TrainingImages::new(training)),
            validation,
        }
    }

    /// Whether landmarks of some training images are known.
    pub fn has_landmarks(&self) -> bool {
        let mut landmarks = self
            .training
            .images
            .iter()
            .flat_map(|image| &image.landmarks);
        landmarks.any(Option::is_some)
    }

    /// Loads the annotated images in a folder.
    ///
    /// # Errors
    ///
    /// When an annotation is broken, an image cannot be read, or a split has no images.
    pub fn load(folder: &Path, selection: &TrainingSelection<'_>) -> Result<Self> {
        let (training, validation) = images::load_for_training(folder, selection)?;
        Ok(Self::new(training, validation))
    }

    /// Numbers of faces for training and for validation.
    pub fn faces(&self) -> [usize; 2] {
        let count = |images: &[TrainingImage]| images.iter().map(|image| image.faces.len()).sum();
        [count(&self.training.images), count(&self.validation)]
    }
}

impl TrainingTask for DetectorTask {
    type Settings = Settings;
    type Batch = Vec<Sample>;

    fn data_summary(&self) -> ImageDataSummary {
        self.data_summary.clone()
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        ensure!(
            !settings.landmarks || self.has_landmarks(),
            "the run learns landmarks: expected landmarks.jsonl beside the boxes in --data"
        );
        ensure!(
            settings.sampling.hard_negatives == 0.0
                || !self.training.with_hard_negatives.is_empty(),
            "the run learns from hard negatives: pass the same --hard-negatives"
        );
        let [training, validation] = self.faces();
        for (faces, images, purpose) in [
            (training, self.training.images.len(), "to train on"),
            (validation, self.validation.len(), "to validate on"),
        ] {
            ensure!(
                faces > 0,
                "expected faces {purpose}, found none on {images} pictures: check the boxes in --data"
            );
        }
        Ok(())
    }

    fn resume(&mut self, run: &Run<Settings>, file: &Path) -> Result<()> {
        let shown = file.display();
        let ImageDataSummary {
            data,
            training_pictures,
            validation_pictures,
        } = &run.data;
        let found = &self.data_summary;
        ensure!(
            (found.training_pictures, found.validation_pictures)
                == (*training_pictures, *validation_pictures),
            "{shown} was trained on {training_pictures} pictures and validated on {validation_pictures}, this data has {} and {}: pass the same --data",
            found.training_pictures,
            found.validation_pictures,
        );
        ensure!(
            found.data == *data,
            "{shown} was trained on other pictures or boxes than these: pass the same --data"
        );
        self.check(&run.settings)
    }

    fn adopt(_: &mut Settings, weights: &Weights) -> Result<()> {
        weights.expect(Task::Detection)?.expect_floats()?;
        Ok(())
    }

    /// Heads that the weights lack begin with random values.
    fn adopt_values(_: &Settings, weights: &Weights, values: &mut WeightTensors) {
        for (name, value) in values {
            if let Some(tensor) = weights.tensors().get(name) {
                value.clone_from(tensor);
            }
        }
    }

    fn init_values(values: &mut WeightTensors) -> Result<()> {
        for head in 0..STRIDES.len() {
            let bias = WeightTensor {
                shape: vec![VALUES],
                values: INITIAL_BIASES.to_vec(),
            };
            values.insert(format!("heads.{head}.values.bias"), bias);
        }
        Ok(())
    }

    fn batches(
        &self,
        settings: &Settings,
        epoch: usize,
        skipped: usize,
    ) -> Prefetched<candle_core::Result<Vec<Sample>>> {
        let images = Arc::clone(&self.training);
        let steps = settings.steps_per_epoch(&self.data_summary);
        let (seed, batch) = (settings.common.seed, settings.common.batch);
        let sampling = settings.sampling;
        Prefetched::start(move |sender| {
            let draw = |index: usize| {
                let stream = (epoch as u64) << 32 | index as u64;
                sampling.draw(&images, &mut generator(seed, Purpose::Sampling, stream))
            };
            for step in skipped..steps {
                let samples = step * batch..(step + 1) * batch;
                if !sender.send(Ok(samples.into_par_iter().map(draw).collect())) {
                    break;
                }
            }
        })
    }

    fn forward(
        &self,
        settings: &Settings,
        network: &Network,
        samples: Vec<Sample>,
    ) -> Result<StepOutput> {
        let (count, size) = (samples.len(), settings.sampling.size);
        let values = samples.iter().flat_map(|sample| &sample.pixels);
        let values: Vec<f32> = values.map(|&pixel| normalize(f32::from(pixel))).collect();
        let input = Tensor::from_vec(values, (count, size, size, 1), &Device::Cpu)?;
        let output = network.train(&input)?;
        let cells: Vec<GridCell> = face_net::grid_cells(size, size).collect();
        let values = output.narrow(1, 0, cells.len() * VALUES)?;
        let targets = targets(&samples, &cells, &values.flatten_all()?.to_vec1()?)?;
        let values = values.reshape((count * cells.len(), VALUES))?;
        let mut loss = detection(&values, &targets)?;
        if settings.landmarks {
            let points = output.narrow(1, cells.len() * VALUES, cells.len() * LANDMARK_VALUES)?;
            let points = points.reshape((count * cells.len(), LANDMARK_VALUES))?;
            loss = (loss + landmarks(&points, &targets)?)?;
        }
        Ok(StepOutput {
            loss,
            samples: count,
            labelled: 0,
            correct: 0,
        })
    }

    fn validate(&self, run: &Run<Settings>, network: &Network) -> Result<DetectorEpoch> {
        let has_landmarks = run.settings.landmarks;
        let boxes = validation::matched_boxes(network, &self.validation, has_landmarks)?;
        let landmark_errors: Vec<f32> = boxes
            .iter()
            .filter_map(|found| found.landmark_error)
            .collect();
        let calibration = PlattScaling::fit(&boxes);
        let [_, faces] = self.faces();
        let curve = PrecisionRecallCurve::new(boxes, faces);
        let best = curve.best();
        Ok(DetectorEpoch {
            epoch: run.epoch(),
            loss: run.totals.loss(),
            val_ap50: curve.average_precision(),
            val_recall: best.recall,
            val_precision: best.precision,
            val_landmark_error: mean(&landmark_errors),
            lr: run.totals.lr,
            seconds: run.totals.seconds,
            val_threshold: calibration.confidence(f64::from(best.score)),
            slope: calibration.slope,
            offset: calibration.offset,
        })
    }

    /// The scores of the weights are calibrated.
    fn weights(
        run: &Run<Settings>,
        epoch: &DetectorEpoch,
        mut values: WeightTensors,
    ) -> Result<(Metadata, WeightTensors)> {
        epoch.calibration().apply(&mut values)?;
        let settings = &run.settings;
        let metadata = Metadata {
            heads: settings.heads(),
            threshold: None,
            name: settings.name().to_owned(),
            architecture: settings.architecture(),
            labels: vec!["face".to_owned()],
            input_size: settings.sampling.size,
            normalization: Normalization::SymmetricUnit,
            temperature: 1.0,
            training: format!(
                "epoch {} of {}, seed {}, {} training pictures, average precision {:.4} at IoU 0.5, \
                 recall {:.4} and precision {:.4} from confidence {:.2} on {} validation pictures; {}",
                epoch.epoch,
                settings.common.epochs,
                settings.common.seed,
                run.data.training_pictures,
                epoch.val_ap50,
                epoch.val_recall,
                epoch.val_precision,
                epoch.val_threshold,
                run.data.validation_pictures,
                serde_json::to_string(settings)?,
            ),
        };
        Ok((metadata, values))
    }

    fn progress_text(totals: &EpochTotals) -> String {
        format!("loss {:.4}", totals.loss())
    }

    fn curves(log: &Log<DetectorEpoch>, title: &str) -> Result<String> {
        plots::curves(log, title)
    }
}
