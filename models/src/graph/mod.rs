//! A network as data: its layers, how they are joined, and the parameters that they need.
//!
//! Everything that runs or describes a network reads the same [`Graph`]: the [reference](crate::network) on Candle, the
//! export to other formats, the summary for people.

pub mod face_net;
pub mod folding;
pub(crate) mod mini_xception;
pub(crate) mod residual_xception;

use candle_nn::Init;

use crate::layers::{Activation, BatchNormConfig, Conv2dConfig, glorot_uniform};

/// What a node computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Nothing: the picture, `[H, W, 1]` in [-1, 1].
    Input,
    /// A dense convolution. Parameters: `weight` `[out, in, kernel, kernel]` and perhaps `bias` `[out]`.
    Conv2d(Conv2dConfig),
    /// A 3×3 convolution of each channel by itself, padded by one zero on every side, then a 1×1 convolution across
    /// channels. Parameters: `depthwise.weight` `[in, 1, 3, 3]`, `pointwise.weight` `[out, in, 1, 1]`.
    SeparableConv2d {
        /// Step between outputs: 1 or 2.
        stride: usize,
    },
    /// Batch normalisation and what follows it. Parameters, each `[C]`: `weight`, `bias`, `running_mean`,
    /// `running_var`.
    BatchNorm(BatchNormConfig),
    /// The largest value in windows of 3×3 with stride 2, padded as TensorFlow's "same".
    MaxPool,
    /// The sum of two inputs and what follows it.
    Add(Activation),
    /// Each pixel four times, for twice the width and height.
    Upsample,
    /// The mean over height and width, `[1, 1, C]`.
    GlobalAverage,
}

impl Op {
    /// The name of its kind, as Keras' summaries have it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Conv2d(_) => "Conv2d",
            Self::SeparableConv2d { .. } => "SeparableConv2d",
            Self::BatchNorm(_) => "BatchNorm",
            Self::MaxPool => "MaxPooling",
            Self::Add(_) => "Add",
            Self::Upsample => "UpSampling",
            Self::GlobalAverage => "GlobalAveragePooling",
        }
    }
}

/// A layer in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The path of its parameters, or where it stands if it has none.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The nodes that it computes it from, as indices of [`Graph::nodes`]; all stand before it.
    pub inputs: Vec<usize>,
    /// `[H, W, C]` of its output.
    pub shape: [usize; 3],
}

/// A tensor that a network needs.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its path, such as `modules.3.separable2.depthwise.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it holds before training.
    pub init: Init,
    /// Whether training moves it by its gradient; running statistics follow the data instead.
    pub trained: bool,
}

impl Parameter {
    /// The number of its values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no values, which none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The nodes that no other one reads, of all nodes' inputs.
pub(crate) fn unread<'a>(inputs: impl ExactSizeIterator<Item = &'a [usize]> + Clone) -> Vec<usize> {
    let is_read = |index: &usize| inputs.clone().any(|inputs| inputs.contains(index));
    (0..inputs.len()).filter(|index| !is_read(index)).collect()
}

/// A row of [`Graph::layers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// The path of its parameters, or where it stands if it has none.
    pub name: String,
    /// What it computes.
    pub kind: &'static str,
    /// `[H, W, C]`, or `[C]`.
    pub output_shape: Vec<usize>,
    /// All parameters.
    pub parameters: usize,
    /// Those that training moves.
    pub trainable: usize,
    /// Multiplications of a weight with an activation, for one picture.
    pub multiply_adds: u64,
}

