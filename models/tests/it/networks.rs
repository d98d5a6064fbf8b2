//! Whole networks: their size, shapes and gradients.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use emotion_models::face_net;
use emotion_models::graph::{Graph, Parameter};
use emotion_models::network::Network;
use emotion_models::weights::Architecture;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn mini_xception() -> Graph {
    Architecture::MiniXception.graph(48, 7).unwrap()
}

/// Each network for 48×48 pixels and seven classes.
fn graphs() -> [Graph; 2] {
    Architecture::CLASSIFIERS.map(|architecture| architecture.graph(48, 7).unwrap())
}

/// The network with random weights in ±0.3, and its variables.
fn network(graph: Graph) -> (Network, HashMap<String, Var>) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let variables: HashMap<String, Var> = graph
        .parameters()
        .into_iter()
        .map(|parameter| {
            let positive = parameter.name.ends_with("running_var");
            let values: Vec<f32> = (0..parameter.len())
                .map(|_| {
                    if positive {
                        rng.random_range(0.5..1.5)
                    } else {
                        rng.random_range(-0.3..0.3)
                    }
                })
                .collect();
            let variable = Var::from_vec(values, parameter.shape, &Device::Cpu).unwrap();
            (parameter.name, variable)
        })
        .collect();
    let tensors = variables
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    (Network::new(graph, vb).unwrap(), variables)
}

fn faces(count: usize, size: usize) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let values: Vec<f32> = (0..count * size * size)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    Tensor::from_vec(values, (count, size, size, 1), &Device::Cpu).unwrap()
}

#[test]
fn the_detector_is_small_and_has_a_value_for_every_place_of_three_maps() {
    let graph = face_net::graph(320, 320).unwrap();
    let parameters: usize = graph.parameters().iter().map(Parameter::len).sum();
    assert!(parameters <= 100_000, "{parameters}");
    assert!(
        graph.multiply_adds() <= 80_000_000,
        "{}",
        graph.multiply_adds()
    );
    let shapes = graph.outputs().into_iter();
    let shapes: Vec<_> = shapes.map(|index| graph.nodes()[index].shape).collect();
    assert_eq!(shapes, [[40, 40, 5], [20, 20, 5], [10, 10, 5]]);
    for (height, width) in [(0, 32), (32, 33), (16, 32)] {
        let error = face_net::graph(height, width).unwrap_err().to_string();
        assert!(error.contains("multiples of 32"), "{error}");
    }
}

#[test]
fn mini_xception_has_the_published_number_of_parameters() {
    let (network, variables) = network(mini_xception());
    let layers = network.graph().layers();
    assert_eq!(
        layers.iter().map(|layer| layer.parameters).sum::<usize>(),
        58_423
    );
    assert_eq!(
        layers.iter().map(|layer| layer.trainable).sum::<usize>(),
        56_951
    );
    assert_eq!(
        variables
            .values()
            .map(|var| var.elem_count())
            .sum::<usize>(),
        58_423
    );
}

#[test]
fn the_layers_of_mini_xception_have_the_published_output_shapes() {
    let layers = mini_xception().layers();
    let shape = |name: &str| {
        let layer = layers.iter().find(|layer| layer.name == name);
        layer
            .unwrap_or_else(|| panic!("no layer {name}"))
            .output_shape
            .clone()
    };
    assert_eq!(shape("conv1"), [46, 46, 8]);
    assert_eq!(shape("conv2"), [44, 44, 8]);
    for (i, expected) in [[22, 22, 16], [11, 11, 32], [6, 6, 64], [3, 3, 128]]
        .into_iter()
        .enumerate()
    {
        assert_eq!(shape(&format!("modules.{i}.add")), expected);
    }
    assert_eq!(shape("average"), [7]);
}

