//! Networks in integers of eight bits.

use std::collections::BTreeMap;

use allocation_counter::measure;
use emotion_models::graph::{
    ActivationScale, FoldedNetwork, Graph, Op, Quantization, QuantizedWeights, meet_within_16_bits,
    meeting_pairs,
};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{
    Architecture, Error, QuantizationReport, WeightTensor, WeightTensors, WeightsId,
};
use emotion_models::{Classifier, Instructions, Weights, face_net};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::common::{fold, metadata, random_faces, random_values, random_weights, run, uniform};

const CLASSES: usize = 7;

/// The plainest way to integers: weights of seven bits, and the ranges that these pictures make.
fn integers(network: &FoldedNetwork, pictures: &[f32]) -> Quantization {
    let graph = network.graph();
    let mut quantization = Quantization::default();
    for node in graph.nodes() {
        let input = node.inputs.first().map(|&input| graph.nodes()[input].shape);
        let Some([height, width, channels]) = input else {
            continue;
        };
        let fits = channels % 4 == 0 && node.shape[2] % 8 == 0 && height * width > 1;
        if !fits || !matches!(node.op, Op::Conv2d(_) | Op::SeparableConv2d(_)) {
            continue;
        }
        for part in ["weight", "depthwise.weight", "pointwise.weight"] {
            let values = network.values(node, part);
            if values.is_empty() {
                continue;
            }
            let out = if part == "depthwise.weight" {
                channels
            } else {
                node.shape[2]
            };
            let mut weights = QuantizedWeights {
                values: Vec::new(),
                scales: Vec::new(),
            };
            for filter in values.chunks_exact(values.len() / out) {
                let scale = filter.iter().fold(1e-6_f32, |a, b| a.max(b.abs())) / 64.0;
                let rounded = filter.iter().map(|value| (value / scale).round() as i8);
                weights.values.extend(rounded);
                weights.scales.push(scale);
            }
            quantization
                .weights
                .insert(format!("{}.{part}", node.name), weights);
        }
    }
    let mut ranges: BTreeMap<String, [f32; 2]> = BTreeMap::new();
    let mut executor =
        InferenceExecutor::from_network(network, Instructions::best(), Precision::F32);
    let [height, width, _] = graph.input_shape();
    for picture in pictures.chunks_exact(height * width) {
        let see = |name: &str, _, values: &[f32]| {
            let range = ranges.entry(name.to_owned()).or_default();
            *range = values.iter().fold(*range, |[low, high], &value| {
                [low.min(value), high.max(value)]
            });
        };
        executor.observe(picture, see).unwrap();
    }
    let outputs = graph.outputs().into_iter();
    let outputs: Vec<&str> = outputs
        .map(|index| &graph.nodes()[index].name[..])
        .collect();
    ranges.retain(|name, _| !outputs.contains(&&name[..]));
    let scale = |[low, high]: [f32; 2]| {
        let scale = (high - low) / 255.0;
        ActivationScale {
            scale,
            zero_point: (-low / scale).round() as u8,
        }
    };
    quantization.activations = ranges
        .into_iter()
        .map(|(name, range)| (name, scale(range)))
        .collect();
    quantization
}

/// The same network with the integers of these pictures.
fn quantized(network: &FoldedNetwork, pictures: &[f32]) -> FoldedNetwork {
    let integers = integers(network, pictures);
    let values = tensors(network, &integers);
    let graph = network.graph().clone();
    FoldedNetwork::new(
        graph,
        |name| Some(&values.get(name)?.values[..]),
        Some(integers),
    )
    .unwrap()
}

/// The tensors of the folded network, those with integers in the values that these stand for.
fn tensors(network: &FoldedNetwork, integers: &Quantization) -> WeightTensors {
    let graph = network.graph();
    let tensors = graph.nodes().iter().enumerate().flat_map(|(index, node)| {
        graph.parameters_of(index).into_iter().map(|parameter| {
            let part = &parameter.name[node.name.len() + 1..];
            let values = match integers.weights.get(&parameter.name) {
                Some(weights) => weights.to_floats(),
                None => network.values(node, part).to_vec(),
            };
            let shape = parameter.shape.clone();
            (parameter.name, WeightTensor { shape, values })
        })
    });
    tensors.collect()
}

