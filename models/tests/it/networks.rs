//! Whole networks: their size and shapes.

use emotion_models::face_net;
use emotion_models::graph::{Activation, Conv2dConfig, Error, Graph, Op, Parameter};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{Architecture, Head};
use emotion_models::{Instructions, Metadata};

use crate::common::{fold, metadata, random_faces, random_values, run};

fn mini_xception() -> Graph {
    Architecture::MiniXception.graph(48, 7).unwrap()
}

/// Each network for 48×48 pixels and seven classes.
fn graphs() -> [Graph; 3] {
    Architecture::CLASSIFIERS.map(|architecture| architecture.graph(48, 7).unwrap())
}

/// The network with random weights.
fn executor(graph: &Graph) -> InferenceExecutor {
    let network = fold(graph, &random_values(&graph.parameters(), 3));
    InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32)
}

#[test]
fn the_detector_is_small_and_has_values_and_landmarks_for_every_grid_cell_of_three_maps() {
    let graph = face_net::graph(320, 320, true).unwrap();
    let parameters: usize = graph.parameters().iter().map(Parameter::len).sum();
    assert!(parameters <= 100_000, "{parameters}");
    assert!(
        graph.multiply_adds() <= 80_000_000,
        "{}",
        graph.multiply_adds()
    );
    let shapes = graph.outputs().into_iter();
    let shapes: Vec<_> = shapes.map(|index| graph.nodes()[index].shape).collect();
    assert_eq!(
        shapes,
        [
            [40, 40, 5],
            [20, 20, 5],
            [10, 10, 5],
            [40, 40, 10],
            [20, 20, 10],
            [10, 10, 10]
        ]
    );
    for (height, width) in [(0, 32), (32, 33), (16, 32)] {
        let error = face_net::graph(height, width, false)
            .unwrap_err()
            .to_string();
        assert!(error.contains("multiples of 32"), "{error}");
    }
}

#[test]
fn mini_xception_has_the_published_number_of_parameters() {
    let graph = mini_xception();
    let layers = graph.layers();
    assert_eq!(
        layers.iter().map(|layer| layer.parameters).sum::<usize>(),
        58_423
    );
    assert_eq!(
        layers.iter().map(|layer| layer.trainable).sum::<usize>(),
        56_951
    );
    let parameters = graph.parameters();
    assert_eq!(parameters.iter().map(Parameter::len).sum::<usize>(), 58_423);
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
    assert_eq!(shape("head.average"), [7]);
}

#[test]
fn every_input_size_gives_a_row_of_logits_per_face() {
    for (size, architecture) in [12, 13, 48, 64]
        .into_iter()
        .flat_map(|size| Architecture::CLASSIFIERS.map(|architecture| (size, architecture)))
    {
        let mut executor = executor(&architecture.graph(size, 5).unwrap());
        let logits = run(&mut executor, &random_faces(3, size));
        assert_eq!(logits.len(), 3 * 5);
        assert!(logits.iter().all(|logit| logit.is_finite()));
    }
}

#[test]
fn a_face_has_the_same_logits_alone_and_in_a_batch() {
    let mut executor = executor(&mini_xception());
    let faces = random_faces(5, 48);
    let batch = run(&mut executor, &faces);
    for (face, expected) in faces.chunks_exact(48 * 48).zip(batch.chunks_exact(7)) {
        assert_eq!(run(&mut executor, face), expected);
    }
}

#[test]
fn the_multiplications_are_within_what_a_camera_allows() {
    let [mini, residual, large] = graphs();
    // As counted by hand from the table in the paper's code.
    assert_eq!(mini.multiply_adds(), 5_520_448);
    assert!(
        residual.multiply_adds() < 40_000_000,
        "{}",
        residual.multiply_adds()
    );
    let parameters = |graph: &Graph| graph.parameters().iter().map(Parameter::len).sum::<usize>();
    assert!(parameters(&residual) < 1_000_000);
    // For single faces and archives.
    assert_eq!(parameters(&large), 2_489_451);
    assert!(large.multiply_adds() < 175_000_000);
}

#[test]
fn heads_share_the_body_and_their_outputs_follow_each_other() {
    let heads = [Head::Labels, Head::People, Head::Cover, Head::Turned];
    for architecture in Architecture::CLASSIFIERS {
        let graph = architecture.graph_with_heads(48, 7, &heads).unwrap();
        let values = random_values(&graph.parameters(), 3);
        let faces = random_faces(2, 48);
        let mut all = InferenceExecutor::from_network(
            &fold(&graph, &values),
            Instructions::best(),
            Precision::F32,
        );
        let rows = run(&mut all, &faces);
        let metadata = Metadata {
            heads: heads.to_vec(),
            ..metadata(architecture, 48)
        };
        assert_eq!(metadata.outputs(Head::People), Some(7..14));
        assert_eq!(metadata.outputs(Head::Cover), Some(14..15));
        assert_eq!(metadata.outputs(Head::Turned), Some(15..16));
        for head in heads {
            // The same body with this head alone, under the name of the first one.
            let alone = architecture.graph_with_heads(48, 7, &[head]).unwrap();
            let network = fold(&alone, &values);
            let mut executor =
                InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32);
            let range = metadata.outputs(head).unwrap();
            let expected = run(&mut executor, &faces);
            let found: Vec<f32> = rows
                .chunks_exact(16)
                .flat_map(|row| row[range.clone()].to_vec())
                .collect();
            assert_eq!(found, expected, "{architecture}: {head}");
        }
    }
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

#[test]
fn operations_on_inputs_that_do_not_fit_are_refused_with_their_shapes() {
    let mut graph = Graph::new([2, 6, 4]);
    let conv = Conv2dConfig::new(8);
    let average = graph.push("average", Op::GlobalAverage, &[0]).unwrap();
    let strange = Conv2dConfig { kernel: 5, ..conv };
    for (op, inputs) in [
        (Op::Conv2d(conv), &[0][..]),
        (Op::Conv2d(strange), &[0]),
        (Op::Add(Activation::Linear), &[0, average]),
        (Op::ScaleChannels, &[average, 0]),
        (Op::MaxPool, &[]),
        (Op::MaxPool, &[7]),
    ] {
        let error = graph.push("refused", op, inputs).unwrap_err();
        assert!(matches!(error, Error::Inputs { .. }), "{op:?}: {error}");
        let shapes = inputs.iter().filter_map(|&input| graph.nodes().get(input));
        let shapes: Vec<_> = shapes.map(|node| node.shape).collect();
        assert!(
            error.to_string().ends_with(&format!("{shapes:?}")),
            "{error}"
        );
    }
    assert_eq!(graph.nodes().len(), 2);
}
