//! Inference beside plain Candle operations.

use candle_core::{Device, Tensor};
use emotion_models::graph::{FoldedNetwork, Graph};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{Architecture, WeightTensors};
use emotion_models::{Instructions, Metadata, Weights, face_net};

use crate::common::{fold, random_faces, random_values, random_weights, run, uniform};
use crate::oracle::Oracle;

pub(crate) fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{what}: {found}, expected {expected}"
        );
    }
}

/// The oracle's logits of pictures.
pub(crate) fn expected(graph: &Graph, values: &WeightTensors, pictures: &[f32]) -> Vec<f32> {
    let [height, width, channels] = graph.input_shape();
    let count = pictures.len() / (height * width * channels);
    let shape = (count, height, width, channels);
    let pictures = Tensor::from_slice(pictures, shape, &Device::Cpu).unwrap();
    crate::training::values(&Oracle::new(graph, values).forward(&pictures, false))
}

fn expected_of(weights: &Weights, faces: &[f32]) -> Vec<f32> {
    let graph = weights.metadata().graph().unwrap();
    expected(&graph, weights.tensors(), faces)
}

#[test]
fn on_all_instructions_the_logits_are_those_of_the_oracle() {
    for architecture in Architecture::CLASSIFIERS {
        // Sizes whose halves are even and odd, down to a last map of a single pixel.
        for (seed, size) in [(1, 48), (2, 48), (3, 64), (4, 45), (5, 21)] {
            let weights = random_weights(architecture, size, seed);
            let faces = random_faces(2, size);
            let expected = expected_of(&weights, &faces);
            for instructions in Instructions::all() {
                let mut executor =
                    InferenceExecutor::with_instructions(&weights, instructions).unwrap();
                let what = format!("{architecture} at {size} on {instructions}");
                assert_close(&run(&mut executor, &faces), &expected, &what);
            }
        }
    }
}

#[test]
fn with_the_shipped_weights_the_logits_are_those_of_the_oracle() {
    for name in Weights::built_in_names() {
        let weights = Weights::built_in(name).unwrap();
        let faces = random_faces(9, weights.metadata().input_size);
        let expected = expected_of(&weights, &faces);
        for instructions in Instructions::all() {
            let mut executor =
                InferenceExecutor::with_instructions(&weights, instructions).unwrap();
            let what = format!("{name} on {instructions}");
            assert_close(&run(&mut executor, &faces), &expected, &what);
        }
    }
}

/// The detector's network with random parameters, a picture, and what the oracle says about it.
fn detector([height, width]: [usize; 2]) -> (FoldedNetwork, Vec<f32>, Vec<f32>) {
    let graph = face_net::graph(height, width, true).unwrap();
    let values = random_values(&graph.parameters(), 1);
    let picture = uniform(height * width, -1.0, 1.0, 7);
    let expected = expected(&graph, &values, &picture);
    (fold(&graph, &values), picture, expected)
}

#[test]
fn the_detector_gives_the_values_of_the_oracle_for_pictures_of_any_size() {
    for size in [[32, 32], [64, 96], [160, 96]] {
        let (network, picture, expected) = detector(size);
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for instructions in Instructions::all() {
            let mut executor =
                InferenceExecutor::from_network(&network, instructions, Precision::F32);
            let what = format!("{size:?} on {instructions}");
            assert_close(&run(&mut executor, &picture), &expected, &what);
        }
        let fastest = Precision::fastest();
        let mut executor = InferenceExecutor::from_network(&network, Instructions::best(), fastest);
        for (found, expected) in run(&mut executor, &picture).iter().zip(&expected) {
            let apart = (found - expected).abs();
            assert!(apart < 0.03 * largest, "{found}, expected {expected}");
        }
    }
}

#[test]
fn in_bfloat16_the_logits_are_near_those_of_the_oracle() {
    if !Precision::Bf16.is_available() {
        emotion_tests::skipped("bfloat16: this machine does not multiply it");
        return;
    }
    let random = Architecture::CLASSIFIERS.iter().flat_map(|&architecture| {
        [(1, 48), (3, 64), (4, 45), (5, 21)]
            .map(|(seed, size)| random_weights(architecture, size, seed))
    });
    let shipped = Weights::built_in_names().map(|name| Weights::built_in(name).unwrap());
    for weights in random.chain(shipped) {
        let Metadata {
            architecture,
            input_size,
            ..
        } = *weights.metadata();
        let faces = random_faces(2, input_size);
        let expected = expected_of(&weights, &faces);
        let mut executor = InferenceExecutor::with_precision(&weights, Precision::Bf16).unwrap();
        assert_eq!(executor.precision(), Precision::Bf16);
        let found = run(&mut executor, &faces);
        let what = format!("{architecture} at {input_size}");
        assert!(assert_near(&found, &expected, &what), "nothing was rounded");
    }
}

/// Fails where values differ by more than 8 significant bits allow, errors of many products mostly cancelling each other;
/// returns whether any differ.
pub(crate) fn assert_near(found: &[f32], expected: &[f32], what: &str) -> bool {
    let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
    let mut exact = 0;
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 0.03 * largest,
            "{what}: {found}, expected {expected}"
        );
        exact += usize::from((found - expected).abs() < 1e-6 * largest);
    }
    exact < expected.len()
}
