mod interpreter;
mod peers;

use std::collections::{BTreeMap, BTreeSet};

use emotion_models::graph::{FoldedNetwork, Parameter};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{
    Architecture, Head, Normalization, QuantizationReport, WeightTensor, WeightTensors,
};
use emotion_models::{Emotion, Instructions, Metadata, Weights};
use prost::Message;
use rand::RngExt;

use self::interpreter::attribute;
use super::proto::{self, DimensionValue};
use crate::quantization::statistics::{ClipMethod, Statistics};
use crate::quantization::{QuantizedNetwork, quantize};
use crate::random::{Purpose, generator};

/// How far logits may be from those of the inference executor.
const TOLERANCE: f32 = 1e-4;

/// A network whose parameters are all different, running statistics included, and leave the activations their size.
fn random_weights(architecture: Architecture, input_size: usize) -> Weights {
    with_heads(architecture, input_size, &[Head::Labels])
}

fn with_heads(architecture: Architecture, input_size: usize, heads: &[Head]) -> Weights {
    let metadata = Metadata {
        name: "random".to_owned(),
        architecture,
        labels: Emotion::names(),
        heads: heads.to_vec(),
        threshold: None,
        input_size,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.5,
        training: "none".to_owned(),
    };
    let tensors = random_values(&metadata.graph().unwrap().parameters());
    Weights::new("random", metadata, tensors).unwrap()
}

fn random_values(parameters: &[Parameter]) -> WeightTensors {
    let mut generator = generator(1, Purpose::Parameters, 0);
    let mut tensors = WeightTensors::new();
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
        let values = (0..parameter.len()).map(|_| generator.random_range(range.clone()));
        let tensor = WeightTensor {
            shape: parameter.shape.clone(),
            values: values.collect(),
        };
        tensors.insert(parameter.name.clone(), tensor);
    }
    tensors
}

fn random_faces(count: usize, size: usize) -> Vec<f32> {
    let mut generator = generator(2, Purpose::Augmentation, 0);
    (0..count * size * size)
        .map(|_| generator.random_range(-1.0..1.0))
        .collect()
}

/// The logits of the inference executor, face by face.
fn reference(network: &FoldedNetwork, faces: &[f32]) -> Vec<Vec<f32>> {
    let mut executor =
        InferenceExecutor::from_network(network, Instructions::best(), Precision::F32);
    let face: usize = executor.input_shape().iter().product();
    let classes = executor.classes();
    let mut logits = vec![f32::NAN; faces.len() / face * classes];
    executor.run(faces, &mut logits).unwrap();
    logits.chunks_exact(classes).map(<[f32]>::to_vec).collect()
}

/// As another program reads the file.
fn decoded(weights: &Weights) -> proto::ModelProto {
    proto::ModelProto::decode(&super::encode(weights).unwrap()[..]).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    let worst = worst.fold(0.0, f32::max);
    assert!(
        worst < TOLERANCE,
        "{what}: {found:?}, expected {expected:?}"
    );
}

/// `N` for a size that is free.
fn shape(value: &proto::ValueInfoProto) -> Vec<String> {
    let tensor = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
    let dims = tensor.shape.as_ref().unwrap().dim.iter();
    dims.map(|dim| match dim.value.as_ref().unwrap() {
        DimensionValue::Size(size) => size.to_string(),
        DimensionValue::Name(name) => name.clone(),
    })
    .collect()
}

#[test]
fn the_model_computes_the_logits_of_the_inference_executor_from_the_file_alone() {
    for architecture in Architecture::CLASSIFIERS {
        // Sizes whose halves are even, and odd.
        for size in [48, 45] {
            let weights = random_weights(architecture, size);
            let face = random_faces(1, size);
            let expected = &reference(&weights.folded().unwrap(), &face)[0];
            let found = interpreter::run(decoded(&weights).graph.as_ref().unwrap(), &face, size);
            assert_close(&found, expected, &format!("{architecture} at {size}"));
        }
    }
}

