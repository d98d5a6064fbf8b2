//! The walk over a network's graph that writes its ONNX nodes.
//!
//! ONNX lays activations out as `[N, C, H, W]` and ours are `[N, H, W, C]`; weights are `[out, in, k, k]` in both, and
//! with one channel the inputs are the same data.

use anyhow::{Context, Result};
use emotion_models::Weights;
use emotion_models::graph::{Graph, Op};
use emotion_models::layers::{Activation, BatchNormConfig, Conv2dConfig, Padding};

use super::fold::{Kernel, Norm};
use super::proto::{self, Attribute, Tensor, ValueInfo};
use super::{INPUT, OUTPUT};

/// The nodes and constants of the network of `weights`.
pub(super) fn graph(weights: &Weights) -> Result<proto::Graph> {
    let metadata = weights.metadata();
    let graph = metadata.graph()?;
    let [height, width, channels] = graph.input_shape();
    let classes = graph.classes();
    let mut lowering = Lowering {
        graph: &graph,
        weights,
        written: proto::Graph {
            name: metadata.name.clone(),
            input: vec![ValueInfo::batch(INPUT, &[channels, height, width])],
            output: vec![ValueInfo::batch(OUTPUT, &[classes])],
            ..proto::Graph::default()
        },
        values: Vec::with_capacity(graph.nodes().len()),
    };
    for index in 0..graph.nodes().len() {
        let value = lowering.node(index)?;
        lowering.values.push(value);
    }
    let logits = lowering.values.pop().context("a network without nodes")?;
    // [N, classes, 1, 1] to [N, classes]
    let flatten = proto::Node {
        input: vec![logits],
        output: vec![OUTPUT.to_owned()],
        name: "flatten".to_owned(),
        op_type: "Flatten".to_owned(),
        attribute: vec![Attribute::int("axis", 1)],
    };
    lowering.written.node.push(flatten);
    Ok(lowering.written)
}

struct Lowering<'a> {
    graph: &'a Graph,
    weights: &'a Weights,
    written: proto::Graph,
    /// The value of each node so far.
    values: Vec<String>,
}

/// What a convolution does besides multiplying.
struct Geometry {
    kernel: usize,
    stride: usize,
    /// Top, left, bottom, right.
    pads: [i64; 4],
    groups: usize,
}

