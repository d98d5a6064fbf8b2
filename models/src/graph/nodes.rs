//! Operations joined to a network.

use super::operation::{Activation, BatchNormConfig, Conv2dConfig, Op, SeparableConv2dConfig};
use super::parameter::Parameter;

/// Why a network cannot be put together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The network does not take such pictures or cannot have so many classes.
    #[error("{network}: expected {expected}, found {found}")]
    Size {
        /// The network's name.
        network: &'static str,
        /// Sizes that it takes.
        expected: String,
        /// Size asked for.
        found: String,
    },
    /// An operation cannot take these inputs.
    #[error("{node}: {op:?} cannot take inputs of the shapes {found:?}")]
    Inputs {
        /// The node's name.
        node: String,
        /// What it computes.
        op: Op,
        /// `[H, W, C]` of each input.
        found: Vec<[usize; 3]>,
    },
    /// A parameter is missing.
    #[error("the weights lack {0}")]
    Parameter(String),
    /// A network of integers lacks a scale, or has one that cannot be.
    #[error("{name}: {problem}; quantise the network again")]
    Quantization {
        /// The parameter or the node.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A batch norm cannot be folded.
    #[error("{0}: a batch norm must follow a convolution of its own")]
    BatchNorm(String),
}

/// An operation in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The path of its parameters, or where it stands if it has none.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The nodes whose outputs it reads, as indices of [`Graph::nodes`]; all stand before it.
    pub inputs: Vec<usize>,
    /// `[H, W, C]` of its output.
    pub shape: [usize; 3],
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

/// Nodes in the order of their computation. The logits are the outputs of those that no other one reads, one after the
/// other: of a classifier, `[1, 1, classes]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
}

impl Graph {
    /// A graph that holds only its input, `[H, W, C]`, at index 0.
    pub fn new(input: [usize; 3]) -> Self {
        let node = Node {
            name: "input".to_owned(),
            op: Op::Input,
            inputs: Vec::new(),
            shape: input,
        };
        Self { nodes: vec![node] }
    }

    /// Appends a node that reads the nodes with the indices `inputs`, and returns its index.
    ///
    /// # Errors
    ///
    /// If an input does not exist, or the operation takes another number of inputs or other shapes.
    pub fn push(&mut self, name: &str, op: Op, inputs: &[usize]) -> Result<usize, Error> {
        let shapes = inputs.iter().map_while(|&input| self.nodes.get(input));
        let shapes: Vec<_> = shapes.map(|node| node.shape).collect();
        let shape = op
            .output_shape(&shapes)
            .filter(|_| shapes.len() == inputs.len())
            .ok_or_else(|| Error::Inputs {
                node: name.to_owned(),
                op,
                found: shapes,
            })?;
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.to_vec(),
            shape,
        });
        Ok(self.nodes.len() - 1)
    }

    /// Appends a convolution.
    pub(super) fn conv(
        &mut self,
        name: &str,
        input: usize,
        config: Conv2dConfig,
    ) -> Result<usize, Error> {
        self.push(name, Op::Conv2d(config), &[input])
    }

    /// Appends a separable convolution without bias or activation.
    pub(super) fn separable(
        &mut self,
        name: &str,
        input: usize,
        channels: usize,
        stride: usize,
    ) -> Result<usize, Error> {
        let config = SeparableConv2dConfig {
            channels,
            stride,
            bias: false,
            activation: Activation::Linear,
        };
        self.push(name, Op::SeparableConv2d(config), &[input])
    }

    /// Appends a batch norm.
    pub(super) fn norm(
        &mut self,
        name: &str,
        input: usize,
        activation: Activation,
    ) -> Result<usize, Error> {
        let config = BatchNormConfig {
            activation,
            ..BatchNormConfig::default()
        };
        self.push(name, Op::BatchNorm(config), &[input])
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many inputs of `reader` are the node `index`, and of all nodes together.
    pub(crate) fn reads(&self, reader: usize, index: usize) -> (usize, usize) {
        let times = |node: &Node| node.inputs.iter().filter(|&&input| input == index).count();
        let all = self.nodes.iter().map(times).sum();
        (times(&self.nodes[reader]), all)
    }

    /// The nodes that no other one reads, whose outputs are the logits.
    pub fn outputs(&self) -> Vec<usize> {
        let is_read = |index| self.nodes.iter().any(|node| node.inputs.contains(&index));
        (0..self.nodes.len())
            .filter(|&index| !is_read(index))
            .collect()
    }

    /// `[H, W, C]` of the input.
    pub fn input_shape(&self) -> [usize; 3] {
        self.nodes[0].shape
    }

    /// All parameters, in the order of the nodes.
    pub fn parameters(&self) -> Vec<Parameter> {
        (0..self.nodes.len())
            .flat_map(|index| self.parameters_of(index))
            .collect()
    }

    /// The parameters of one node.
    pub fn parameters_of(&self, index: usize) -> Vec<Parameter> {
        let node = &self.nodes[index];
        node.op.parameters(&node.name, self.channels_in(node))
    }

    fn channels_in(&self, node: &Node) -> usize {
        let input = node.inputs.first();
        input.map_or(0, |&input| self.nodes[input].shape[2])
    }

    /// Multiplications of a weight with an activation, for one picture.
    pub fn multiply_adds(&self) -> u64 {
        (0..self.nodes.len())
            .map(|index| self.multiply_adds_of(index))
            .sum()
    }

    /// Those of one node.
    pub(crate) fn multiply_adds_of(&self, index: usize) -> u64 {
        let node = &self.nodes[index];
        let [height, width, _] = node.shape;
        (height * width * node.op.multiply_adds(self.channels_in(node))) as u64
    }

    /// The nodes in the order of their computation, for people.
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