/// Nodes in the order of their work. The outputs of those that no other one reads, one after the other, are the logits:
/// of a classifier, `[1, 1, classes]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph that holds its input alone, `[H, W, C]`; the input has the index 0.
    pub(crate) fn new(input: [usize; 3]) -> Self {
        let node = Node {
            name: "input".to_owned(),
            op: Op::Input,
            inputs: Vec::new(),
            shape: input,
        };
        Self { nodes: vec![node] }
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[usize], shape: [usize; 3]) -> usize {
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.to_vec(),
            shape,
        });
        self.nodes.len() - 1
    }

    /// Appends a convolution of `input` to `channels` and returns its index.
    pub(crate) fn conv(
        &mut self,
        name: &str,
        input: usize,
        channels: usize,
        config: Conv2dConfig,
    ) -> usize {
        let [height, width, _] = self.nodes[input].shape;
        let [height, width] = [height, width].map(|size| config.output_size(size));
        let shape = [height, width, channels];
        self.push(name, Op::Conv2d(config), &[input], shape)
    }

    /// Appends a separable convolution of `input` to `channels`.
    pub(crate) fn separable(
        &mut self,
        name: &str,
        input: usize,
        channels: usize,
        stride: usize,
    ) -> usize {
        let [height, width, _] = self.nodes[input].shape;
        let shape = [height.div_ceil(stride), width.div_ceil(stride), channels];
        self.push(name, Op::SeparableConv2d { stride }, &[input], shape)
    }

    /// Appends a batch norm of `input`.
    pub(crate) fn norm(&mut self, name: &str, input: usize, activation: Activation) -> usize {
        let config = BatchNormConfig {
            activation,
            ..BatchNormConfig::default()
        };
        let shape = self.nodes[input].shape;
        self.push(name, Op::BatchNorm(config), &[input], shape)
    }

    /// Appends a max-pooling of `input`.
    pub(crate) fn max_pool(&mut self, name: &str, input: usize) -> usize {
        let [height, width, channels] = self.nodes[input].shape;
        let shape = [height.div_ceil(2), width.div_ceil(2), channels];
        self.push(name, Op::MaxPool, &[input], shape)
    }

    /// Appends the sum of two nodes of one shape.
    pub(crate) fn add(&mut self, name: &str, inputs: [usize; 2], activation: Activation) -> usize {
        let shape = self.nodes[inputs[0]].shape;
        debug_assert_eq!(shape, self.nodes[inputs[1]].shape, "{name}");
        self.push(name, Op::Add(activation), &inputs, shape)
    }

    /// Appends `input` at twice its size.
    pub(crate) fn upsample(&mut self, name: &str, input: usize) -> usize {
        let [height, width, channels] = self.nodes[input].shape;
        let shape = [2 * height, 2 * width, channels];
        self.push(name, Op::Upsample, &[input], shape)
    }

    /// Appends the mean of `input` over its pixels.
    pub(crate) fn average(&mut self, name: &str, input: usize) -> usize {
        let shape = [1, 1, self.nodes[input].shape[2]];
        self.push(name, Op::GlobalAverage, &[input], shape)
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether `reader` and no other node reads `index`.
    pub(crate) fn is_read_only_by(&self, index: usize, reader: usize) -> bool {
        self.nodes
            .iter()
            .enumerate()
            .all(|(other, node)| node.inputs.contains(&index) == (other == reader))
    }

    /// The nodes that no other one reads, whose outputs are the logits.
    pub fn outputs(&self) -> Vec<usize> {
        unread(self.nodes.iter().map(|node| &node.inputs[..]))
    }

    /// `[H, W, C]` of the input.
    pub fn input_shape(&self) -> [usize; 3] {
        self.nodes[0].shape
    }

    /// The number of logits.
    pub fn classes(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.shape[2])
    }

    /// Everything that it needs, in the order of the nodes.
    pub fn parameters(&self) -> Vec<Parameter> {
        (0..self.nodes.len())
            .flat_map(|index| self.parameters_of(index))
            .collect()
    }

    /// The parameters of one node.
    pub fn parameters_of(&self, index: usize) -> Vec<Parameter> {
        let node = &self.nodes[index];
        let parameter = |name: &str, shape: &[usize], init, trained| Parameter {
            name: format!("{}.{name}", node.name),
            shape: shape.to_vec(),
            init,
            trained,
        };
        let channels = node.shape[2];
        match node.op {
            Op::Input | Op::MaxPool | Op::Add(_) | Op::Upsample | Op::GlobalAverage => Vec::new(),
            Op::Conv2d(Conv2dConfig { kernel, bias, .. }) => {
                let channels_in = self.nodes[node.inputs[0]].shape[2];
                let area = kernel * kernel;
                let init = glorot_uniform(channels_in * area, channels * area);
                let weight = parameter(
                    "weight",
                    &[channels, channels_in, kernel, kernel],
                    init,
                    true,
                );
                let bias = bias.then(|| parameter("bias", &[channels], Init::Const(0.0), true));
                [weight].into_iter().chain(bias).collect()
            }
            Op::SeparableConv2d { .. } => {
                let channels_in = self.nodes[node.inputs[0]].shape[2];
                // The fans of a depthwise kernel as Keras counts them: [3, 3, in, 1].
                let depthwise = glorot_uniform(9 * channels_in, 9);
                let pointwise = glorot_uniform(channels_in, channels);
                vec![
                    parameter("depthwise.weight", &[channels_in, 1, 3, 3], depthwise, true),
                    parameter(
                        "pointwise.weight",
                        &[channels, channels_in, 1, 1],
                        pointwise,
                        true,
                    ),
                ]
            }
            Op::BatchNorm(_) => [
                ("weight", 1.0, true),
                ("bias", 0.0, true),
                ("running_mean", 0.0, false),
                ("running_var", 1.0, false),
            ]
            .map(|(name, value, trained)| parameter(name, &[channels], Init::Const(value), trained))
            .into(),
        }
    }

    /// Multiplications of a weight with an activation, for one picture.
    pub fn multiply_adds(&self) -> u64 {
        (0..self.nodes.len())
            .map(|index| self.multiply_adds_of(index))
            .sum()
    }

    fn multiply_adds_of(&self, index: usize) -> u64 {
        let node = &self.nodes[index];
        let [height, width, channels] = node.shape;
        let per_pixel = match node.op {
            Op::Conv2d(Conv2dConfig { kernel, .. }) => {
                kernel * kernel * self.nodes[node.inputs[0]].shape[2] * channels
            }
            Op::SeparableConv2d { .. } => (9 + channels) * self.nodes[node.inputs[0]].shape[2],
            _ => 0,
        };
        (height * width * per_pixel) as u64
    }

    /// The layers in the order of their work, for people.
    pub fn layers(&self) -> Vec<LayerSummary> {
        let row = |(index, node): (usize, &Node)| {
            let parameters = self.parameters_of(index);
            let trained = parameters.iter().filter(|parameter| parameter.trained);
            LayerSummary {
                name: node.name.clone(),
                kind: node.op.kind(),
                output_shape: match node.op {
                    Op::GlobalAverage => vec![node.shape[2]],
                    _ => node.shape.to_vec(),
                },
                trainable: trained.map(Parameter::len).sum(),
                parameters: parameters.iter().map(Parameter::len).sum(),
                multiply_adds: self.multiply_adds_of(index),
            }
        };
        self.nodes.iter().enumerate().map(row).collect()
    }
}
