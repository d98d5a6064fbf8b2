//! Residual networks of separable convolutions: the stronger networks.
//!
//! | part | [`MEDIUM`], 0.5 million parameters | [`LARGE`], 2.5 million |
//! |---|---|---|
//! | conv 3×3, batch norm, ReLU | 48×48×16 | 48×48×32 |
//! | separable 3×3 stride 2, batch norm, ReLU | 24×24×48 | 24×24×96 |
//! | first stage | 2 blocks, 24×24×48 | 3 blocks, 24×24×96 |
//! | second stage, its first block with stride 2 | 3 blocks, 12×12×128 | 4 blocks, 12×12×256 |
//! | third stage, its first block with stride 2 | 3 blocks, 6×6×256 | 3 blocks, 6×6×512 |
//! | global average, a 1×1 conv with bias for each head | 7 | 7 |
//!
//! The shapes are those for faces of 48×48 pixels.
//!
//! A block is that of ResNet (He et al. 2016) with separable convolutions (Chollet 2017) in place of dense ones:
//! two of them, each with batch norm, the input added, ReLU. Where the shape changes, the input passes a 1×1
//! convolution with stride 2 and a batch norm. In [`LARGE`], squeeze-and-excite (Hu, Shen and Sun 2018) scales the channels
//! before the addition.

use super::nodes::{Error, Graph};
use super::operation::{Activation, Conv2dConfig, Op, Padding};

/// Channels of a squeeze-and-excite's input for each channel inside.
const SQUEEZE: usize = 8;

/// The sizes of a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResidualXception {
    /// Channels of the convolution in front.
    stem: usize,
    /// Channels and number of blocks of each stage; each halves the width and the height of the one before.
    stages: [(usize, usize); 3],
    /// Whether blocks have a squeeze-and-excite.
    has_squeeze: bool,
}

/// `residual_xception`.
pub(crate) const MEDIUM: ResidualXception = ResidualXception {
    stem: 16,
    stages: [(48, 2), (128, 3), (256, 3)],
    has_squeeze: false,
};

/// `residual_xception_large`.
pub(crate) const LARGE: ResidualXception = ResidualXception {
    stem: 32,
    stages: [(96, 3), (256, 4), (512, 3)],
    has_squeeze: true,
};

impl ResidualXception {
    /// The network for grey faces of `input_size`² pixels, with the name and the number of outputs of each head.
    pub(crate) fn graph(&self, input_size: usize, heads: &[(&str, usize)]) -> Result<Graph, Error> {
        let mut graph = Graph::new([input_size, input_size, 1]);
        let stem = Conv2dConfig {
            padding: Padding::Same,
            ..Conv2dConfig::new(self.stem)
        };
        let xs = graph.conv("stem.conv", 0, stem)?;
        let xs = graph.norm("stem.norm", xs, Activation::Relu)?;
        let xs = graph.separable("reduce.separable", xs, self.stages[0].0, 2)?;
        let mut xs = graph.norm("reduce.norm", xs, Activation::Relu)?;
        for (i, (channels, blocks)) in self.stages.into_iter().enumerate() {
            for j in 0..blocks {
                let stride = if i > 0 && j == 0 { 2 } else { 1 };
                let path = format!("stages.{i}.{j}");
                xs = self.block(&mut graph, &path, xs, channels, stride)?;
            }
        }
        let xs = graph.push("average", Op::GlobalAverage, &[xs])?;
        for &(name, outputs) in heads {
            graph.conv(name, xs, Conv2dConfig::pointwise(outputs))?;
        }
        Ok(graph)
    }

    fn block(
        &self,
        graph: &mut Graph,
        path: &str,
        xs: usize,
        channels: usize,
        stride: usize,
    ) -> Result<usize, Error> {
        let name = |part: &str| format!("{path}.{part}");
        let ys = graph.separable(&name("separable1"), xs, channels, stride)?;
        let ys = graph.norm(&name("norm1"), ys, Activation::Relu)?;
        let ys = graph.separable(&name("separable2"), ys, channels, 1)?;
        let mut ys = graph.norm(&name("norm2"), ys, Activation::Linear)?;
        if self.has_squeeze {
            ys = squeeze(graph, &name("squeeze"), ys, channels)?;
        }
        let shortcut = if stride == 1 {
            xs
        } else {
            let projection = Conv2dConfig::projection(channels);
            let xs = graph.conv(&name("residual.conv"), xs, projection)?;
            graph.norm(&name("residual.norm"), xs, Activation::Linear)?
        };
        graph.push(&name("add"), Op::Add(Activation::Relu), &[ys, shortcut])
    }
}

/// Scales each channel by a number from 0 to 1 that two 1×1 convolutions find from the means of all channels.
fn squeeze(graph: &mut Graph, path: &str, xs: usize, channels: usize) -> Result<usize, Error> {
    let name = |part: &str| format!("{path}.{part}");
    let means = graph.push(&name("average"), Op::GlobalAverage, &[xs])?;
    let reduce = Conv2dConfig {
        activation: Activation::Relu,
        ..Conv2dConfig::pointwise(channels / SQUEEZE)
    };
    let inside = graph.conv(&name("reduce"), means, reduce)?;
    let expand = Conv2dConfig::pointwise(channels);
    let factors = graph.conv(&name("expand"), inside, expand)?;
    let factors = graph.push(&name("sigmoid"), Op::Sigmoid, &[factors])?;
    graph.push(&name("scale"), Op::ScaleChannels, &[xs, factors])
}