fn report(after: f64) -> QuantizationReport {
    QuantizationReport {
        data: "PublicTest".to_owned(),
        figures: BTreeMap::from([("labels".to_owned(), [70.0, after])]),
        allowed: 0.2,
    }
}

/// Random weights with their integers.
fn weights(architecture: Architecture, report: QuantizationReport) -> Weights {
    let floats = random_weights(architecture, 48, 1);
    let network = floats.folded().unwrap();
    let integers = integers(&network, &random_faces(4, 48));
    let tensors = tensors(&network, &integers);
    Weights::quantized(
        "memory",
        metadata(architecture, 48),
        tensors,
        integers,
        report,
    )
    .unwrap()
}

fn graphs() -> Vec<Graph> {
    let classifiers = Architecture::CLASSIFIERS.into_iter();
    let sizes = [48, 45].into_iter();
    sizes
        .flat_map(|size| {
            classifiers
                .clone()
                .map(move |it| it.graph(size, CLASSES).unwrap())
        })
        .chain([face_net::graph(96, 160, true).unwrap()])
        .collect()
}

#[test]
fn on_all_instructions_the_logits_are_near_those_of_floats() {
    for graph in graphs() {
        let floats = fold(&graph, &random_values(&graph.parameters(), 3));
        let [height, width, _] = graph.input_shape();
        let pictures = uniform(3 * height * width, -1.0, 1.0, 7);
        let integers = quantized(&floats, &pictures);
        let of = |network, precision, instructions| {
            let mut executor = InferenceExecutor::from_network(network, instructions, precision);
            assert_eq!(executor.precision(), precision);
            run(&mut executor, &pictures)
        };
        let expected = of(&floats, Precision::F32, Instructions::best());
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for instructions in Instructions::all() {
            let found = of(&integers, Precision::Int8, instructions);
            let errors = found.iter().zip(&expected).map(|(a, b)| (a - b).powi(2));
            let error = (errors.sum::<f32>() / found.len() as f32).sqrt();
            assert!(
                error < 0.08 * largest,
                "{:?} on {instructions}: {error} of {largest}",
                graph.input_shape()
            );
        }
    }
}

#[test]
fn threads_and_batches_do_not_change_the_logits() {
    let weights = weights(Architecture::ResidualXception, report(70.0));
    let faces = random_faces(5, 48);
    let executor = InferenceExecutor::with_precision(&weights, Precision::Int8).unwrap();
    let expected = run(&mut executor.clone(), &faces);
    for (face, expected) in faces
        .chunks_exact(48 * 48)
        .zip(expected.chunks_exact(CLASSES))
    {
        assert_eq!(run(&mut executor.clone(), face), expected);
    }
    for threads in [2, 3] {
        let mut executor = executor.clone().with_threads(threads);
        assert_eq!(run(&mut executor, &faces), expected, "{threads} threads");
    }
    let graph = face_net::graph(160, 224, true).unwrap();
    let floats = fold(&graph, &random_values(&graph.parameters(), 1));
    let picture = uniform(160 * 224, -1.0, 1.0, 7);
    let network = quantized(&floats, &picture);
    let executor = InferenceExecutor::from_network(&network, Instructions::best(), Precision::Int8);
    let expected = run(&mut executor.clone(), &picture);
    for threads in [2, 3, 7] {
        let mut executor = executor.clone().with_threads_each(threads);
        assert_eq!(run(&mut executor, &picture), expected, "{threads} threads");
    }
}

