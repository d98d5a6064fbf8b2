//! A network together with its parameters.

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::graph::{Graph, LayerSummary};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::preprocess::Preprocessor;
use emotion_models::training::TrainingExecutor;
use emotion_models::weights::{Architecture, Head, Weights};
use emotion_models::{Emotion, Instructions, Metadata};

use crate::data::Faces;
use crate::data::batch::preprocessed;
use crate::run::params::Parameters;

/// Faces in a batch outside training.
pub const EVALUATION_BATCH: usize = 32;

/// A network for seven emotions, or the face detector, with parameters that can be read and changed.
#[derive(Debug)]
pub struct Network {
    /// Its parameters and running statistics.
    pub parameters: Parameters,
    graph: Graph,
    executor: TrainingExecutor,
}

impl Network {
    /// A network for images of `input_size`² pixels with these heads and initial values drawn from `seed`.
    ///
    /// # Errors
    ///
    /// When the input is too small for the network.
    pub fn new(
        architecture: Architecture,
        input_size: usize,
        heads: &[Head],
        seed: u64,
    ) -> Result<Self> {
        let graph = architecture.graph_with_heads(input_size, Emotion::ALL.len(), heads)?;
        let executor = TrainingExecutor::new(&graph)?;
        Ok(Self {
            parameters: Parameters::new(&executor, seed)?,
            graph,
            executor,
        })
    }

    /// The network of a weights file.
    ///
    /// # Errors
    ///
    /// When its layers cannot be built.
    pub fn of(weights: &Weights) -> Result<Self> {
        let Metadata {
            architecture,
            input_size,
            heads,
            ..
        } = weights.metadata();
        let network = Self::new(*architecture, *input_size, heads, 0)?;
        network
            .parameters
            .restore(weights.expect_floats()?.tensors())?;
        Ok(network)
    }

    /// The outputs of all heads, one after another, of images `[N, input_size, input_size, 1]` in training: batch norms use the
    /// statistics of this batch and update their running ones.
    ///
    /// # Errors
    ///
    /// When `faces` has another shape.
    pub fn train(&self, faces: &Tensor) -> Result<Tensor> {
        let Parameters {
            trained,
            statistics,
            ..
        } = &self.parameters;
        let logits = self.executor.forward(faces, trained)?;
        let mut values = statistics.to_vec1()?;
        self.executor.update_statistics(&mut values);
        statistics.set(&Tensor::from_vec(
            values,
            statistics.shape(),
            statistics.device(),
        )?)?;
        Ok(logits)
    }

    /// Its layers in the order of execution.
    pub fn layers(&self) -> Vec<LayerSummary> {
        self.graph.layers()
    }

    /// The network as it is served, for pictures of the size of `graph`, in f32, so that results do not depend on the
    /// machine.
    ///
    /// # Errors
    ///
    /// When `graph` belongs to another network.
    pub fn inference(&self, graph: &Graph) -> Result<InferenceExecutor> {
        let tensors = self.parameters.snapshot()?;
        let network = graph.fold(|name| Some(&tensors.get(name)?.values[..]))?;
        let executor =
            InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32);
        Ok(executor.with_threads(rayon::current_num_threads()))
    }

    /// Logits `[N][7]` of the labels of all `faces`, without augmentation.
    ///
    /// # Errors
    ///
    /// When the network fails.
    pub fn evaluate(&self, faces: &Faces) -> Result<Vec<Vec<f32>>> {
        let [input_size, ..] = self.graph.input_shape();
        let preprocessor = Preprocessor::new(input_size);
        let mut executor = self.inference(&self.graph)?;
        let classes = executor.classes();
        logits(faces, &preprocessor, EVALUATION_BATCH, |values, count| {
            let mut logits = vec![0.0; count * classes];
            executor.run(&values, &mut logits)?;
            let rows = logits.chunks_exact(classes);
            Ok(rows.map(|row| row[..Emotion::ALL.len()].to_vec()).collect())
        })
    }
}

/// Runs `classify`, which takes preprocessed faces and their number, over all `faces` in batches.
///
/// # Errors
///
/// The first of `classify`.
pub fn logits(
    faces: &Faces,
    preprocessor: &Preprocessor,
    batch: usize,
    mut classify: impl FnMut(Vec<f32>, usize) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<Vec<f32>>> {
    let mut logits = Vec::with_capacity(faces.len());
    for start in (0..faces.len()).step_by(batch) {
        let rows = start..faces.len().min(start + batch);
        let count = rows.len();
        logits.extend(classify(preprocessed(faces, rows, preprocessor), count)?);
    }
    Ok(logits)
}
