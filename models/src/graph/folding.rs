//! A network as it is served: batch norms inside the weights of the convolutions in front of them, and nothing left to
//! train.
//!
//! The fold is exact but for rounding. Whatever runs or exports a trained network reads this; see
//! [`Weights::folded`](crate::Weights::folded).

use std::collections::HashMap;

use candle_core::{Result, Tensor, bail};

use crate::graph::{Graph, Op, unread};
use crate::layers::{Activation, BatchNormConfig, Conv2dConfig, Padding};

/// A convolution's weights and biases.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// `[out, in, k, k]`.
    pub weight: Vec<f32>,
    /// `[out]`; empty without biases.
    pub bias: Vec<f32>,
}

/// What a node computes.
#[derive(Debug, Clone, PartialEq)]
pub enum FoldedOp {
    /// Nothing: the picture, `[H, W, 1]` in [-1, 1].
    Input,
    /// A dense convolution.
    Conv2d {
        /// Width and height of the kernel.
        kernel: usize,
        /// Step between outputs.
        stride: usize,
        /// Treatment of the border.
        padding: Padding,
        /// Its parameters.
        weights: Kernel,
        /// What follows.
        activation: Activation,
    },
    /// A 3×3 convolution of each channel by itself, padded by one zero on every side, then a 1×1 convolution across
    /// channels.
    SeparableConv2d {
        /// Step between outputs.
        stride: usize,
        /// `[in, 1, 3, 3]`.
        depthwise: Vec<f32>,
        /// The 1×1 convolution's parameters.
        pointwise: Kernel,
        /// What follows.
        activation: Activation,
    },
    /// The largest value in windows of 3×3 with stride 2, padded as TensorFlow's "same".
    MaxPool,
    /// The sum of two inputs and what follows it.
    Add(Activation),
    /// Each pixel four times, for twice the width and height.
    Upsample,
    /// The mean over height and width, `[1, 1, C]`.
    GlobalAverage,
}

/// A layer in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldedNode {
    /// The path of its parameters, or where it stands if it has none.
    pub name: String,
    /// What it computes.
    pub op: FoldedOp,
    /// The nodes that it computes it from, as indices of [`Folded::nodes`]; all stand before it.
    pub inputs: Vec<usize>,
    /// `[H, W, C]` of its output.
    pub shape: [usize; 3],
}

/// Nodes in the order of their work. The outputs of those that no other one reads, one after the other, are the logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    nodes: Vec<FoldedNode>,
}

impl Folded {
    /// Folds `graph` with its parameters.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, or a batch norm does not follow a convolution of its own, which is so in no network
    /// here.
    pub fn new(graph: &Graph, tensors: &HashMap<String, Tensor>) -> Result<Self> {
        let mut nodes: Vec<FoldedNode> = Vec::new();
        // The folded node of each node of the graph.
        let mut places = Vec::with_capacity(graph.nodes().len());
        for (index, node) in graph.nodes().iter().enumerate() {
            let parameter = |part: &str| -> Result<Vec<f32>> {
                let name = format!("{}.{part}", node.name);
                match tensors.get(&name) {
                    Some(tensor) => tensor.flatten_all()?.to_vec1(),
                    None => bail!("the weights lack {name}"),
                }
            };
            let op = match node.op {
                Op::Input => FoldedOp::Input,
                Op::Conv2d(Conv2dConfig {
                    kernel,
                    stride,
                    padding,
                    bias,
                }) => FoldedOp::Conv2d {
                    kernel,
                    stride,
                    padding,
                    weights: Kernel {
                        weight: parameter("weight")?,
                        bias: if bias { parameter("bias")? } else { Vec::new() },
                    },
                    activation: Activation::Linear,
                },
                Op::SeparableConv2d { stride } => FoldedOp::SeparableConv2d {
                    stride,
                    depthwise: parameter("depthwise.weight")?,
                    pointwise: Kernel {
                        weight: parameter("pointwise.weight")?,
                        bias: Vec::new(),
                    },
                    activation: Activation::Linear,
                },
                Op::BatchNorm(config) => {
                    let norm = Norm {
                        weight: parameter("weight")?,
                        bias: parameter("bias")?,
                        mean: parameter("running_mean")?,
                        variance: parameter("running_var")?,
                        eps: config.eps,
                    };
                    let before = node.inputs[0];
                    let place: usize = places[before];
                    if !graph.is_read_only_by(before, index) || !nodes[place].op.fold(&norm, config)
                    {
                        bail!(
                            "{}: a batch norm must follow a convolution of its own",
                            node.name
                        );
                    }
                    places.push(place);
                    continue;
                }
                Op::MaxPool => FoldedOp::MaxPool,
                Op::Add(activation) => FoldedOp::Add(activation),
                Op::Upsample => FoldedOp::Upsample,
                Op::GlobalAverage => FoldedOp::GlobalAverage,
            };
            places.push(nodes.len());
            nodes.push(FoldedNode {
                name: node.name.clone(),
                op,
                inputs: node.inputs.iter().map(|&input| places[input]).collect(),
                shape: node.shape,
            });
        }
        Ok(Self { nodes })
    }