/// The quantised network of random weights, calibrated on these faces.
fn quantized(weights: &Weights, faces: &[f32]) -> Weights {
    let network = weights.folded().unwrap();
    let mut executor =
        InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32);
    let face: usize = executor.input_shape().iter().product();
    let picture = |index: usize| {
        Ok::<_, emotion_models::inference::Error>(faces[index * face..][..face].to_vec())
    };
    let count = faces.len() / face;
    let statistics = Statistics::collect(&mut executor, count, picture).unwrap();
    let QuantizedNetwork {
        tensors,
        quantization,
    } = quantize(&network, &statistics, ClipMethod::Max);
    let report = QuantizationReport {
        data: "faces".to_owned(),
        figures: BTreeMap::new(),
        allowed: 0.2,
    };
    let metadata = weights.metadata().clone();
    Weights::quantized("quantized", metadata, tensors, quantization, report).unwrap()
}

/// How far integers may be from each other, as a share of the largest logit: what a value that stands between two integers
/// does, of which the file and the engine may take another.
const INTEGER_TOLERANCE: f32 = 0.03;

#[test]
fn the_model_with_integers_computes_the_logits_of_the_executor_in_int8() {
    for architecture in Architecture::CLASSIFIERS {
        let floats = random_weights(architecture, 48);
        let face = random_faces(1, 48);
        let weights = quantized(&floats, &face);
        let mut executor = InferenceExecutor::with_precision(&weights, Precision::Int8).unwrap();
        let mut expected = vec![0.0; executor.classes()];
        executor.run(&face, &mut expected).unwrap();
        let bytes = super::encode_integers(&weights).unwrap();
        let model = proto::ModelProto::decode(&bytes[..]).unwrap();
        let found = interpreter::run(model.graph.as_ref().unwrap(), &face, 48);
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let apart = (found - expected).abs();
            assert!(
                apart < INTEGER_TOLERANCE * largest,
                "{architecture}: {found}, expected {expected}"
            );
        }
        let in_floats = reference(&floats.folded().unwrap(), &face);
        let errors = expected
            .iter()
            .zip(&in_floats[0])
            .map(|(a, b)| (a - b).abs());
        let error = errors.fold(0.0, f32::max);
        assert!(
            error < 0.08 * largest,
            "{architecture}: {error} of {largest}"
        );
    }
}

#[test]
fn a_model_with_integers_needs_a_quantised_network() {
    let weights = random_weights(Architecture::MiniXception, 48);
    let error = super::encode_integers(&weights).unwrap_err().to_string();
    assert!(error.contains("emotion-trainer quantize"), "{error}");
}

#[test]
fn the_landmarks_of_a_detector_are_an_output_of_their_own() {
    let weights = with_heads(Architecture::FaceNet, 64, &[Head::Labels, Head::Landmarks]);
    let graph = decoded(&weights).graph.unwrap();
    let outputs = graph.output.iter().map(|o| (o.name.as_str(), shape(o)));
    // 64 + 16 + 4 places.
    let expected = [("places", 5 * 84), ("landmarks", 10 * 84)];
    let expected = expected.map(|(name, count)| (name, vec!["N".to_owned(), count.to_string()]));
    assert_eq!(outputs.collect::<Vec<_>>(), expected);
    let picture = random_faces(1, 64);
    let expected = &reference(&weights.folded().unwrap(), &picture)[0];
    assert_close(
        &interpreter::run(&graph, &picture, 64),
        expected,
        "landmarks",
    );
    let description = super::description(weights.metadata());
    assert!(
        description.contains("landmarks [N, 840]: 10 values for each place"),
        "{description}"
    );
}

