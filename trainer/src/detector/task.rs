//! Training to find faces.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use emotion_models::face_net::{self, GridCell, STRIDES, VALUES};
use emotion_models::weights::{Architecture, Normalization, Task};
use emotion_models::{Metadata, Weights};
use rayon::prelude::*;

use super::calibration::PlattScaling;
use super::epoch::DetectorEpoch;
use super::images::{self, TrainingImage};
use super::loss::detection;
use super::matching::PrecisionRecallCurve;
use super::plots;
use super::sample::{Sample, normalized};
use super::settings::{ImageDataSummary, Settings};
use super::targets::targets;
use super::validation;
use crate::data::prefetch::Prefetched;
use crate::random::{Purpose, generator};
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::params::fnv1a;
use crate::run::state::Run;
use crate::run::task::{StepOutput, TrainingTask};
use crate::run::weights_id::WeightsId;

/// First biases of the last layers: a face is improbable at most places (Lin et al. 2017, "Focal loss"), and where there
/// is one, it is twice as large as the stride.
const FIRST_VALUES: [f32; VALUES] = [-4.0, 0.0, 0.0, 0.7, 0.7];

/// Pictures with their faces.
#[derive(Debug, Clone)]
pub struct DetectorTask {
    training: Arc<Vec<TrainingImage>>,
    validation: Vec<TrainingImage>,
    source: ImageDataSummary,
}

impl DetectorTask {
    /// Pictures to learn from and others to validate on.
    pub fn new(training: Vec<TrainingImage>, validation: Vec<TrainingImage>) -> Self {
        let all: Vec<&TrainingImage> = training.iter().chain(&validation).collect();
        let hashes: Vec<u64> = all.par_iter().map(|scene| scene.fingerprint()).collect();
        let bytes: Vec<u8> = hashes.into_iter().flat_map(u64::to_le_bytes).collect();
        let source = ImageDataSummary {
            data: format!("{:016x}", fnv1a(&bytes)),
            training_pictures: training.len(),
            validation_pictures: validation.len(),
        };
        Self {
            training: Arc::new(training),
            validation,
            source,
        }
    }

    /// Reads the annotated pictures in a folder.
    ///
    /// # Errors
    ///
    /// When an annotation is broken, a picture cannot be read, or there are none of a kind.
    pub fn load(folder: &Path) -> Result<Self> {
        let (training, validation) = images::read_for_training(folder)?;
        Ok(Self::new(training, validation))
    }

    /// Faces to learn from, and faces to validate on.
    pub fn faces(&self) -> [usize; 2] {
        let count = |scenes: &[TrainingImage]| scenes.iter().map(|scene| scene.faces.len()).sum();
        [count(&self.training), count(&self.validation)]
    }
}

impl TrainingTask for DetectorTask {
    type Settings = Settings;
    type Batch = Vec<Sample>;

    fn data_summary(&self) -> ImageDataSummary {
        self.source.clone()
    }

    fn check(&self, _: &Settings) -> Result<()> {
        let [training, validation] = self.faces();
        for (faces, pictures, purpose) in [
            (training, self.training.len(), "to train on"),
            (validation, self.validation.len(), "to validate on"),
        ] {
            ensure!(
                faces > 0,
                "expected faces {purpose}, found none on {pictures} pictures: check the boxes in --data"
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
        } = &run.data_summary;
        let found = &self.source;
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

    fn begin_with(settings: &mut Settings, weights: &Weights) -> Result<()> {
        settings.init = Some(WeightsId::of(weights.expect(Task::Detection)?)?);
        Ok(())
    }

    fn first_values(values: &mut HashMap<String, Tensor>) -> Result<()> {
        for head in 0..STRIDES.len() {
            let bias = Tensor::new(&FIRST_VALUES, &Device::Cpu)?;
            values.insert(format!("heads.{head}.values.bias"), bias);
        }
        Ok(())
    }

    fn batches(
        &self,
        settings: &Settings,
        epoch: usize,
        done: usize,
    ) -> Prefetched<candle_core::Result<Vec<Sample>>> {
        let scenes = Arc::clone(&self.training);
        let steps = settings.steps(scenes.len());
        let Settings {
            seed,
            batch,
            sampling,
            ..
        } = *settings;
        Prefetched::start(move |outlet| {
            let draw = |index: usize| {
                let stream = (epoch as u64) << 32 | index as u64;
                sampling.draw(&scenes, &mut generator(seed, Purpose::Sampling, stream))
            };
            for step in done..steps {
                let samples = step * batch..(step + 1) * batch;
                if !outlet.put(Ok(samples.into_par_iter().map(draw).collect())) {
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
        let values: Vec<f32> = values.map(|&pixel| normalized(pixel)).collect();
        let input = Tensor::from_vec(values, (count, size, size, 1), &Device::Cpu)?;
        let output = network.train(&input)?;
        let places: Vec<GridCell> = face_net::grid_cells(size, size).collect();
        let targets = targets(&samples, &places, &output.flatten_all()?.to_vec1()?)?;
        let values = output.reshape((count * places.len(), VALUES))?;
        Ok(StepOutput {
            loss: detection(&values, &targets)?,
            samples: count,
            recognised: 0,
        })
    }

    fn validate(&self, run: &Run<Settings>, network: &Network) -> Result<DetectorEpoch> {
        let judged = validation::judged(network, &self.validation)?;
        let calibration = PlattScaling::fit(&judged);
        let [_, faces] = self.faces();
        let curve = PrecisionRecallCurve::new(judged, faces);
        let best = curve.best();
        Ok(DetectorEpoch {
            epoch: run.epoch(),
            loss: run.totals.loss(),
            val_ap50: curve.average_precision(),
            val_recall: best.recall,
            val_precision: best.precision,
            lr: run.totals.lr,
            seconds: run.totals.seconds,
            val_threshold: calibration.confidence(f64::from(best.score)),
            slope: calibration.slope,
            offset: calibration.offset,
        })
    }

    /// The scores of these weights are calibrated.
    fn weights(
        run: &Run<Settings>,
        row: &DetectorEpoch,
        mut values: HashMap<String, Tensor>,
    ) -> Result<(Metadata, HashMap<String, Tensor>)> {
        row.calibration().apply(&mut values)?;
        let settings = &run.settings;
        let metadata = Metadata {
            name: settings.name().to_owned(),
            architecture: Architecture::FaceNet,
            labels: vec!["face".to_owned()],
            input_size: settings.sampling.size,
            normalization: Normalization::SymmetricUnit,
            temperature: 1.0,
            training: format!(
                "epoch {} of {}, seed {}, {} training pictures, average precision {:.4} at IoU 0.5, \
                 recall {:.4} and precision {:.4} from confidence {:.2} on {} validation pictures; {}",
                row.epoch,
                settings.epochs,
                settings.seed,
                run.data_summary.training_pictures,
                row.val_ap50,
                row.val_recall,
                row.val_precision,
                row.val_threshold,
                run.data_summary.validation_pictures,
                serde_json::to_string(settings)?,
            ),
        };
        Ok((metadata, values))
    }

    fn figures(totals: &EpochTotals) -> String {
        format!("loss {:.4}", totals.loss())
    }

    fn curves(log: &Log<DetectorEpoch>, title: &str) -> Result<String> {
        plots::curves(log, title)
    }
}
