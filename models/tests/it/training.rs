//! The training executor beside plain Candle operations.

use candle_core::{DType, Device, Tensor, Var};
use emotion_models::face_net;
use emotion_models::graph::Graph;
use emotion_models::training::{Slot, TrainingExecutor};
use emotion_models::weights::{Architecture, WeightTensor, WeightTensors};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::uniform;
use crate::oracle::Oracle;

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
    pictures([INPUT_SIZE, INPUT_SIZE, 1])
}

fn pictures([height, width, channels]: [usize; 3]) -> Tensor {
    let values = uniform(SAMPLES * height * width * channels, -1.0, 1.0, 2);
    let shape = (SAMPLES, height, width, channels);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A weighting of the logits that no symmetry makes zero.
pub(crate) fn loss(logits: &Tensor) -> Tensor {
    let weights = Tensor::arange(1f32, logits.elem_count() as f32 + 1.0, &Device::Cpu).unwrap();
    let weights = weights.reshape(logits.shape()).unwrap().sin().unwrap();
    let weights = weights.to_dtype(logits.dtype()).unwrap();
    ((logits * weights).unwrap() + logits.sqr().unwrap())
        .unwrap()
        .sum_all()
        .unwrap()
}

/// A network in both forms with the same parameters.
pub(crate) struct Pair {
    pub(crate) faces: Tensor,
    pub(crate) executor: TrainingExecutor,
    pub(crate) parameters: Var,
    pub(crate) statistics: Vec<f32>,
    /// All of them by name.
    pub(crate) values: WeightTensors,
    pub(crate) oracle: Oracle,
}

pub(crate) fn pair(graph: &Graph) -> Pair {
    let executor = TrainingExecutor::new(graph).unwrap();
    let parameters = random(executor.trained(), 1);
    let statistics = random(executor.statistics(), 3);
    let tensor = |slot: &Slot, values: &[f32]| {
        let tensor = WeightTensor {
            shape: slot.parameter.shape.clone(),
            values: values[slot.range.clone()].to_vec(),
        };
        (slot.parameter.name.clone(), tensor)
    };
    let trained = executor.trained().iter();
    let trained = trained.map(|slot| tensor(slot, &parameters));
    let running = executor.statistics().iter();
    let running = running.map(|slot| tensor(slot, &statistics));
    let values: WeightTensors = trained.chain(running).collect();
    let count = parameters.len();
    Pair {
        faces: pictures(graph.input_shape()),
        oracle: Oracle::new(graph, &values),
        parameters: Var::from_vec(parameters, count, &Device::Cpu).unwrap(),
        executor,
        statistics,
        values,
    }
}

fn graphs() -> impl Iterator<Item = (&'static str, Graph)> {
    let classifiers = Architecture::CLASSIFIERS.into_iter().map(|architecture| {
        let graph = architecture.graph(INPUT_SIZE, 7).unwrap();
        (architecture.name(), graph)
    });
    let [height, width] = PICTURE;
    let detector = ("face_net", face_net::graph(height, width, true).unwrap());
    classifiers.chain([detector])
}

fn pairs() -> impl Iterator<Item = (&'static str, Pair)> {
    graphs().map(|(name, graph)| (name, pair(&graph)))
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.to_dtype(DType::F32).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The largest magnitude, at least `least`.
fn largest(values: &[f32], least: f32) -> f32 {
    values.iter().fold(least, |all, value| all.max(value.abs()))
}

/// Fails where two rows differ by more than `tolerance` of the largest value.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_within(what, found, expected, tolerance * largest(expected, 1e-3));
}

fn assert_within(what: &str, found: &[f32], expected: &[f32], apart: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= apart,
            "{what}, value {i}: found {found}, expected {expected}"
        );
    }
}

/// The Euclidean length.
fn length(values: impl IntoIterator<Item = f32>) -> f32 {
    values
        .into_iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
}

impl Pair {
    /// The logits of training.
    pub(crate) fn logits(&self) -> Tensor {
        let logits = self.executor.forward(&self.faces, &self.parameters);
        logits.unwrap()
    }

    /// The gradient of all parameters.
    pub(crate) fn gradient(&self) -> Vec<f32> {
        let gradients = loss(&self.logits()).backward().unwrap();
        values(gradients.get(&self.parameters).unwrap())
    }

    /// Fails where logits of training are not those of the oracle, or the gradient of a parameter differs by more than
    /// `tolerance` of its largest value, or in all by more than `distance` of its length.
    pub(crate) fn assert_agrees(&self, name: &str, tolerance: f32, distance: f32) {
        let logits = self.logits();
        let expected = self.oracle.forward(&self.faces, true);
        assert_close(name, &values(&logits), &values(&expected), 1e-4);

        let found = self.gradient();
        let gradients = loss(&expected).backward().unwrap();
        // Some gradients cancel out, that of a bias in front of a norm for instance.
        let least = 1e-3 * largest(&found, 1e-3);
        for slot in self.executor.trained() {
            let path = &slot.parameter.name;
            let expected = values(gradients.get(self.oracle.variable(path)).unwrap());
            let found = &found[slot.range.clone()];
            let what = format!("{name} {path}");
            assert_within(
                &what,
                found,
                &expected,
                tolerance * largest(&expected, least),
            );
            let apart = length(found.iter().zip(&expected).map(|(a, b)| a - b));
            let expected = length(expected).max(least);
            assert!(
                apart <= distance * expected,
                "{what}: {apart} of {expected}"
            );
        }
    }
}

