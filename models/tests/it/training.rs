//! The fused training against the reference, layer by layer on Candle.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use emotion_models::face_net;
use emotion_models::graph::Graph;
use emotion_models::network::Network;
use emotion_models::training::{Slot, TrainingExecutor};
use emotion_models::weights::Architecture;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const INPUT_SIZE: usize = 24;
/// Of the detector's picture, a single row of the coarsest map is left.
const PICTURE: [usize; 2] = [32, 64];
const SAMPLES: usize = 10;

/// Parameters that make every layer matter.
fn random(slots: &[Slot], seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let value = |slot: &Slot, rng: &mut ChaCha8Rng| match slot.parameter.shape[..] {
        // Norms: their weight, or a variance.
        [_] if slot.parameter.name.ends_with("weight") || slot.parameter.name.ends_with("var") => {
            rng.random_range(0.5..1.5)
        }
        [_] => rng.random_range(-0.2..0.2),
        _ => rng.random_range(-0.3..0.3),
    };
    slots
        .iter()
        .flat_map(|slot| {
            let count = slot.range.len();
            (0..count)
                .map(|_| value(slot, &mut rng))
                .collect::<Vec<f32>>()
        })
        .collect()
}

fn faces() -> Tensor {
    pictures([INPUT_SIZE, INPUT_SIZE])
}

fn pictures([height, width]: [usize; 2]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let values: Vec<f32> = (0..SAMPLES * height * width)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    Tensor::from_vec(values, (SAMPLES, height, width, 1), &Device::Cpu).unwrap()
}

/// A weighting of the logits that no symmetry makes zero.
fn loss(logits: &Tensor) -> Tensor {
    let weights = Tensor::arange(1f32, logits.elem_count() as f32 + 1.0, &Device::Cpu).unwrap();
    let weights = weights.reshape(logits.shape()).unwrap().sin().unwrap();
    ((logits * weights).unwrap() + logits.sqr().unwrap())
        .unwrap()
        .sum_all()
        .unwrap()
}

/// A network in both forms with the same parameters.
struct Pair {
    faces: Tensor,
    fused: TrainingExecutor,
    parameters: Var,
    statistics: Vec<f32>,
    reference: Network,
    variables: HashMap<String, Var>,
}

fn pair(graph: Graph) -> Pair {
    let fused = TrainingExecutor::new(&graph).unwrap();
    let parameters = random(fused.trained(), 1);
    let statistics = random(fused.statistics(), 3);
    let variable = |slot: &Slot, values: &[f32]| {
        let values = values[slot.range.clone()].to_vec();
        let variable = Var::from_vec(values, slot.parameter.shape.clone(), &Device::Cpu);
        (slot.parameter.name.clone(), variable.unwrap())
    };
    let variables: HashMap<String, Var> = fused
        .trained()
        .iter()
        .map(|slot| variable(slot, &parameters))
        .chain(
            fused
                .statistics()
                .iter()
                .map(|slot| variable(slot, &statistics)),
        )
        .collect();
    let tensors = variables
        .iter()
        .map(|(name, variable)| (name.clone(), variable.as_tensor().clone()))
        .collect();
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let count = parameters.len();
    let [height, width, _] = graph.input_shape();
    Pair {
        faces: pictures([height, width]),
        reference: Network::new(graph, vb).unwrap(),
        parameters: Var::from_vec(parameters, count, &Device::Cpu).unwrap(),
        fused,
        statistics,
        variables,
    }
}

fn pairs() -> impl Iterator<Item = (&'static str, Pair)> {
    let classifiers = Architecture::CLASSIFIERS.into_iter().map(|architecture| {
        (
            architecture.name(),
            architecture.graph(INPUT_SIZE, 7).unwrap(),
        )
    });
    let [height, width] = PICTURE;
    let detector = ("face_net", face_net::graph(height, width).unwrap());
    classifiers
        .chain([detector])
        .map(|(name, graph)| (name, pair(graph)))
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Fails where two rows differ by more than `tolerance` of the largest value.
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(1e-3f32, |largest, value| largest.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * largest,
            "{what}, value {i}: found {found}, expected {expected}"
        );
    }
}