    /// The nodes that no other one reads, whose outputs are the logits.
    pub fn outputs(&self) -> Vec<usize> {
        unread(self.nodes.iter().map(|node| &node.inputs[..]))
    }

    /// All nodes; the first is the input.
    pub fn nodes(&self) -> &[FoldedNode] {
        &self.nodes
    }
}

impl FoldedOp {
    /// Takes up what follows; whether it is a convolution.
    fn fold(&mut self, norm: &Norm, config: BatchNormConfig) -> bool {
        match self {
            Self::Conv2d {
                weights: kernel,
                activation,
                ..
            }
            | Self::SeparableConv2d {
                pointwise: kernel,
                activation,
                ..
            } => {
                norm.fold_into(kernel);
                *activation = config.activation;
                true
            }
            _ => false,
        }
    }
}

/// The parameters of a batch norm in inference, each `[channels]`.
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    eps: f64,
}

impl Norm {
    /// Makes `kernel` give what the norm gives behind it: with `s = weight / √(variance + ε)`, its weights are
    /// `s · w` and its biases `s · (b − mean) + bias`, in double precision until they are stored.
    fn fold_into(&self, kernel: &mut Kernel) {
        let channels = self.weight.len();
        kernel.bias.resize(channels, 0.0);
        let filter = kernel.weight.len() / channels;
        let filters = kernel.weight.chunks_exact_mut(filter);
        for (c, (filter, bias)) in filters.zip(&mut kernel.bias).enumerate() {
            let deviation = (f64::from(self.variance[c]) + self.eps).sqrt();
            let scale = f64::from(self.weight[c]) / deviation;
            for weight in filter {
                *weight = (f64::from(*weight) * scale) as f32;
            }
            let centred = f64::from(*bias) - f64::from(self.mean[c]);
            *bias = (scale * centred + f64::from(self.bias[c])) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folded_kernel_gives_the_norm_of_the_kernels_result() {
        let mut kernel = Kernel {
            weight: vec![1.0, 2.0, 3.0, 4.0],
            bias: vec![0.5, -1.0],
        };
        let norm = Norm {
            weight: vec![3.0, 1.0],
            bias: vec![0.0, 10.0],
            mean: vec![0.5, 1.0],
            variance: vec![3.0, 15.0],
            eps: 1.0,
        };
        norm.fold_into(&mut kernel);
        // Scales: 3 / √4 and 1 / √16.
        let expected = Kernel {
            weight: vec![1.5, 3.0, 0.75, 1.0],
            bias: vec![0.0, 9.5],
        };
        assert_eq!(kernel, expected);
    }

    #[test]
    fn a_norm_of_anything_but_a_convolution_of_its_own_is_refused() {
        let mut graph = Graph::new([8, 8, 4]);
        graph.norm("norm", 0, Activation::Relu);
        let tensors = graph.parameters().into_iter().map(|parameter| {
            let tensor = Tensor::ones(
                parameter.shape,
                candle_core::DType::F32,
                &candle_core::Device::Cpu,
            );
            (parameter.name, tensor.unwrap())
        });
        let error = Folded::new(&graph, &tensors.collect()).unwrap_err();
        let expected = "norm: a batch norm must follow a convolution of its own";
        assert!(error.to_string().contains(expected), "{error}");
    }
}
