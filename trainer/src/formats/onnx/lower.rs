//! Lowers a folded network to ONNX nodes.
//!
//! The layout of activations is `[N, C, H, W]` in ONNX and `[N, H, W, C]` here; inputs with one channel are equal in both.
//! Weights are `[out, in, k, k]` in both.

use emotion_models::Metadata;
use emotion_models::graph::{Activation, FoldedNetwork, Node, Op, Quantization};
use emotion_models::weights::{Head, Task};

use super::proto::{self, AttributeProto, TensorProto, ValueInfoProto};

/// Name of the model's input.
pub const fn input(task: Task) -> &'static str {
    match task {
        Task::Classification => "faces",
        Task::Detection => "picture",
    }
}

/// Names of the model's outputs, one for each head.
pub fn outputs(metadata: &Metadata) -> Vec<&'static str> {
    let task = metadata.architecture.task();
    let of_head = |head: &Head| match head {
        Head::Labels => "logits",
        Head::People => "people_logits",
        Head::Cover => "cover_logit",
        Head::Turned => "turned_logit",
        Head::Landmarks => "landmarks",
    };
    let names = metadata.heads.iter().map(|head| match (task, head) {
        (Task::Detection, Head::Labels) => "places",
        _ => of_head(head),
    });
    names.collect()
}

/// The nodes and constants of the network of weights with this metadata, with its integers or in floats.
pub(super) fn graph(
    metadata: &Metadata,
    network: &FoldedNetwork,
    quantization: Option<&Quantization>,
) -> proto::GraphProto {
    let task = metadata.architecture.task();
    let names = outputs(metadata);
    let graph = network.graph();
    let [height, width, channels] = graph.input_shape();
    let lengths = graph.outputs().into_iter();
    let lengths: Vec<usize> = lengths
        .map(|index| graph.nodes()[index].shape.iter().product())
        .collect();
    // The maps of a detector's head are one output.
    let maps = lengths.len() / names.len();
    let lengths: Vec<usize> = lengths
        .chunks_exact(maps)
        .map(|lengths| lengths.iter().sum())
        .collect();
    let mut lowering = Lowering {
        network,
        quantization,
        input: input(task),
        written: proto::GraphProto {
            name: metadata.name.clone(),
            input: vec![ValueInfoProto::batch(
                input(task),
                &[channels, height, width],
            )],
            output: names
                .iter()
                .zip(lengths)
                .map(|(name, length)| ValueInfoProto::batch(name, &[length]))
                .collect(),
            ..proto::GraphProto::default()
        },
        values: Vec::with_capacity(graph.nodes().len()),
    };
    for node in graph.nodes() {
        let value = lowering.node(node);
        lowering.values.push(value);
    }
    lowering.end(&names);
    lowering.written
}

pub(super) struct Lowering<'a> {
    network: &'a FoldedNetwork,
    /// None: floats are written.
    pub(super) quantization: Option<&'a Quantization>,
    /// Name of the input.
    input: &'static str,
    written: proto::GraphProto,
    /// The value of each node so far.
    values: Vec<String>,
}

/// A convolution and its weights.
struct Conv<'a> {
    weight: &'a [f32],
    /// The name of the weights among the network's parameters.
    parameter: String,
    /// The activation that it reads, as the network's integers name it.
    reads: String,
    /// `[out, in of a group, kernel, kernel]`.
    shape: [usize; 4],
    /// `[out]`; empty without biases.
    bias: &'a [f32],
    stride: usize,
    /// Zeros on each side.
    border: usize,
    groups: usize,
}

