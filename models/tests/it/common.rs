//! Random networks and faces.

use emotion_models::graph::{FoldedNetwork, Graph, Parameter};
use emotion_models::inference::InferenceExecutor;
use emotion_models::weights::{Architecture, Head, Normalization, WeightTensor, WeightTensors};
use emotion_models::{Emotion, Metadata, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform between these bounds.
pub(crate) fn uniform(count: usize, low: f32, high: f32, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(low..high)).collect()
}

/// Values that are all different and leave the activations their size.
pub(crate) fn random_values(parameters: &[Parameter], seed: u64) -> WeightTensors {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let tensor = |parameter: &Parameter| {
        let range = match (parameter.shape.len(), parameter.name.rsplit('.').next()) {
            (_, Some("running_var")) => 0.5..2.0,
            (_, Some("running_mean" | "bias")) => -0.5..0.5,
            (1, _) => 0.5..1.0,
            _ => {
                let fan_in: usize = parameter.shape[1..].iter().product();
                let limit = (3.0 / fan_in as f32).sqrt();
                -limit..limit
            }
        };
        let values = (0..parameter.len()).map(|_| rng.random_range(range.clone()));
        let tensor = WeightTensor {
            shape: parameter.shape.clone(),
            values: values.collect(),
        };
        (parameter.name.clone(), tensor)
    };
    parameters.iter().map(tensor).collect()
}

pub(crate) fn fold(graph: &Graph, values: &WeightTensors) -> FoldedNetwork {
    graph
        .fold(|name| Some(&values.get(name)?.values[..]))
        .unwrap()
}

pub(crate) fn metadata(architecture: Architecture, input_size: usize) -> Metadata {
    Metadata {
        name: "random".to_owned(),
        architecture,
        labels: Emotion::names(),
        heads: vec![Head::Labels],
        threshold: None,
        input_size,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        training: "none".to_owned(),
    }
}

pub(crate) fn random_weights(architecture: Architecture, input_size: usize, seed: u64) -> Weights {
    let metadata = metadata(architecture, input_size);
    let values = random_values(&metadata.graph().unwrap().parameters(), seed);
    Weights::new("random", metadata, values).unwrap()
}

pub(crate) fn random_faces(count: usize, size: usize) -> Vec<f32> {
    uniform(count * size * size, -1.0, 1.0, 7)
}

/// The logits of faces.
pub(crate) fn run(executor: &mut InferenceExecutor, faces: &[f32]) -> Vec<f32> {
    let [height, width, _] = executor.input_shape();
    let mut logits = vec![f32::NAN; faces.len() / (height * width) * executor.classes()];
    executor.run(faces, &mut logits).unwrap();
    logits
}
