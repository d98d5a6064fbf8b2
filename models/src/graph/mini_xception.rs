//! mini_XCEPTION (Arriaga, Plöger and Valdenegro 2017, "Real-time Convolutional Neural Networks for Emotion and Gender
//! Classification"; `src/models/cnn.py` of oarriaga/face_classification).
//!
//! | part | output for 48×48 | parameters |
//! |---|---|---|
//! | conv 3×3 valid, batch norm, ReLU | 46×46×8 | 104 |
//! | conv 3×3 valid, batch norm, ReLU | 44×44×8 | 608 |
//! | four modules of two separable convolutions each | 3×3×128 | 49,640 |
//! | conv 3×3 with bias, global average | 7 | 8,071 |
//!
//! A module is two separable convolutions and a max-pooling beside a 1×1 convolution with stride 2; the halves are
//! added. There is no ReLU behind the second separable convolution, nor behind the addition.

use super::nodes::{Error, Graph};
use super::operation::{Activation, Conv2dConfig, Op, Padding};

/// Channels of the two convolutions in front.
const STEM: usize = 8;
/// Channels of the four modules.
const MODULES: [usize; 4] = [16, 32, 64, 128];

/// The network for grey faces of `input_size`² pixels, with the name and the number of outputs of each head.
pub(crate) fn graph(input_size: usize, heads: &[(&str, usize)]) -> Result<Graph, Error> {
    let mut graph = Graph::new([input_size, input_size, 1]);
    let mut xs = 0;
    for i in 1..=2 {
        let conv = graph.conv(&format!("conv{i}"), xs, Conv2dConfig::new(STEM))?;
        xs = graph.norm(&format!("norm{i}"), conv, Activation::Relu)?;
    }
    for (i, channels) in MODULES.into_iter().enumerate() {
        xs = module(&mut graph, &format!("modules.{i}"), xs, channels)?;
    }
    for &(name, outputs) in heads {
        let head = Conv2dConfig {
            padding: Padding::Same,
            bias: true,
            ..Conv2dConfig::new(outputs)
        };
        let head = graph.conv(name, xs, head)?;
        graph.push(&format!("{name}.average"), Op::GlobalAverage, &[head])?;
    }
    Ok(graph)
}

fn module(graph: &mut Graph, path: &str, xs: usize, channels: usize) -> Result<usize, Error> {
    let name = |part: &str| format!("{path}.{part}");
    let projection = Conv2dConfig::projection(channels);
    let residual = graph.conv(&name("residual.conv"), xs, projection)?;
    let residual = graph.norm(&name("residual.norm"), residual, Activation::Linear)?;
    let ys = graph.separable(&name("separable1"), xs, channels, 1)?;
    let ys = graph.norm(&name("norm1"), ys, Activation::Relu)?;
    let ys = graph.separable(&name("separable2"), ys, channels, 1)?;
    let ys = graph.norm(&name("norm2"), ys, Activation::Linear)?;
    let ys = graph.push(&name("pool"), Op::MaxPool, &[ys])?;
    graph.push(&name("add"), Op::Add(Activation::Linear), &[ys, residual])
}