#[test]
fn nothing_is_allocated_from_face_to_face_and_less_memory_is_held() {
    for architecture in Architecture::CLASSIFIERS {
        let weights = weights(architecture, report(70.0));
        let mut executor = InferenceExecutor::with_precision(&weights, Precision::Int8).unwrap();
        let faces = random_faces(8, 48);
        let mut logits = [0.0; 8 * CLASSES];
        let counted = measure(|| executor.run(&faces, &mut logits).unwrap());
        assert_eq!(counted.count_total, 0, "{architecture}");
        let floats = InferenceExecutor::with_precision(&weights, Precision::F32).unwrap();
        let [held, before] = [executor.memory(), floats.memory()];
        assert!(
            2 * held < before,
            "{architecture}: {held} of {before} bytes"
        );
    }
}

#[test]
fn what_is_written_is_read_back_and_is_a_third_as_large() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
    random_weights(Architecture::ResidualXception, 48, 1)
        .save(&before)
        .unwrap();
    let weights = weights(Architecture::ResidualXception, report(69.9));
    weights.save(&after).unwrap();
    let read = Weights::load(&after).unwrap();
    assert_eq!(read.quantization(), weights.quantization());
    assert_eq!(read.quantization_report(), weights.quantization_report());
    assert_eq!(read.tensors(), weights.tensors());
    assert_eq!(WeightsId::of(&read), WeightsId::of(&weights));
    let [before, after] = [before, after].map(|file| std::fs::metadata(file).unwrap().len());
    assert!(
        after as f64 * 3.5 < before as f64,
        "{after} of {before} bytes"
    );
    let mut faces = random_faces(2, 48);
    faces.truncate(48 * 48);
    let classify = |weights: &Weights| {
        let mut classifier = Classifier::with_precision(weights, Precision::Int8).unwrap();
        classifier.classify(&faces).unwrap()
    };
    assert_eq!(classify(&read), classify(&weights));
}

#[test]
fn floats_that_half_precision_stores_exactly_are_written_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("integers");
    let rest = weights(Architecture::MiniXception, report(69.9));
    let integers = rest.quantization().unwrap().clone();
    let tensors = rest.tensors().iter().map(|(name, tensor)| {
        let tensor = tensor.clone();
        let tensor = match (&name[..], integers.weights.contains_key(name)) {
            (_, true) | ("head.bias", _) => tensor,
            _ => tensor.rounded_to_half_precision(),
        };
        (name.clone(), tensor)
    });
    let rounded = Weights::quantized(
        "memory",
        rest.metadata().clone(),
        tensors.collect(),
        integers,
        report(69.9),
    );
    let rounded = rounded.unwrap();
    rounded.save(&file).unwrap();
    assert_eq!(Weights::load(&file).unwrap().tensors(), rounded.tensors());
    let bytes = std::fs::read(&file).unwrap();
    let views = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(views.tensor("head.weight").unwrap().dtype(), Dtype::F16);
    assert_eq!(views.tensor("head.bias").unwrap().dtype(), Dtype::F32);
}

#[test]
fn a_tensor_too_large_for_half_precision_is_not_rounded() {
    let tensor = WeightTensor {
        shape: vec![2],
        values: vec![0.1, 1e5],
    };
    assert_eq!(tensor.clone().rounded_to_half_precision(), tensor);
}

#[test]
fn weights_without_integers_are_refused_in_int8_with_the_remedy() {
    let weights = random_weights(Architecture::MiniXception, 48, 1);
    let error = InferenceExecutor::with_precision(&weights, Precision::Int8).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("`emotion-trainer quantize`"), "{error}");
}

#[test]
fn integers_are_not_quantised_trained_or_halved_again() {
    let weights = weights(Architecture::MiniXception, report(70.0));
    for error in [
        weights.expect_floats().map(|_| ()).unwrap_err(),
        weights.to_half_precision().map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Quantized { .. }), "{error}");
    }
}

#[test]
fn the_fastest_precision_is_that_of_integers_only_where_their_report_holds() {
    let of = |after| {
        let weights = weights(Architecture::MiniXception, report(after));
        weights.fastest_precision()
    };
    assert_eq!(of(69.7), Precision::fastest());
    let is_portable = Instructions::best().name() == Instructions::PORTABLE.name();
    let expected = if is_portable {
        Precision::fastest()
    } else {
        Precision::Int8
    };
    assert_eq!(of(69.81), expected);
    let floats = random_weights(Architecture::MiniXception, 48, 1);
    assert_eq!(floats.fastest_precision(), Precision::fastest());
}

