//! Each operation in a small network: both executors beside plain Candle operations, gradients beside finite differences.

use emotion_models::Instructions;
use emotion_models::graph::{
    Activation, BatchNormConfig, Conv2dConfig, Graph, Op, Padding, SeparableConv2dConfig,
};
use emotion_models::inference::{InferenceExecutor, Precision};

use crate::agreement::{assert_close, assert_near, expected};
use crate::common::{fold, run, uniform};
use crate::training::{Pair, pair, values};

const GEOMETRIES: [(usize, usize, Padding); 6] = [
    (3, 1, Padding::Valid),
    (3, 1, Padding::Same),
    (1, 1, Padding::Same),
    (1, 2, Padding::Same),
    (3, 2, Padding::Same),
    (3, 2, Padding::Valid),
];
/// Input and output channels that fill vectors exactly, not at all, and in part.
const CHANNELS: [(usize, usize); 5] = [(1, 8), (8, 8), (8, 16), (3, 7), (24, 9)];
/// Height, width.
const SIZES: [(usize, usize); 3] = [(3, 3), (7, 12), (10, 9)];

/// What a network consists of besides its ends: takes the graph and the node to read, gives the node to go on from.
type Middle = Box<dyn Fn(&mut Graph, usize) -> usize>;

fn push(graph: &mut Graph, name: &str, op: Op, inputs: &[usize]) -> usize {
    graph.push(name, op, inputs).unwrap()
}

/// A convolution in front, through whose weights the gradient of the middle's input is seen, and one behind.
fn network((height, width): (usize, usize), channels: usize, middle: &Middle) -> Graph {
    let mut graph = Graph::new([height, width, 1]);
    let front = Op::Conv2d(Conv2dConfig::pointwise(channels));
    let xs = push(&mut graph, "front", front, &[0]);
    let xs = middle(&mut graph, xs);
    push(
        &mut graph,
        "head",
        Op::Conv2d(Conv2dConfig::pointwise(3)),
        &[xs],
    );
    graph
}

fn one(op: Op) -> Middle {
    Box::new(move |graph, xs| push(graph, "middle", op, &[xs]))
}

fn conv(config: Conv2dConfig) -> Middle {
    one(Op::Conv2d(config))
}

fn separable(channels: usize, stride: usize, activation: Activation) -> Middle {
    one(Op::SeparableConv2d(SeparableConv2dConfig {
        channels,
        stride,
        bias: activation == Activation::Relu,
        activation,
    }))
}

fn norm(graph: &mut Graph, name: &str, xs: usize, activation: Activation) -> usize {
    let config = BatchNormConfig {
        activation,
        ..BatchNormConfig::default()
    };
    push(graph, name, Op::BatchNorm(config), &[xs])
}

/// A convolution whose mean is far from zero, so that a variance from differences of large sums would be seen.
fn normed(activation: Activation) -> Middle {
    Box::new(move |graph, xs| {
        let channels = 8;
        let conv = Conv2dConfig {
            bias: false,
            ..Conv2dConfig::pointwise(channels)
        };
        let xs = push(graph, "middle", Op::Conv2d(conv), &[xs]);
        norm(graph, "norm", xs, activation)
    })
}

fn add(activation: Activation) -> Middle {
    Box::new(move |graph, xs| {
        let conv = Op::Conv2d(Conv2dConfig::pointwise(8));
        let [a, b] = ["a", "b"].map(|name| push(graph, name, conv, &[xs]));
        push(graph, "sum", Op::Add(activation), &[a, b])
    })
}

/// A coarser map enlarged and added to a finer one.
fn merge() -> Middle {
    Box::new(|graph, xs| {
        let coarse = Conv2dConfig {
            stride: 2,
            ..Conv2dConfig::pointwise(8)
        };
        let coarse = push(graph, "coarse", Op::Conv2d(coarse), &[xs]);
        let enlarged = push(graph, "enlarged", Op::Upsample, &[coarse]);
        push(graph, "sum", Op::Add(Activation::Linear), &[xs, enlarged])
    })
}