impl Lowering<'_> {
    /// Writes a node of the network and returns the name of its value.
    fn node(&mut self, index: usize) -> Result<String> {
        let node = &self.graph.nodes()[index];
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|&input| self.values[input].clone())
            .collect();
        match node.op {
            Op::Input => Ok(INPUT.to_owned()),
            Op::Conv2d(_) | Op::SeparableConv2d { .. } => match self.norm_behind(index) {
                // The norm writes both, so its input is this one's.
                Some(_) => Ok(inputs[0].clone()),
                None => self.convolution(index, &inputs[0], None),
            },
            Op::BatchNorm(config) => {
                let behind = node.inputs[0];
                let norm = self.norm(index, config)?;
                let value = if self.norm_behind(behind) == Some(index) {
                    self.convolution(behind, &inputs[0], Some(&norm))?
                } else {
                    self.batch_norm(index, &inputs[0], &norm)
                };
                Ok(self.activation(&node.name, value, config.activation))
            }
            Op::MaxPool => {
                let [height, width, _] = self.graph.nodes()[node.inputs[0]].shape;
                let attributes = vec![
                    Attribute::ints("kernel_shape", &[3, 3]),
                    Attribute::ints("strides", &[2, 2]),
                    Attribute::ints("pads", &same_padding([height, width], 3, 2)),
                ];
                Ok(self.push(&node.name, "MaxPool", inputs, attributes))
            }
            Op::Add(activation) => {
                let sum = self.push(&node.name, "Add", inputs, Vec::new());
                Ok(self.activation(&node.name, sum, activation))
            }
            Op::GlobalAverage => Ok(self.push(&node.name, "GlobalAveragePool", inputs, Vec::new())),
        }
    }

    /// The batch norm that is all that looks at the convolution `index`.
    fn norm_behind(&self, index: usize) -> Option<usize> {
        let nodes = self.graph.nodes();
        if !matches!(nodes[index].op, Op::Conv2d(_) | Op::SeparableConv2d { .. }) {
            return None;
        }
        let mut readers = (0..nodes.len()).filter(|&reader| nodes[reader].inputs.contains(&index));
        let reader = readers.next()?;
        let is_norm = matches!(nodes[reader].op, Op::BatchNorm(_));
        (is_norm && readers.next().is_none()).then_some(reader)
    }

    /// Writes the convolution `index` of `input`, with `norm` folded into it.
    fn convolution(&mut self, index: usize, input: &str, norm: Option<&Norm>) -> Result<String> {
        let node = &self.graph.nodes()[index];
        let [height, width, channels_in] = self.graph.nodes()[node.inputs[0]].shape;
        let name = |part: &str| format!("{}.{part}", node.name);
        let folded = |kernel: Kernel| norm.map_or(kernel.clone(), |norm| norm.fold_into(&kernel));
        match node.op {
            Op::Conv2d(Conv2dConfig {
                kernel,
                stride,
                padding,
                bias,
            }) => {
                let weights = folded(Kernel {
                    weight: self.parameter(&name("weight"))?,
                    bias: bias.then(|| self.parameter(&name("bias"))).transpose()?,
                });
                let geometry = Geometry {
                    kernel,
                    stride,
                    pads: match padding {
                        Padding::Valid => [0; 4],
                        Padding::Same => same_padding([height, width], kernel, stride),
                    },
                    groups: 1,
                };
                let shape = [node.shape[2], channels_in, kernel, kernel];
                Ok(self.conv(&node.name, input, &weights, shape, &geometry))
            }
            Op::SeparableConv2d { stride } => {
                let depthwise = Kernel {
                    weight: self.parameter(&name("depthwise.weight"))?,
                    bias: None,
                };
                let geometry = Geometry {
                    kernel: 3,
                    stride,
                    pads: [1; 4],
                    groups: channels_in,
                };
                let shape = [channels_in, 1, 3, 3];
                let between = self.conv(&name("depthwise"), input, &depthwise, shape, &geometry);
                let pointwise = folded(Kernel {
                    weight: self.parameter(&name("pointwise.weight"))?,
                    bias: None,
                });
                let geometry = Geometry {
                    kernel: 1,
                    stride: 1,
                    pads: [0; 4],
                    groups: 1,
                };
                let shape = [node.shape[2], channels_in, 1, 1];
                Ok(self.conv(&name("pointwise"), &between, &pointwise, shape, &geometry))
            }
            op => anyhow::bail!("{}: a {} is no convolution", node.name, op.kind()),
        }
    }

    fn conv(
        &mut self,
        name: &str,
        input: &str,
        kernel: &Kernel,
        shape: [usize; 4],
        geometry: &Geometry,
    ) -> String {
        let mut inputs = vec![
            input.to_owned(),
            self.constant(Tensor::floats(
                &format!("{name}.weight"),
                &shape,
                &kernel.weight,
            )),
        ];
        if let Some(bias) = &kernel.bias {
            let bias = Tensor::floats(&format!("{name}.bias"), &[bias.len()], bias);
            inputs.push(self.constant(bias));
        }
        let attributes = vec![
            Attribute::ints("kernel_shape", &[geometry.kernel as i64; 2]),
            Attribute::ints("strides", &[geometry.stride as i64; 2]),
            Attribute::ints("pads", &geometry.pads),
            Attribute::int("group", geometry.groups as i64),
        ];
        self.push(name, "Conv", inputs, attributes)
    }

    fn norm(&self, index: usize, config: BatchNormConfig) -> Result<Norm> {
        let node = &self.graph.nodes()[index];
        let parameter = |part: &str| self.parameter(&format!("{}.{part}", node.name));
        Ok(Norm {
            weight: parameter("weight")?,
            bias: parameter("bias")?,
            mean: parameter("running_mean")?,
            variance: parameter("running_var")?,
            eps: config.eps,
        })
    }

    /// A batch norm that stands behind something else than a convolution of its own.
    fn batch_norm(&mut self, index: usize, input: &str, norm: &Norm) -> String {
        let name = &self.graph.nodes()[index].name;
        let parts = [
            ("weight", &norm.weight),
            ("bias", &norm.bias),
            ("running_mean", &norm.mean),
            ("running_var", &norm.variance),
        ];
        let mut inputs = vec![input.to_owned()];
        for (part, values) in parts {
            let tensor = Tensor::floats(&format!("{name}.{part}"), &[values.len()], values);
            inputs.push(self.constant(tensor));
        }
        let attributes = vec![Attribute::float("epsilon", norm.eps as f32)];
        self.push(name, "BatchNormalization", inputs, attributes)
    }

    fn activation(&mut self, name: &str, value: String, activation: Activation) -> String {
        match activation {
            Activation::Linear => value,
            Activation::Relu => self.push(&format!("{name}.relu"), "Relu", vec![value], Vec::new()),
        }
    }

    /// Adds a node with one output, which has the node's name.
    fn push(
        &mut self,
        name: &str,
        op_type: &str,
        input: Vec<String>,
        attribute: Vec<Attribute>,
    ) -> String {
        self.written.node.push(proto::Node {
            input,
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: op_type.to_owned(),
            attribute,
        });
        name.to_owned()
    }

    fn constant(&mut self, tensor: Tensor) -> String {
        let name = tensor.name.clone();
        self.written.initializer.push(tensor);
        name
    }

    fn parameter(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.weights.tensors().get(name);
        let tensor = tensor.with_context(|| format!("the weights lack {name}"))?;
        Ok(tensor.flatten_all()?.to_vec1()?)
    }
}

/// Padding at the top, left, bottom and right of `[H, W]` pixels as TensorFlow's "same" places it: an odd pixel stands
/// behind.
fn same_padding(size: [usize; 2], kernel: usize, stride: usize) -> [i64; 4] {
    let [vertical, horizontal] = size.map(|size| {
        let covered = stride * (size.div_ceil(stride) - 1) + kernel;
        covered.saturating_sub(size) as i64
    });
    let (top, left) = (vertical / 2, horizontal / 2);
    [top, left, vertical - top, horizontal - left]
}