#[test]
fn every_input_size_gives_a_row_of_logits_per_face() {
    for (size, architecture) in [12, 13, 48, 64]
        .into_iter()
        .flat_map(|size| Architecture::CLASSIFIERS.map(|architecture| (size, architecture)))
    {
        let (network, _) = network(architecture.graph(size, 5).unwrap());
        let logits = network.forward(&faces(3, size), false).unwrap();
        assert_eq!(logits.dims(), [3, 5]);
        assert!(
            logits
                .to_vec2::<f32>()
                .unwrap()
                .iter()
                .flatten()
                .all(|logit| logit.is_finite())
        );
    }
}

#[test]
fn a_face_has_the_same_logits_alone_and_in_a_batch() {
    let (network, _) = network(mini_xception());
    let faces = faces(5, 48);
    let batch: Vec<Vec<f32>> = network.forward(&faces, false).unwrap().to_vec2().unwrap();
    for (i, expected) in batch.iter().enumerate() {
        let alone = network
            .forward(&faces.narrow(0, i, 1).unwrap(), false)
            .unwrap();
        assert_eq!(alone.to_vec2::<f32>().unwrap()[0], *expected);
    }
}

#[test]
fn every_trainable_parameter_gets_a_gradient_and_running_statistics_get_none() {
    let (network, variables) = network(mini_xception());
    let loss = network
        .forward(&faces(4, 48), true)
        .unwrap()
        .sqr()
        .unwrap()
        .sum_all()
        .unwrap();
    let gradients = loss.backward().unwrap();
    for (name, variable) in &variables {
        let gradient = gradients.get(variable);
        if name.contains("running") {
            assert!(gradient.is_none(), "{name} has a gradient");
        } else {
            let gradient = gradient.unwrap_or_else(|| panic!("{name} has no gradient"));
            let norm = gradient
                .sqr()
                .unwrap()
                .sum_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap();
            assert!(norm.is_finite() && norm > 0.0, "{name}: {norm}");
        }
    }
}

#[test]
fn a_step_against_the_gradient_lowers_the_loss_by_its_square() {
    let (network, variables) = network(mini_xception());
    let faces = faces(8, 48);
    let loss = || {
        network
            .forward(&faces, true)
            .unwrap()
            .sqr()
            .unwrap()
            .mean_all()
            .unwrap()
    };
    let before = loss();
    let gradients = before.backward().unwrap();
    let trained: Vec<_> = variables
        .values()
        .filter_map(|var| Some((var, gradients.get(var)?)))
        .collect();
    let square: f64 = trained
        .iter()
        .map(|(_, gradient)| {
            f64::from(
                gradient
                    .sqr()
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .to_scalar::<f32>()
                    .unwrap(),
            )
        })
        .sum();
    let before = f64::from(before.to_scalar::<f32>().unwrap());
    // Lowers the loss by one per cent, were it linear.
    let rate = 0.01 * before / square;
    for (var, gradient) in trained {
        var.set(&(var.as_tensor() - (gradient * rate).unwrap()).unwrap())
            .unwrap();
    }
    let lowered = before - f64::from(loss().to_scalar::<f32>().unwrap());
    assert!(
        (lowered / (rate * square) - 1.0).abs() < 0.2,
        "lowered by {lowered} of {before}"
    );
}

#[test]
fn the_multiplications_are_within_what_a_camera_allows() {
    let [mini, residual] = graphs();
    // As counted by hand from the table in the paper's code.
    assert_eq!(mini.multiply_adds(), 5_520_448);
    assert!(
        residual.multiply_adds() < 40_000_000,
        "{}",
        residual.multiply_adds()
    );
    let parameters: usize = residual
        .parameters()
        .iter()
        .map(|parameter| parameter.len())
        .sum();
    assert!(parameters < 1_000_000, "{parameters}");
}

#[test]
fn a_network_without_classes_or_with_too_small_an_input_is_refused() {
    for architecture in Architecture::CLASSIFIERS {
        for (size, classes) in [(11, 7), (48, 0)] {
            let error = architecture.graph(size, classes).unwrap_err().to_string();
            assert!(
                error.contains("expected an input size of at least 12"),
                "{error}"
            );
        }
    }
}