#[test]
fn logits_and_gradients_of_training_are_those_of_the_reference() {
    for (name, pair) in pairs() {
        let faces = pair.faces.clone();
        let logits = pair.fused.forward(&faces, &pair.parameters).unwrap();
        let expected = pair.reference.forward(&faces, true).unwrap();
        assert_close(name, &values(&logits), &values(&expected), 1e-4);

        let gradients = loss(&logits).backward().unwrap();
        let found = values(gradients.get(&pair.parameters).unwrap());
        let gradients = loss(&expected).backward().unwrap();
        for slot in pair.fused.trained() {
            let path = &slot.parameter.name;
            let expected = values(gradients.get(&pair.variables[path]).unwrap());
            let found = &found[slot.range.clone()];
            assert_close(&format!("{name} {path}"), found, &expected, 2e-3);
        }
    }
}

#[test]
fn running_statistics_move_as_those_of_the_reference() {
    for (name, mut pair) in pairs() {
        let faces = pair.faces.clone();
        pair.fused.forward(&faces, &pair.parameters).unwrap();
        pair.fused.follow(&mut pair.statistics);
        pair.reference.forward(&faces, true).unwrap();
        // The reference keeps its statistics to itself: they show in what it says outside training.
        let parameters = values(&pair.parameters);
        let found = pair
            .fused
            .evaluate(&values(&faces), &parameters, &pair.statistics);
        let expected = pair.reference.forward(&faces, false).unwrap();
        assert_close(name, &found.unwrap().concat(), &values(&expected), 1e-4);
    }
}

#[test]
fn gradients_do_not_depend_on_the_number_of_threads() {
    let gradient = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let pair = pair(Architecture::ResidualXception.graph(INPUT_SIZE, 7).unwrap());
            let logits = pair.fused.forward(&faces(), &pair.parameters).unwrap();
            let gradients = loss(&logits).backward().unwrap();
            values(gradients.get(&pair.parameters).unwrap())
        })
    };
    assert_eq!(gradient(1), gradient(3));
}

#[test]
fn batches_of_any_size_follow_each_other() {
    for (name, pair) in pairs() {
        let faces = pair.faces.clone();
        let parameters = values(&pair.parameters);
        let all = pair
            .fused
            .evaluate(&values(&faces), &parameters, &pair.statistics)
            .unwrap();
        for count in [1, 3, SAMPLES] {
            let some = values(&faces.narrow(0, 0, count).unwrap());
            let logits = pair
                .fused
                .evaluate(&some, &parameters, &pair.statistics)
                .unwrap();
            assert_close(name, &logits.concat(), &all[..count].concat(), 1e-5);
        }
    }
}

#[test]
fn a_backward_pass_that_comes_too_late_is_refused() {
    let pair = pair(Architecture::MiniXception.graph(INPUT_SIZE, 7).unwrap());
    let late = pair.fused.forward(&faces(), &pair.parameters).unwrap();
    pair.fused.forward(&faces(), &pair.parameters).unwrap();
    let error = loss(&late).backward().unwrap_err().to_string();
    assert!(
        error.contains("another forward pass came before"),
        "{error}"
    );
}

#[test]
fn wrong_faces_and_wrong_numbers_of_parameters_are_refused() {
    let pair = pair(Architecture::MiniXception.graph(INPUT_SIZE, 7).unwrap());
    let small = Tensor::zeros((2, 12, 12, 1), DType::F32, &Device::Cpu).unwrap();
    let error = pair.fused.forward(&small, &pair.parameters).unwrap_err();
    assert!(
        error.to_string().contains("found [2, 12, 12, 1]"),
        "{error}"
    );
    let few = pair.parameters.narrow(0, 0, 100).unwrap();
    let error = pair.fused.forward(&faces(), &few).unwrap_err();
    assert!(error.to_string().contains("found 100"), "{error}");
}
