//! A network of Candle's own layers, used as they are.

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use emotion_models::Weights;
use emotion_models::graph::{Activation, FoldedNetwork, Node, Op};

/// The network, with activations `[N, C, H, W]`.
pub(crate) struct StockNetwork {
    network: FoldedNetwork,
    size: usize,
    /// Weights and biases of the convolutions of each node.
    kernels: Vec<Vec<(Tensor, Option<Tensor>)>>,
}

impl StockNetwork {
    pub(crate) fn new(weights: &Weights) -> Result<Self> {
        let network = weights.folded()?;
        let kernels = network.graph().nodes().iter().map(|node| {
            let kernel = |path: &str, taps: usize, channels: usize| -> Result<_> {
                let values = |part: &str| network.values(node, &format!("{path}{part}"));
                let (weight, bias) = (values("weight"), values("bias"));
                let inputs = weight.len() / (channels * taps * taps);
                let shape = (channels, inputs, taps, taps);
                let weight = Tensor::from_slice(weight, shape, &Device::Cpu)?;
                let bias = (!bias.is_empty())
                    .then(|| Tensor::from_slice(bias, (1, channels, 1, 1), &Device::Cpu))
                    .transpose()?;
                Ok((weight, bias))
            };
            match node.op {
                Op::Conv2d(config) => Ok(vec![kernel("", config.kernel, config.channels)?]),
                Op::SeparableConv2d(config) => {
                    let channels_in = network.values(node, "depthwise.weight").len() / 9;
                    let depthwise = kernel("depthwise.", 3, channels_in)?;
                    Ok(vec![depthwise, kernel("pointwise.", 1, config.channels)?])
                }
                _ => Ok(Vec::new()),
            }
        });
        Ok(Self {
            kernels: kernels.collect::<Result<_>>()?,
            size: weights.metadata().input_size,
            network,
        })
    }

    /// The logits, `[N, classes]`, of faces `[N, H, W, 1]`.
    pub(crate) fn run(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let count = faces.len() / (self.size * self.size);
        let faces = Tensor::from_slice(faces, (count, 1, self.size, self.size), &Device::Cpu)?;
        let mut outputs: Vec<Tensor> = Vec::new();
        for (node, kernels) in self.network.graph().nodes().iter().zip(&self.kernels) {
            let output = match node.inputs[..] {
                [] => faces.clone(),
                [input] => layer(node, kernels, &outputs[input])?,
                [a, b] if matches!(node.op, Op::Add(_)) => (&outputs[a] + &outputs[b])?,
                [a, b] if matches!(node.op, Op::ScaleChannels) => {
                    outputs[a].broadcast_mul(&outputs[b])?
                }
                _ => bail!("{}: {:?} is not implemented here", node.name, node.op),
            };
            outputs.push(match node.op.activation() {
                Activation::Linear => output,
                Activation::Relu => output.relu()?,
            });
        }
        match outputs.pop() {
            Some(logits) => Ok(logits.flatten_all()?.to_vec1()?),
            None => bail!("a network without nodes"),
        }
    }
}

fn layer(node: &Node, kernels: &[(Tensor, Option<Tensor>)], x: &Tensor) -> Result<Tensor> {
    Ok(match (node.op, kernels) {
        (Op::Conv2d(config), [(weight, bias)]) => {
            let y = x.conv2d(weight, config.border(), config.stride, 1, 1)?;
            biased(y, bias.as_ref())?
        }
        (Op::SeparableConv2d(config), [(depthwise, _), (pointwise, bias)]) => {
            let between = x.conv2d(depthwise, 1, config.stride, 1, x.dim(1)?)?;
            biased(between.conv2d(pointwise, 0, 1, 1, 1)?, bias.as_ref())?
        }
        (Op::MaxPool, _) => {
            let (count, channels, height, width) = x.dims4()?;
            let wide = |size: usize| 2 * size.div_ceil(2) + 1 - size;
            let lowest = |shape: [usize; 4]| Tensor::full(f32::NEG_INFINITY, &shape, &Device::Cpu);
            // Of one value of padding none, of two one stands in front.
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
        (Op::Upsample, _) => x.upsample_nearest2d(2 * x.dim(2)?, 2 * x.dim(3)?)?,
        (Op::GlobalAverage, _) => x.mean_keepdim((2, 3))?,
        (Op::Sigmoid, _) => (((x.neg()?.exp()? + 1.0)?).recip())?,
        (op, _) => bail!("{}: {op:?} is not implemented here", node.name),
    })
}

fn biased(x: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    Ok(match bias {
        Some(bias) => x.broadcast_add(bias)?,
        None => x,
    })
}
