//! Lowers a folded network to ONNX nodes.
//!
//! The layout of activations is `[N, C, H, W]` in ONNX and `[N, H, W, C]` here; inputs with one channel are equal in both.
//! Weights are `[out, in, k, k]` in both.

use anyhow::Result;
use emotion_models::Weights;
use emotion_models::graph::folding::{Folded, FoldedNode, FoldedOp, Kernel};
use emotion_models::layers::{Activation, Padding};
use emotion_models::weights::Task;

use super::proto::{self, AttributeProto, TensorProto, ValueInfoProto};

/// Name of the model's input.
pub const fn input(task: Task) -> &'static str {
    match task {
        Task::Classification => "faces",
        Task::Detection => "picture",
    }
}

/// Name of the model's output.
pub const fn output(task: Task) -> &'static str {
    match task {
        Task::Classification => "logits",
        Task::Detection => "places",
    }
}

/// The nodes and constants of the network of `weights`.
pub(super) fn graph(weights: &Weights) -> Result<proto::GraphProto> {
    let metadata = weights.metadata();
    let task = metadata.architecture.task();
    let folded = weights.folded()?;
    let [height, width, channels] = folded.nodes()[0].shape;
    let mut lowering = Lowering {
        folded: &folded,
        input: input(task),
        output: output(task),
        written: proto::GraphProto {
            name: metadata.name.clone(),
            input: vec![ValueInfoProto::batch(
                input(task),
                &[channels, height, width],
            )],
            output: vec![ValueInfoProto::batch(output(task), &[logits(&folded)])],
            ..proto::GraphProto::default()
        },
        values: Vec::with_capacity(folded.nodes().len()),
    };
    for node in folded.nodes() {
        let value = lowering.node(node);
        lowering.values.push(value);
    }
    lowering.end();
    Ok(lowering.written)
}

/// The number of outputs for one image.
fn logits(folded: &Folded) -> usize {
    let lengths = folded.outputs().into_iter();
    let lengths = lengths.map(|index| folded.nodes()[index].shape.iter().product::<usize>());
    lengths.sum()
}

struct Lowering<'a> {
    folded: &'a Folded,
    /// Names of the input and the output.
    input: &'static str,
    output: &'static str,
    written: proto::GraphProto,
    /// The value of each node so far.
    values: Vec<String>,
}

/// The geometry of a convolution.
struct Geometry {
    kernel: usize,
    stride: usize,
    /// Top, left, bottom, right.
    pads: [i64; 4],
    groups: usize,
}