/// Squeeze-and-excite (Hu, Shen and Sun 2018): mean, 1×1 convolution with ReLU, another one with sigmoid, scaling.
fn squeeze_and_excite(graph: &mut Graph, xs: usize, channels: usize) -> usize {
    let reduce = Conv2dConfig {
        activation: Activation::Relu,
        ..Conv2dConfig::pointwise(channels / 2)
    };
    let expand = Conv2dConfig::pointwise(channels);
    let mean = push(graph, "squeeze.average", Op::GlobalAverage, &[xs]);
    let reduced = push(graph, "squeeze.reduce", Op::Conv2d(reduce), &[mean]);
    let expanded = push(graph, "squeeze.expand", Op::Conv2d(expand), &[reduced]);
    let factors = push(graph, "squeeze.sigmoid", Op::Sigmoid, &[expanded]);
    push(graph, "squeeze.scale", Op::ScaleChannels, &[xs, factors])
}

fn excited() -> Middle {
    Box::new(|graph, xs| squeeze_and_excite(graph, xs, 8))
}

/// A residual block with squeeze-and-excite behind its second norm; with a stride of 2 the shortcut is a convolution.
fn residual_block(channels: usize, stride: usize) -> Middle {
    Box::new(move |graph, xs| {
        let separable = |stride| {
            Op::SeparableConv2d(SeparableConv2dConfig {
                channels,
                stride,
                bias: false,
                activation: Activation::Linear,
            })
        };
        let ys = push(graph, "separable1", separable(stride), &[xs]);
        let ys = norm(graph, "norm1", ys, Activation::Relu);
        let ys = push(graph, "separable2", separable(1), &[ys]);
        let ys = norm(graph, "norm2", ys, Activation::Linear);
        let ys = squeeze_and_excite(graph, ys, channels);
        let shortcut = if stride == 1 {
            xs
        } else {
            let conv = Conv2dConfig {
                stride,
                bias: false,
                ..Conv2dConfig::pointwise(channels)
            };
            let xs = push(graph, "residual.conv", Op::Conv2d(conv), &[xs]);
            norm(graph, "residual.norm", xs, Activation::Linear)
        };
        push(graph, "add", Op::Add(Activation::Relu), &[ys, shortcut])
    })
}

/// Small networks with all operations; one of each.
fn samples() -> Vec<(&'static str, Graph)> {
    let relu = Conv2dConfig {
        padding: Padding::Same,
        bias: true,
        activation: Activation::Relu,
        ..Conv2dConfig::new(8)
    };
    let plain = Conv2dConfig {
        stride: 2,
        bias: false,
        activation: Activation::Linear,
        ..relu
    };
    let size = (6, 8);
    let middles = [
        ("convolution", conv(plain)),
        ("convolution with ReLU", conv(relu)),
        ("separable", separable(8, 1, Activation::Linear)),
        ("separable with ReLU", separable(8, 2, Activation::Relu)),
        ("norm", normed(Activation::Linear)),
        ("norm with ReLU", normed(Activation::Relu)),
        ("max-pooling", one(Op::MaxPool)),
        ("sum", add(Activation::Linear)),
        ("sum with ReLU", add(Activation::Relu)),
        ("enlarged and added", merge()),
        ("average", one(Op::GlobalAverage)),
        ("sigmoid", one(Op::Sigmoid)),
        ("squeeze-and-excite", excited()),
        ("block", residual_block(8, 1)),
        ("block with stride 2", residual_block(8, 2)),
    ];
    middles
        .into_iter()
        .map(|(name, middle)| (name, network(size, 8, &middle)))
        .collect()
}

/// Both executors give what the oracle gives.
fn assert_agrees(name: &str, graph: &Graph) -> Pair {
    let pair = pair(graph);
    pair.assert_agrees(name, 2e-3, 2e-3);
    let pictures = values(&pair.faces);
    let expected = expected(graph, &pair.values, &pictures);
    let network = fold(graph, &pair.values);
    for instructions in Instructions::all() {
        let mut executor = InferenceExecutor::from_network(&network, instructions, Precision::F32);
        let what = format!("{name} on {instructions}");
        assert_close(&run(&mut executor, &pictures), &expected, &what);
    }
    let fastest = Precision::fastest();
    let mut executor = InferenceExecutor::from_network(&network, Instructions::best(), fastest);
    assert_near(&run(&mut executor, &pictures), &expected, name);
    pair
}

#[test]
fn every_operation_agrees_with_the_oracle_forward_and_backward() {
    for (name, graph) in samples() {
        assert_agrees(name, &graph);
    }
}