impl Lowering<'_> {
    /// Writes a node of the network and returns the name of its value.
    fn node(&mut self, node: &Node) -> String {
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|&input| self.values[input].clone())
            .collect();
        let name = &node.name;
        let before = node
            .inputs
            .first()
            .map(|&input| self.network.graph().nodes()[input].shape);
        let [height, width, channels_in] = before.unwrap_or_default();
        let weights = |parameter| self.network.values(node, parameter);
        let first = node.inputs.first();
        let reads = first.map_or("", |&input| &self.network.graph().nodes()[input].name);
        let reads = reads.to_owned();
        let value = match node.op {
            // A folded network has no batch norms.
            Op::Input | Op::BatchNorm(_) => self.input.to_owned(),
            Op::Conv2d(config) => {
                let conv = Conv {
                    weight: weights("weight"),
                    parameter: format!("{name}.weight"),
                    reads,
                    shape: [config.channels, channels_in, config.kernel, config.kernel],
                    bias: weights("bias"),
                    stride: config.stride,
                    border: config.border(),
                    groups: 1,
                };
                self.conv(name, &inputs[0], &conv)
            }
            Op::SeparableConv2d(config) => {
                let depthwise = Conv {
                    weight: weights("depthwise.weight"),
                    parameter: format!("{name}.depthwise.weight"),
                    reads,
                    shape: [channels_in, 1, 3, 3],
                    bias: &[],
                    stride: config.stride,
                    border: 1,
                    groups: channels_in,
                };
                let pointwise = Conv {
                    weight: weights("pointwise.weight"),
                    parameter: format!("{name}.pointwise.weight"),
                    reads: Quantization::between(node),
                    shape: [config.channels, channels_in, 1, 1],
                    bias: weights("pointwise.bias"),
                    stride: 1,
                    border: 0,
                    groups: 1,
                };
                let between = self.conv(&format!("{name}.depthwise"), &inputs[0], &depthwise);
                let between = self.stored(&Quantization::between(node), between);
                self.conv(&format!("{name}.pointwise"), &between, &pointwise)
            }
            Op::MaxPool => {
                let attributes = vec![
                    AttributeProto::ints("kernel_shape", &[3, 3]),
                    AttributeProto::ints("strides", &[2, 2]),
                    AttributeProto::ints("pads", &same_padding([height, width], 3, 2)),
                ];
                self.push(name, "MaxPool", inputs, attributes)
            }
            Op::Add(_) => self.push(name, "Add", inputs, Vec::new()),
            Op::Upsample => {
                // Resize takes the nearest pixel by default.
                let scales = format!("{name}.scales");
                let scales = TensorProto::floats(&scales, &[4], &[1.0, 1.0, 2.0, 2.0]);
                let region = String::new();
                let inputs = vec![inputs[0].clone(), region, self.constant(scales)];
                self.push(name, "Resize", inputs, Vec::new())
            }
            Op::GlobalAverage => self.push(name, "GlobalAveragePool", inputs, Vec::new()),
            Op::Sigmoid => self.push(name, "Sigmoid", inputs, Vec::new()),
            // The factors, [N, C, 1, 1], are broadcast.
            Op::ScaleChannels => self.push(name, "Mul", inputs, Vec::new()),
        };
        let value = match node.op.activation() {
            Activation::Linear => value,
            Activation::Relu => self.push(&format!("{name}.relu"), "Relu", vec![value], Vec::new()),
        };
        self.stored(name, value)
    }

    /// Makes a row of each output, `[N, values]` in our order, or one row of all if there is only one name.
    fn end(&mut self, names: &[&str]) {
        let axis = || vec![AttributeProto::int("axis", 1)];
        let mut rows = Vec::new();
        let outputs = self.network.graph().outputs();
        for &index in &outputs {
            let Node { name, shape, .. } = &self.network.graph().nodes()[index];
            let mut value = self.values[index].clone();
            if shape[..2] != [1, 1] {
                let last = vec![AttributeProto::ints("perm", &[0, 2, 3, 1])];
                value = self.push(&format!("{name}.last"), "Transpose", vec![value], last);
            }
            let row = match names.get(rows.len()) {
                Some(output) if names.len() == outputs.len() => (*output).to_owned(),
                _ => format!("{name}.row"),
            };
            rows.push(self.push(&row, "Flatten", vec![value], axis()));
        }
        if names.len() == outputs.len() {
            return;
        }
        for (name, rows) in names
            .iter()
            .zip(rows.chunks_exact(outputs.len() / names.len()))
        {
            self.push(name, "Concat", rows.to_vec(), axis());
        }
    }

    fn conv(&mut self, name: &str, input: &str, conv: &Conv<'_>) -> String {
        let [.., kernel] = conv.shape;
        let mut inputs = vec![input.to_owned()];
        let integers = self.integers(name, &conv.parameter, &conv.reads, conv.shape, conv.bias);
        inputs.extend(integers.unwrap_or_else(|| self.floats(name, conv)));
        let attributes = vec![
            AttributeProto::ints("kernel_shape", &[kernel as i64; 2]),
            AttributeProto::ints("strides", &[conv.stride as i64; 2]),
            AttributeProto::ints("pads", &[conv.border as i64; 4]),
            AttributeProto::int("group", conv.groups as i64),
        ];
        self.push(name, "Conv", inputs, attributes)
    }

    /// The weights and the biases of a convolution, if it has some.
    fn floats(&mut self, name: &str, conv: &Conv<'_>) -> Vec<String> {
        let weight = TensorProto::floats(&format!("{name}.weight"), &conv.shape, conv.weight);
        let mut inputs = vec![self.constant(weight)];
        if !conv.bias.is_empty() {
            let shape = [conv.bias.len()];
            let bias = TensorProto::floats(&format!("{name}.bias"), &shape, conv.bias);
            inputs.push(self.constant(bias));
        }
        inputs
    }

    /// Adds a node with one output, which has the node's name.
    pub(super) fn push(
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

    pub(super) fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.written.initializer.push(tensor);
        name
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