#[test]
fn integers_that_do_not_fit_are_refused_with_their_name() {
    let floats = random_weights(Architecture::MiniXception, 48, 1);
    let network = floats.folded().unwrap();
    let good = integers(&network, &random_faces(1, 48));
    let name = "modules.2.separable1.pointwise.weight";
    let refused = |change: &dyn Fn(&mut Quantization)| {
        let mut integers = good.clone();
        change(&mut integers);
        let tensors = tensors(&network, &good);
        let metadata = metadata(Architecture::MiniXception, 48);
        let made = Weights::quantized("file", metadata, tensors, integers, report(70.0));
        made.unwrap_err().to_string()
    };
    let too_large = refused(&|integers| {
        let weights = integers.weights.get_mut(name).unwrap();
        weights.values[..2].copy_from_slice(&[127, 127]);
    });
    let too_few = refused(&|integers| {
        integers.weights.get_mut(name).unwrap().scales.pop();
    });
    let negative = refused(&|integers| {
        integers.weights.get_mut(name).unwrap().scales[3] = -1.0;
    });
    for error in [too_large, too_few, negative] {
        assert!(error.contains(name), "{error}");
    }
    let behind_relu = refused(&|integers| {
        integers.activations.get_mut("conv2").unwrap().zero_point = 3;
    });
    assert!(behind_relu.contains("conv2"), "{behind_relu}");
}

#[test]
fn the_integers_of_built_in_weights_answer_nearly_as_the_floats_beside_them() {
    type Folded = fn(&Weights) -> FoldedNetwork;
    let classifier: Folded = |weights| weights.folded().unwrap();
    let detector: Folded = |weights| weights.folded_detector(64, 96).unwrap();
    for (weights, folded) in [
        (Weights::embedded().unwrap(), classifier),
        (Weights::detector().unwrap(), detector),
    ] {
        let integers = weights.expect_precision(Precision::Int8).unwrap();
        let report = integers.quantization_report().unwrap();
        assert!(report.holds(), "{report:?}");
        assert_eq!(integers.metadata().name, weights.metadata().name);
        let picture = |network: &FoldedNetwork| {
            let [height, width, _] = network.graph().input_shape();
            uniform(height * width, -1.0, 1.0, 7)
        };
        let answers = |weights: &Weights, precision| {
            let network = folded(weights);
            let instructions = Instructions::best();
            let mut executor = InferenceExecutor::from_network(&network, instructions, precision);
            run(&mut executor, &picture(&network))
        };
        let expected = answers(&weights, Precision::F32);
        let found = answers(integers, Precision::Int8);
        let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let apart = (found - expected).abs();
            assert!(apart < 0.2 * largest, "{found}, expected {expected}");
        }
    }
}

#[test]
fn neighbours_meet_in_16_bits_up_to_a_sum_of_128() {
    assert!(meet_within_16_bits(&[64, 64, -128 + 1, -1], 1, false));
    assert!(!meet_within_16_bits(&[65, 64, 0, 0], 1, false));
    assert!(!meet_within_16_bits(&[0, 0, -65, -64], 1, false));
    // Of two input channels with three taps each, the same taps meet.
    assert!(meet_within_16_bits(&[127, 127, 127, 1, 1, 1], 3, false));
    // The first and the last row of a depthwise kernel meet.
    let kernel = |last| [127, 0, 0, 127, 127, 127, last, 0, 0];
    assert!(meet_within_16_bits(&kernel(1), 9, true));
    assert!(!meet_within_16_bits(&kernel(2), 9, true));
    let pairs: Vec<_> = meeting_pairs(8, 2, false).collect();
    assert_eq!(pairs, [[0, 2], [1, 3], [4, 6], [5, 7]]);
}