#[test]
fn convolutions_of_all_shapes_agree_with_the_oracle() {
    for (i, (kernel, stride, padding)) in GEOMETRIES.into_iter().enumerate() {
        for (channels_in, channels) in CHANNELS {
            for size in SIZES {
                let config = Conv2dConfig {
                    channels,
                    kernel,
                    stride,
                    padding,
                    bias: true,
                    activation: [Activation::Linear, Activation::Relu][i % 2],
                };
                let name = format!("{config:?} of {size:?} with {channels_in} channels");
                assert_agrees(&name, &network(size, channels_in, &conv(config)));
            }
        }
    }
}

#[test]
fn separable_convolutions_of_all_shapes_agree_with_the_oracle() {
    for (channels_in, channels) in CHANNELS {
        for (stride, size) in SIZES.into_iter().flat_map(|size| [(1, size), (2, size)]) {
            let middle = separable(channels, stride, Activation::Linear);
            let name = format!("{channels_in} to {channels} of {size:?} with stride {stride}");
            assert_agrees(&name, &network(size, channels_in, &middle));
        }
    }
}

#[test]
fn max_pooling_pads_as_tensorflow_does_and_keeps_negative_values() {
    for size in [(44, 44), (11, 11), (6, 6), (5, 8), (1, 1), (2, 3)] {
        let graph = network(size, 8, &one(Op::MaxPool));
        let mut pair = pair(&graph);
        // The bias of the convolution in front: all that is pooled is negative.
        let bias = pair.values.get_mut("front.bias").unwrap();
        bias.values.fill(-2.0);
        let pictures = values(&pair.faces);
        let expected = expected(&graph, &pair.values, &pictures);
        let network = fold(&graph, &pair.values);
        let best = Instructions::best();
        let mut executor = InferenceExecutor::from_network(&network, best, Precision::F32);
        assert_close(
            &run(&mut executor, &pictures),
            &expected,
            &format!("{size:?}"),
        );
    }
}

#[test]
fn a_variance_far_from_the_origin_is_that_of_the_oracle() {
    let graph = network((5, 6), 8, &normed(Activation::Relu));
    let pair = pair(&graph);
    let moved = (pair.faces.affine(2.0, 30.0)).unwrap();
    let found = pair.executor.forward(&moved, &pair.parameters).unwrap();
    let expected = pair.oracle.forward(&moved, true);
    crate::training::assert_close("logits", &values(&found), &values(&expected), 1e-4);
}

/// The loss, summed in double precision.
fn loss_of(pair: &Pair) -> f64 {
    let logits = values(&pair.logits()).into_iter().map(f64::from);
    let weights = (0..).map(|i| (f64::from(i) + 1.0).sin());
    logits.zip(weights).map(|(y, w)| y * w + y * y).sum()
}

#[test]
fn gradients_agree_with_finite_differences() {
    const STEP: f32 = 2e-3;
    // The kinks of the ReLUs that a whole block passes spoil its differences.
    let single = samples()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("block"));
    for (name, graph) in single {
        let pair = pair(&graph);
        let gradient = pair.gradient();
        let original = pair.parameters.as_tensor().copy().unwrap();
        for (slot, seed) in pair.executor.trained().iter().zip(1..) {
            let gradient = &gradient[slot.range.clone()];
            let direction = uniform(gradient.len(), -1.0, 1.0, seed);
            let moved = |sign: f32| {
                let mut parameters = values(&original);
                let here = parameters[slot.range.clone()].iter_mut();
                for (parameter, direction) in here.zip(&direction) {
                    *parameter += sign * STEP * direction;
                }
                let moved = candle_core::Tensor::new(parameters, original.device()).unwrap();
                pair.parameters.set(&moved).unwrap();
                loss_of(&pair)
            };
            let found = (moved(1.0) - moved(-1.0)) / f64::from(2.0 * STEP);
            pair.parameters.set(&original).unwrap();
            let product = |(&g, &d): (&f32, &f32)| f64::from(g) * f64::from(d);
            let expected: f64 = gradient.iter().zip(&direction).map(product).sum();
            let scale: f64 = gradient.iter().map(|&g| f64::from(g.abs())).sum();
            assert!(
                (found - expected).abs() <= 1e-2 * scale + 0.05,
                "{name} {}: gradient {expected}, differences {found}, scale {scale}",
                slot.parameter.name
            );
        }
    }
}