#[test]
fn logits_and_gradients_of_training_are_those_of_the_oracle() {
    for (name, pair) in pairs() {
        // Rounding opens and closes some of the many ReLUs and poolings, each of which moves a gradient by a jump.
        // In f32 they are the same on all machines.
        pair.assert_agrees(name, 0.1, 0.03);
    }
}

#[test]
fn running_statistics_move_as_those_of_the_oracle() {
    for (name, mut pair) in pairs() {
        pair.logits();
        pair.executor.update_statistics(&mut pair.statistics);
        pair.oracle.forward(&pair.faces, true);
        for slot in pair.executor.statistics() {
            let path = &slot.parameter.name;
            let expected = values(pair.oracle.variable(path));
            let found = &pair.statistics[slot.range.clone()];
            assert_close(&format!("{name} {path}"), found, &expected, 1e-5);
        }
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
            pair(&Architecture::ResidualXception.graph(INPUT_SIZE, 7).unwrap()).gradient()
        })
    };
    assert_eq!(gradient(1), gradient(3));
}

#[test]
fn batches_of_any_size_follow_each_other() {
    for (name, graph) in graphs() {
        let mut pair = pair(&graph);
        let all = pair.faces.clone();
        for count in [SAMPLES, 1, 3, SAMPLES] {
            pair.faces = all.narrow(0, 0, count).unwrap();
            let found = (values(&pair.logits()), pair.gradient());
            pair.executor = TrainingExecutor::new(&graph).unwrap();
            let expected = (values(&pair.logits()), pair.gradient());
            assert_eq!(found, expected, "{name}: {count} after others");
        }
    }
}

#[test]
fn every_trained_parameter_gets_a_gradient_and_running_statistics_get_none() {
    let pair = pair(&Architecture::MiniXception.graph(48, 7).unwrap());
    let gradient = pair.gradient();
    for slot in pair.executor.trained() {
        let name = &slot.parameter.name;
        assert!(!name.contains("running"), "{name}");
        let square: f32 = gradient[slot.range.clone()].iter().map(|g| g * g).sum();
        assert!(square.is_finite() && square > 0.0, "{name}: {square}");
    }
    let statistics = pair.executor.statistics().iter();
    let is_running = |slot: &Slot| slot.parameter.name.contains("running");
    assert!(statistics.clone().count() > 0 && statistics.clone().all(is_running));
}

#[test]
fn a_step_against_the_gradient_lowers_the_loss_by_its_square() {
    let pair = pair(&Architecture::MiniXception.graph(48, 7).unwrap());
    let loss = || pair.logits().sqr().unwrap().mean_all().unwrap();
    let before = loss();
    let gradients = before.backward().unwrap();
    let gradient = gradients.get(&pair.parameters).unwrap();
    let square: f64 = values(gradient).iter().map(|&g| f64::from(g).powi(2)).sum();
    let before = f64::from(before.to_scalar::<f32>().unwrap());
    // Lowers the loss by one per cent, were it linear.
    let rate = 0.01 * before / square;
    let moved = (pair.parameters.as_tensor() - (gradient * rate).unwrap()).unwrap();
    pair.parameters.set(&moved).unwrap();
    let lowered = before - f64::from(loss().to_scalar::<f32>().unwrap());
    assert!(
        (lowered / (rate * square) - 1.0).abs() < 0.2,
        "lowered by {lowered} of {before}"
    );
}

#[test]
fn a_backward_pass_that_comes_too_late_is_refused() {
    let pair = pair(&Architecture::MiniXception.graph(INPUT_SIZE, 7).unwrap());
    let late = pair.logits();
    pair.logits();
    let error = loss(&late).backward().unwrap_err().to_string();
    assert!(
        error.contains("another forward pass came before"),
        "{error}"
    );
}

#[test]
fn wrong_faces_and_wrong_numbers_of_parameters_are_refused() {
    let pair = pair(&Architecture::MiniXception.graph(INPUT_SIZE, 7).unwrap());
    let refused = |faces: &Tensor, parameters: &Tensor| {
        let error = pair.executor.forward(faces, parameters).unwrap_err();
        error.to_string()
    };
    let small = Tensor::zeros((2, 12, 12, 1), DType::F32, &Device::Cpu).unwrap();
    let error = refused(&small, &pair.parameters);
    assert!(error.contains("found [2, 12, 12, 1]"), "{error}");
    let error = refused(&faces().squeeze(3).unwrap(), &pair.parameters);
    assert!(
        error.contains("[N, H, W, C], found [10, 24, 24]"),
        "{error}"
    );
    let few = pair.parameters.narrow(0, 0, 100).unwrap();
    let error = refused(&faces(), &few);
    assert!(error.contains("found 100"), "{error}");
    let doubles = faces().to_dtype(DType::F64).unwrap();
    let error = refused(&doubles, &pair.parameters.to_dtype(DType::F64).unwrap());
    assert!(error.contains("expected f32 values"), "{error}");
}
