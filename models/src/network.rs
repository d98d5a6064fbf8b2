//! A network on Candle, layer by layer: the reference that everything faster is compared with.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::graph::{Graph, Op};
use crate::layers::{Activation, BatchNorm, Conv2d, SeparableConv2d, max_pool_3x3_stride_2};

/// A [`Graph`] with parameters.
#[derive(Debug, Clone)]
pub struct Network {
    graph: Graph,
    layers: Vec<Layer>,
}

/// What a node computes, with the parameters that it needs.
#[derive(Debug, Clone)]
enum Layer {
    Input,
    Conv2d(Conv2d),
    SeparableConv2d(SeparableConv2d),
    BatchNorm(BatchNorm),
    MaxPool,
    Add(Activation),
    Upsample,
    GlobalAverage,
}

impl Network {
    /// The network with parameters from `vb`.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape.
    pub fn new(graph: Graph, vb: VarBuilder<'_>) -> Result<Self> {
        let nodes = graph.nodes();
        let mut layers = Vec::with_capacity(nodes.len());
        for node in nodes {
            let vb = vb.pp(&node.name);
            let channels_in = node
                .inputs
                .first()
                .map_or(0, |&input| nodes[input].shape[2]);
            let channels = node.shape[2];
            layers.push(match node.op {
                Op::Input => Layer::Input,
                Op::Conv2d(config) => {
                    Layer::Conv2d(Conv2d::new(channels_in, channels, config, vb)?)
                }
                Op::SeparableConv2d { stride } => {
                    Layer::SeparableConv2d(SeparableConv2d::new(channels_in, channels, stride, vb)?)
                }
                Op::BatchNorm(config) => Layer::BatchNorm(BatchNorm::new(channels, config, vb)?),
                Op::MaxPool => Layer::MaxPool,
                Op::Add(activation) => Layer::Add(activation),
                Op::Upsample => Layer::Upsample,
                Op::GlobalAverage => Layer::GlobalAverage,
            });
        }
        Ok(Self { graph, layers })
    }

    /// The layers and how they are joined.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The logits `[N, classes]` of pictures `[N, H, W, 1]` in [-1, 1]. With `train` the batch norms use the batch's
    /// statistics and gradients can be taken.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this.
    pub fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.layers.len());
        for (layer, node) in self.layers.iter().zip(self.graph.nodes()) {
            let input = |i: usize| &outputs[node.inputs[i]];
            outputs.push(match layer {
                Layer::Input => xs.clone(),
                Layer::Conv2d(conv) => conv.forward(input(0))?,
                Layer::SeparableConv2d(conv) => conv.forward(input(0))?,
                Layer::BatchNorm(norm) => norm.forward(input(0), train)?,
                Layer::MaxPool => max_pool_3x3_stride_2(input(0))?,
                Layer::Add(activation) => activation.apply(&(input(0) + input(1))?)?,
                Layer::Upsample => upsample(input(0))?,
                Layer::GlobalAverage => input(0).mean_keepdim((1, 2))?,
            });
        }
        let logits = self.graph.outputs().into_iter();
        let logits = logits.map(|index| outputs[index].flatten_from(1));
        Tensor::cat(&logits.collect::<Result<Vec<_>>>()?, 1)
    }
}

/// Each pixel of `[N, H, W, C]` four times.
fn upsample(xs: &Tensor) -> Result<Tensor> {
    let (samples, height, width, channels) = xs.dims4()?;
    xs.reshape((samples, height, 1, width, 1, channels))?
        .broadcast_as((samples, height, 2, width, 2, channels))?
        .reshape((samples, 2 * height, 2 * width, channels))
}
