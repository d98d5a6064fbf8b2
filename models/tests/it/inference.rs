//! The engine beside the reference on Candle.

use std::collections::HashMap;

use allocation_counter::measure;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use emotion_models::graph::Parameter;
use emotion_models::graph::folding::Folded;
use emotion_models::inference::{Error, InferenceExecutor, Precision};
use emotion_models::network::Network;
use emotion_models::weights::{Architecture, Normalization};
use emotion_models::{Emotion, Instructions, Metadata, Weights, face_net};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLASSES: usize = 7;

/// A network whose parameters are all different and leave the activations their size.
fn random_weights(architecture: Architecture, input_size: usize, seed: u64) -> Weights {
    let metadata = Metadata {
        name: "random".to_owned(),
        architecture,
        labels: Emotion::names(),
        input_size,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        training: "none".to_owned(),
    };
    let tensors = random_tensors(&metadata.graph().unwrap().parameters(), seed);
    Weights::new("random", metadata, tensors).unwrap()
}

fn random_tensors(parameters: &[Parameter], seed: u64) -> HashMap<String, Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = HashMap::new();
    for parameter in parameters {
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
        let values: Vec<f32> = (0..parameter.len())
            .map(|_| rng.random_range(range.clone()))
            .collect();
        let tensor = Tensor::from_vec(values, parameter.shape.clone(), &Device::Cpu).unwrap();
        tensors.insert(parameter.name.clone(), tensor);
    }
    tensors
}

fn random_faces(count: usize, size: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..count * size * size)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect()
}

/// The logits of the network on Candle.
fn reference(weights: &Weights, faces: &[f32]) -> Vec<f32> {
    let size = weights.metadata().input_size;
    let count = faces.len() / (size * size);
    let faces = Tensor::from_slice(faces, (count, size, size, 1), &Device::Cpu).unwrap();
    let logits = weights.network().unwrap().forward(&faces, false).unwrap();
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

fn run(engine: &mut InferenceExecutor, faces: &[f32]) -> Vec<f32> {
    let [height, width, _] = engine.input_shape();
    let mut logits = vec![f32::NAN; faces.len() / (height * width) * engine.classes()];
    engine.run(faces, &mut logits).unwrap();
    logits
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{what}: {found}, expected {expected}"
        );
    }
}

#[test]
fn on_all_instructions_the_logits_are_those_of_the_reference() {
    for architecture in Architecture::CLASSIFIERS {
        // Sizes whose halves are even and odd, down to a last map of a single pixel.
        for (seed, size) in [(1, 48), (2, 48), (3, 64), (4, 45), (5, 21)] {
            let weights = random_weights(architecture, size, seed);
            let faces = random_faces(2, size);
            let expected = reference(&weights, &faces);
            for instructions in Instructions::all() {
                let mut engine =
                    InferenceExecutor::with_instructions(&weights, instructions).unwrap();
                let what = format!("{architecture} at {size} on {instructions}");
                assert_close(&run(&mut engine, &faces), &expected, &what);
            }
        }
    }
}

#[test]
fn with_the_shipped_weights_the_logits_are_those_of_the_reference() {
    for name in Weights::built_in_names() {
        let weights = Weights::built_in(name).unwrap();
        let faces = random_faces(9, weights.metadata().input_size);
        let expected = reference(&weights, &faces);
        for instructions in Instructions::all() {
            let mut engine = InferenceExecutor::with_instructions(&weights, instructions).unwrap();
            let what = format!("{name} on {instructions}");
            assert_close(&run(&mut engine, &faces), &expected, &what);
        }
    }
}

/// The detector's network with random parameters, and what the reference says about a picture.
fn detector([height, width]: [usize; 2]) -> (Folded, Vec<f32>, Vec<f32>) {
    let graph = face_net::graph(height, width).unwrap();
    let tensors = random_tensors(&graph.parameters(), 1);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let picture: Vec<f32> = (0..height * width)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    let folded = Folded::new(&graph, &tensors).unwrap();
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let xs = Tensor::from_slice(&picture, (1, height, width, 1), &Device::Cpu).unwrap();
    let logits = Network::new(graph, vb).unwrap().forward(&xs, false);
    let logits = logits.unwrap().flatten_all().unwrap().to_vec1().unwrap();
    (folded, picture, logits)
}

#[test]
fn the_detector_gives_the_values_of_the_reference_for_pictures_of_any_size() {
    for size in [[32, 32], [64, 96], [160, 96]] {
        let (folded, picture, expected) = detector(size);
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for instructions in Instructions::all() {
            let mut engine = InferenceExecutor::of_folded(&folded, instructions, Precision::F32);
            let what = format!("{size:?} on {instructions}");
            assert_close(&run(&mut engine, &picture), &expected, &what);
        }
        let mut engine =
            InferenceExecutor::of_folded(&folded, Instructions::best(), Precision::fastest());
        for (found, expected) in run(&mut engine, &picture).iter().zip(&expected) {
            let apart = (found - expected).abs();
            assert!(apart < 0.03 * largest, "{found}, expected {expected}");
        }
    }
}

