//! A network of Candle's own layers, used as they are.

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use emotion_models::Weights;
use emotion_models::graph::folding::{Folded, FoldedNode, FoldedOp, Kernel};
use emotion_models::layers::{Activation, Padding};

/// The network, with activations `[N, C, H, W]`.
pub(crate) struct StockNetwork {
    folded: Folded,
    size: usize,
    /// Weights and biases of the convolutions of each node.
    kernels: Vec<Vec<(Tensor, Option<Tensor>)>>,
}

impl StockNetwork {
    pub(crate) fn new(weights: &Weights) -> Result<Self> {
        let folded = weights.folded()?;
        let kernels = folded.nodes().iter().map(|node| {
            let channels = node.shape[2];
            let kernel = |Kernel { weight, bias }: &Kernel, taps: usize| -> Result<_> {
                let inputs = weight.len() / (channels * taps * taps);
                let weight =
                    Tensor::from_slice(weight, (channels, inputs, taps, taps), &Device::Cpu)?;
                let bias = (!bias.is_empty())
                    .then(|| Tensor::from_slice(bias, (1, channels, 1, 1), &Device::Cpu))
                    .transpose()?;
                Ok((weight, bias))
            };
            match &node.op {
                FoldedOp::Conv2d {
                    kernel: taps,
                    weights,
                    ..
                } => Ok(vec![kernel(weights, *taps)?]),
                FoldedOp::SeparableConv2d {
                    depthwise,
                    pointwise,
                    ..
                } => {
                    let shape = (depthwise.len() / 9, 1, 3, 3);
                    let depthwise = Tensor::from_slice(depthwise, shape, &Device::Cpu)?;
                    Ok(vec![(depthwise, None), kernel(pointwise, 1)?])
                }
                _ => Ok(Vec::new()),
            }
        });
        Ok(Self {
            kernels: kernels.collect::<Result<_>>()?,
            size: weights.metadata().input_size,
            folded,
        })
    }

    /// Logits `[N, classes]` of faces `[N, H, W, 1]`.
    pub(crate) fn run(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let count = faces.len() / (self.size * self.size);
        let faces = Tensor::from_slice(faces, (count, 1, self.size, self.size), &Device::Cpu)?;
        let mut outputs: Vec<Tensor> = Vec::new();
        for (node, kernels) in self.folded.nodes().iter().zip(&self.kernels) {
            outputs.push(match node.inputs[..] {
                [] => faces.clone(),
                [input] => layer(node, kernels, &outputs[input])?,
                [a, b] => activate((&outputs[a] + &outputs[b])?, &node.op)?,
                _ => bail!(
                    "{}: expected at most two inputs, found {}",
                    node.name,
                    node.inputs.len()
                ),
            });
        }
        match outputs.pop() {
            Some(logits) => Ok(logits.flatten_all()?.to_vec1()?),
            None => bail!("expected a network, found one without nodes"),
        }
    }
}

fn layer(node: &FoldedNode, kernels: &[(Tensor, Option<Tensor>)], x: &Tensor) -> Result<Tensor> {
    let y = match (&node.op, kernels) {
        (
            FoldedOp::Conv2d {
                kernel,
                stride,
                padding,
                ..
            },
            [(weight, bias)],
        ) => {
            let padding = match padding {
                Padding::Valid => 0,
                Padding::Same => kernel / 2,
            };
            biased(x.conv2d(weight, padding, *stride, 1, 1)?, bias.as_ref())?
        }
        (FoldedOp::SeparableConv2d { stride, .. }, [(depthwise, _), (pointwise, bias)]) => {
            let between = x.conv2d(depthwise, 1, *stride, 1, x.dim(1)?)?;
            biased(between.conv2d(pointwise, 0, 1, 1, 1)?, bias.as_ref())?
        }
        (FoldedOp::MaxPool, _) => {
            let (count, channels, height, width) = x.dims4()?;
            let wide = |size: usize| 2 * size.div_ceil(2) + 1 - size;
            let lowest = |shape: [usize; 4]| Tensor::full(f32::NEG_INFINITY, &shape, &Device::Cpu);
            // One row or column of padding goes behind; of two, one goes in front.
            let (above, below) = (wide(height) / 2, wide(height).div_ceil(2));
            let (left, right) = (wide(width) / 2, wide(width).div_ceil(2));
            let above = lowest([count, channels, above, width])?;
            let below = lowest([count, channels, below, width])?;
            let x = Tensor::cat(&[&above, x, &below], 2)?;
            let height = x.dim(2)?;
            let left = lowest([count, channels, height, left])?;
            let right = lowest([count, channels, height, right])?;
            Tensor::cat(&[&left, &x, &right], 3)?.max_pool2d_with_stride(3, 2)?
        }
        (FoldedOp::Upsample, _) => x.upsample_nearest2d(2 * x.dim(2)?, 2 * x.dim(3)?)?,
        (FoldedOp::GlobalAverage, _) => x.mean_keepdim((2, 3))?,
        (op, _) => bail!("{}: unexpected {op:?}", node.name),
    };
    activate(y, &node.op)
}

fn biased(x: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    Ok(match bias {
        Some(bias) => x.broadcast_add(bias)?,
        None => x,
    })
}

fn activate(x: Tensor, op: &FoldedOp) -> Result<Tensor> {
    Ok(match op {
        FoldedOp::Conv2d {
            activation: Activation::Relu,
            ..
        }
        | FoldedOp::SeparableConv2d {
            activation: Activation::Relu,
            ..
        }
        | FoldedOp::Add(Activation::Relu) => x.relu()?,
        _ => x,
    })
}
