//! A residual network of separable convolutions: the stronger network, 0.5 million parameters.
//!
//! | part | output for 48×48 |
//! |---|---|
//! | conv 3×3, batch norm, ReLU | 48×48×16 |
//! | separable 3×3 stride 2, batch norm, ReLU | 24×24×48 |
//! | 2 blocks | 24×24×48 |
//! | 3 blocks, the first with stride 2 | 12×12×128 |
//! | 3 blocks, the first with stride 2 | 6×6×256 |
//! | global average, 1×1 conv with bias | 7 |
//!
//! A block is that of ResNet (He et al. 2016) with separable convolutions (Chollet 2017) in place of dense ones:
//! two of them, each with batch norm, the input added, ReLU. Where the shape changes, the input passes a 1×1
//! convolution with stride 2 and a batch norm.

use super::nodes::{Error, Graph};
use super::operation::{Activation, Conv2dConfig, Op, Padding};

/// Channels of the convolution in front.
const STEM: usize = 16;
/// Channels and number of blocks of each stage; each halves the width and the height of the one before.
const STAGES: [(usize, usize); 3] = [(48, 2), (128, 3), (256, 3)];

/// The network for grey faces of `input_size`² pixels.
pub(crate) fn graph(input_size: usize, classes: usize) -> Result<Graph, Error> {
    let mut graph = Graph::new([input_size, input_size, 1]);
    let stem = Conv2dConfig {
        padding: Padding::Same,
        ..Conv2dConfig::new(STEM)
    };
    let xs = graph.conv("stem.conv", 0, stem)?;
    let xs = graph.norm("stem.norm", xs, Activation::Relu)?;
    let xs = graph.separable("reduce.separable", xs, STAGES[0].0, 2)?;
    let mut xs = graph.norm("reduce.norm", xs, Activation::Relu)?;
    for (i, (channels, blocks)) in STAGES.into_iter().enumerate() {
        for j in 0..blocks {
            let stride = if i > 0 && j == 0 { 2 } else { 1 };
            xs = block(&mut graph, &format!("stages.{i}.{j}"), xs, channels, stride)?;
        }
    }
    let xs = graph.push("average", Op::GlobalAverage, &[xs])?;
    graph.conv("head", xs, Conv2dConfig::pointwise(classes))?;
    Ok(graph)
}

fn block(
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
    let ys = graph.norm(&name("norm2"), ys, Activation::Linear)?;
    let shortcut = if stride == 1 {
        xs
    } else {
        let projection = Conv2dConfig::projection(channels);
        let xs = graph.conv(&name("residual.conv"), xs, projection)?;
        graph.norm(&name("residual.norm"), xs, Activation::Linear)?
    };
    graph.push(&name("add"), Op::Add(Activation::Relu), &[ys, shortcut])
}
