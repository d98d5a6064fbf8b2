//! A network together with its parameters.

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::Emotion;
use emotion_models::graph::LayerSummary;
use emotion_models::weights::Architecture;

use crate::data::{Faces, batch as batches};
use crate::params::Parameters;

/// Faces in a batch when nothing is learnt from them.
pub const EVALUATION_BATCH: usize = 128;

/// A network for seven emotions whose parameters can be read and changed.
pub struct Network {
    /// All variables, running statistics included.
    pub parameters: Parameters,
    module: emotion_models::network::Network,
    input_size: usize,
}

impl Network {
    /// A network for faces of `input_size`² pixels with first values drawn from `seed`.
    ///
    /// # Errors
    ///
    /// When the input is too small for the network.
    pub fn new(architecture: Architecture, input_size: usize, seed: u64) -> Result<Self> {
        let parameters = Parameters::new(seed);
        let graph = architecture.graph(input_size, Emotion::ALL.len())?;
        let module = emotion_models::network::Network::new(graph, parameters.builder())?;
        Ok(Self {
            parameters,
            module,
            input_size,
        })
    }

    /// Logits `[N, 7]` of faces `[N, input_size, input_size, 1]`; with `train` the norms use the
    /// statistics of these faces and move their running ones.
    ///
    /// # Errors
    ///
    /// When `faces` has another shape.
    pub fn forward(&self, faces: &Tensor, train: bool) -> Result<Tensor> {
        Ok(self.module.forward(faces, train)?)
    }

    /// Its layers in the order of their work.
    pub fn layers(&self) -> Vec<LayerSummary> {
        self.module.graph().layers()
    }

    /// Logits `[N][7]` of all `faces`, not augmented.
    ///
    /// # Errors
    ///
    /// When the network fails.
    pub fn evaluate(&self, faces: &Faces) -> Result<Vec<Vec<f32>>> {
        logits(faces, self.input_size, EVALUATION_BATCH, |values, count| {
            let batch = batches::tensor(values, count, self.input_size)?;
            Ok(self.forward(&batch, false)?.to_vec2()?)
        })
    }
}

/// Runs `classify`, which takes prepared faces and their number, over all `faces` in batches.
///
/// # Errors
///
/// The first of `classify`.
pub fn logits(
    faces: &Faces,
    input_size: usize,
    batch: usize,
    mut classify: impl FnMut(Vec<f32>, usize) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<Vec<f32>>> {
    let mut logits = Vec::with_capacity(faces.len());
    for start in (0..faces.len()).step_by(batch) {
        let rows = start..faces.len().min(start + batch);
        let count = rows.len();
        logits.extend(classify(batches::prepared(faces, rows, input_size), count)?);
    }
    Ok(logits)
}