#[test]
fn threads_share_the_rows_of_a_picture_and_give_what_one_gives() {
    let (folded, picture, _) = detector([160, 224]);
    for precision in Precision::ALL {
        let engine = InferenceExecutor::of_folded(&folded, Instructions::best(), precision);
        let expected = run(&mut engine.clone(), &picture);
        for threads in [0, 2, 3, 7] {
            let mut engine = engine.clone().with_threads_each(threads);
            let found = run(&mut engine, &picture);
            assert_eq!(found, expected, "{threads} threads in {precision}");
        }
    }
}

#[test]
fn a_picture_may_be_put_where_the_engine_reads_it() {
    let (folded, picture, _) = detector([64, 96]);
    let mut engine = InferenceExecutor::of_folded(&folded, Instructions::best(), Precision::F32);
    let expected = run(&mut engine, &picture);
    let mut engine = engine.clone();
    let (values, stride) = engine.picture_mut();
    for (to, from) in values.chunks_mut(stride).zip(picture.chunks_exact(96)) {
        to[..96].copy_from_slice(from);
    }
    let mut found = vec![f32::NAN; engine.classes()];
    engine.run_picture(&mut found).unwrap();
    assert_eq!(found, expected);
    let short = engine.run_picture(&mut found[1..]);
    assert!(matches!(short, Err(Error::Logits { .. })));
}

#[test]
fn in_bfloat16_the_logits_are_near_those_of_the_reference() {
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
        let expected = reference(&weights, &faces);
        let mut engine = InferenceExecutor::with_precision(&weights, Precision::Bf16).unwrap();
        assert_eq!(engine.precision(), Precision::Bf16);
        let found = run(&mut engine, &faces);
        // 8 significant bits; errors of many products mostly cancel each other.
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        let mut exact = 0;
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 0.03 * largest,
                "{architecture} at {input_size}: {found}, expected {expected}"
            );
            exact += usize::from((found - expected).abs() < 1e-6 * largest);
        }
        assert!(exact < expected.len(), "nothing was rounded");
    }
}

#[test]
fn a_precision_that_the_machine_lacks_is_refused() {
    let weights = Weights::embedded().unwrap();
    for precision in Precision::ALL {
        let made = InferenceExecutor::with_precision(&weights, precision);
        assert_eq!(made.is_ok(), precision.is_available(), "{precision}");
    }
    assert!(Precision::fastest().is_available());
}

#[test]
fn what_one_call_leaves_behind_does_not_change_the_next() {
    for architecture in Architecture::CLASSIFIERS {
        let mut engine = InferenceExecutor::new(&random_weights(architecture, 48, 1)).unwrap();
        let faces = random_faces(3, 48);
        let first = run(&mut engine, &faces);
        run(&mut engine, &vec![1e6; 48 * 48]);
        assert_eq!(run(&mut engine, &faces), first);
        let face = &faces[48 * 48..][..48 * 48];
        assert_eq!(run(&mut engine.clone(), face), first[CLASSES..][..CLASSES]);
    }
}

#[test]
fn threads_share_the_faces_whatever_their_number() {
    let weights = random_weights(Architecture::MiniXception, 48, 1);
    let faces = random_faces(5, 48);
    let expected = run(&mut InferenceExecutor::new(&weights).unwrap(), &faces);
    for threads in [0, 2, 3, 8] {
        let mut engine = InferenceExecutor::new(&weights)
            .unwrap()
            .with_threads(threads);
        assert_eq!(run(&mut engine, &faces), expected, "{threads} threads");
        assert!(run(&mut engine, &[]).is_empty());
    }
}

#[test]
fn nothing_is_allocated_from_face_to_face() {
    for architecture in Architecture::CLASSIFIERS {
        let mut engine = InferenceExecutor::new(&random_weights(architecture, 48, 1)).unwrap();
        let faces = random_faces(8, 48);
        let mut logits = [0.0; 8 * CLASSES];
        let counted = measure(|| engine.run(&faces, &mut logits).unwrap());
        assert_eq!(counted.count_total, 0, "{architecture}");
    }
}

#[test]
fn an_instance_takes_less_than_two_mebibytes_besides_the_weights() {
    for architecture in Architecture::CLASSIFIERS {
        let engine = InferenceExecutor::new(&random_weights(architecture, 48, 1)).unwrap();
        let memory = engine.memory();
        assert!(memory < 2 << 20, "{architecture}: {memory} bytes");
        // A clone shares the weights, which are more than nothing but counted once.
        let counted = measure(|| drop(std::hint::black_box(engine.clone())));
        assert!(counted.bytes_total < (memory + 4096) as u64, "{counted:?}");
    }
}

#[test]
fn faces_and_logits_of_other_lengths_are_refused() {
    let mut engine = InferenceExecutor::new(&Weights::embedded().unwrap()).unwrap();
    let error = engine.run(&[0.0; 2303], &mut [0.0; 7]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a multiple of 2304 values (48×48 a face), found 2303"
    );
    let error = engine.run(&[0.0; 2304], &mut [0.0; 14]).unwrap_err();
    assert!(matches!(
        error,
        Error::Logits {
            expected: 7,
            found: 14
        }
    ));
}