impl Lowering<'_> {
    /// Writes a node of the network and returns the name of its value.
    fn node(&mut self, node: &FoldedNode) -> String {
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|&input| self.values[input].clone())
            .collect();
        let before = node
            .inputs
            .first()
            .map(|&input| &self.folded.nodes()[input]);
        let [height, width, channels_in] = before.map_or([0; 3], |node| node.shape);
        let channels = node.shape[2];
        match &node.op {
            FoldedOp::Input => self.input.to_owned(),
            &FoldedOp::Conv2d {
                kernel,
                stride,
                padding,
                ref weights,
                activation,
            } => {
                let geometry = Geometry {
                    kernel,
                    stride,
                    pads: match padding {
                        Padding::Valid => [0; 4],
                        Padding::Same => [(kernel / 2) as i64; 4],
                    },
                    groups: 1,
                };
                let shape = [channels, channels_in, kernel, kernel];
                let value = self.conv(&node.name, &inputs[0], weights, shape, &geometry);
                self.activation(&node.name, value, activation)
            }
            FoldedOp::SeparableConv2d {
                stride,
                depthwise,
                pointwise,
                activation,
            } => {
                let name = |part: &str| format!("{}.{part}", node.name);
                let depthwise = Kernel {
                    weight: depthwise.clone(),
                    bias: Vec::new(),
                };
                let geometry = Geometry {
                    kernel: 3,
                    stride: *stride,
                    pads: [1; 4],
                    groups: channels_in,
                };
                let shape = [channels_in, 1, 3, 3];
                let between =
                    self.conv(&name("depthwise"), &inputs[0], &depthwise, shape, &geometry);
                let geometry = Geometry {
                    kernel: 1,
                    stride: 1,
                    pads: [0; 4],
                    groups: 1,
                };
                let shape = [channels, channels_in, 1, 1];
                let value = self.conv(&name("pointwise"), &between, pointwise, shape, &geometry);
                self.activation(&node.name, value, *activation)
            }
            FoldedOp::MaxPool => {
                let attributes = vec![
                    AttributeProto::ints("kernel_shape", &[3, 3]),
                    AttributeProto::ints("strides", &[2, 2]),
                    AttributeProto::ints("pads", &same_padding([height, width], 3, 2)),
                ];
                self.push(&node.name, "MaxPool", inputs, attributes)
            }
            FoldedOp::Add(activation) => {
                let sum = self.push(&node.name, "Add", inputs, Vec::new());
                self.activation(&node.name, sum, *activation)
            }
            FoldedOp::Upsample => {
                // Resize uses the nearest pixel by default.
                let scales = format!("{}.scales", node.name);
                let scales = TensorProto::floats(&scales, &[4], &[1.0, 1.0, 2.0, 2.0]);
                let region = String::new();
                let inputs = vec![inputs[0].clone(), region, self.constant(scales)];
                self.push(&node.name, "Resize", inputs, Vec::new())
            }
            FoldedOp::GlobalAverage => {
                self.push(&node.name, "GlobalAveragePool", inputs, Vec::new())
            }
        }
    }

    /// Concatenates the outputs as `[N, logits]` in our layout.
    fn end(&mut self) {
        let axis = || vec![AttributeProto::int("axis", 1)];
        let mut rows = Vec::new();
        for index in self.folded.outputs() {
            let FoldedNode { name, shape, .. } = &self.folded.nodes()[index];
            let mut value = self.values[index].clone();
            if shape[..2] != [1, 1] {
                let last = vec![AttributeProto::ints("perm", &[0, 2, 3, 1])];
                value = self.push(&format!("{name}.last"), "Transpose", vec![value], last);
            }
            rows.push(self.push(&format!("{name}.row"), "Flatten", vec![value], axis()));
        }
        if let Some(last) = self.written.node.last_mut().filter(|_| rows.len() == 1) {
            last.output = vec![self.output.to_owned()];
        } else {
            self.push(self.output, "Concat", rows, axis());
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
            self.constant(TensorProto::floats(
                &format!("{name}.weight"),
                &shape,
                &kernel.weight,
            )),
        ];
        if !kernel.bias.is_empty() {
            let shape = [kernel.bias.len()];
            let bias = TensorProto::floats(&format!("{name}.bias"), &shape, &kernel.bias);
            inputs.push(self.constant(bias));
        }
        let attributes = vec![
            AttributeProto::ints("kernel_shape", &[geometry.kernel as i64; 2]),
            AttributeProto::ints("strides", &[geometry.stride as i64; 2]),
            AttributeProto::ints("pads", &geometry.pads),
            AttributeProto::int("group", geometry.groups as i64),
        ];
        self.push(name, "Conv", inputs, attributes)
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
        attribute: Vec<AttributeProto>,
    ) -> String {
        self.written.node.push(proto::NodeProto {
            input,
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: op_type.to_owned(),
            attribute,
        });
        name.to_owned()
    }

    fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.written.initializer.push(tensor);
        name
    }
}

/// Padding at the top, left, bottom and right of `[H, W]` pixels like TensorFlow's "same": an odd pixel is added at the end.
fn same_padding(size: [usize; 2], kernel: usize, stride: usize) -> [i64; 4] {
    let [vertical, horizontal] = size.map(|size| {
        let covered = stride * (size.div_ceil(stride) - 1) + kernel;
        covered.saturating_sub(size) as i64
    });
    let (top, left) = (vertical / 2, horizontal / 2);
    [top, left, vertical - top, horizontal - left]
}