#[test]
fn each_head_of_a_classifier_is_an_output_of_its_own() {
    let weights = with_heads(
        Architecture::ResidualXception,
        48,
        &[Head::Labels, Head::People, Head::Cover, Head::Turned],
    );
    let graph = decoded(&weights).graph.unwrap();
    let outputs = graph.output.iter().map(|o| (o.name.as_str(), shape(o)));
    let expected = [
        ("logits", 7),
        ("people_logits", 7),
        ("cover_logit", 1),
        ("turned_logit", 1),
    ];
    let expected = expected.map(|(name, count)| (name, vec!["N".to_owned(), count.to_string()]));
    assert_eq!(outputs.collect::<Vec<_>>(), expected);

    let face = random_faces(1, 48);
    let expected = &reference(&weights.folded().unwrap(), &face)[0];
    assert_eq!(expected.len(), 16);
    assert_close(&interpreter::run(&graph, &face, 48), expected, "four heads");
    let description = super::description(weights.metadata());
    assert!(
        description.contains("sigmoid(cover_logit)"),
        "{description}"
    );
}

#[test]
fn the_batch_size_is_free_and_the_rest_is_that_of_the_weights() {
    let graph = decoded(&random_weights(Architecture::MiniXception, 64))
        .graph
        .unwrap();
    let [input] = &graph.input[..] else {
        panic!("{:?}", graph.input)
    };
    let [output] = &graph.output[..] else {
        panic!("{:?}", graph.output)
    };
    assert_eq!(
        (input.name.as_str(), output.name.as_str()),
        ("faces", "logits")
    );
    assert_eq!(shape(input), ["N", "1", "64", "64"]);
    assert_eq!(shape(output), ["N", "7"]);
}

#[test]
fn pooling_is_padded_behind_and_where_the_input_is_odd_on_both_sides() {
    let graph = decoded(&random_weights(Architecture::MiniXception, 48))
        .graph
        .unwrap();
    let pools = graph.node.iter().filter(|node| node.op_type == "MaxPool");
    let pads: Vec<&[i64]> = pools
        .map(|node| &attribute(node, "pads").ints[..])
        .collect();
    // 44 → 22 → 11 → 6 → 3
    assert_eq!(
        pads,
        [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]]
    );
}

#[test]
fn batch_norms_are_folded_and_every_constant_is_used_and_whole() {
    for architecture in Architecture::CLASSIFIERS {
        let graph = decoded(&random_weights(architecture, 48)).graph.unwrap();
        let operators: BTreeSet<&str> = graph.node.iter().map(|n| n.op_type.as_str()).collect();
        assert!(!operators.contains("BatchNormalization"), "{operators:?}");

        let read: BTreeSet<&String> = graph.node.iter().flat_map(|node| &node.input).collect();
        for tensor in &graph.initializer {
            assert!(read.contains(&tensor.name), "{} is not used", tensor.name);
            let values: i64 = tensor.dims.iter().product();
            assert_eq!(tensor.raw_data.len() as i64, 4 * values, "{}", tensor.name);
        }
        let outputs: BTreeSet<&String> = graph.node.iter().flat_map(|n| &n.output).collect();
        assert_eq!(outputs.len(), graph.node.len(), "no value is made twice");
    }
}

#[test]
fn the_metadata_are_those_of_the_weights_file() {
    let weights = random_weights(Architecture::MiniXception, 48);
    let model = decoded(&weights);
    let found: BTreeMap<String, String> = model
        .metadata_props
        .into_iter()
        .map(|entry| (entry.key, entry.value))
        .collect();
    assert_eq!(found, weights.metadata().to_map().into_iter().collect());
    assert_eq!(found["input_size"], "48");
    assert_eq!(found["temperature"], "1.5");
    assert!(
        found["labels"].starts_with(r#"["angry","disgust","#),
        "{found:?}"
    );
    assert_eq!(model.opset_import[0].version, super::OPSET);
}

#[test]
fn the_same_weights_give_the_same_file() {
    let file = || super::encode(&random_weights(Architecture::MiniXception, 48)).unwrap();
    assert_eq!(file(), file());
}
