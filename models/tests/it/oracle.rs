//! Plain Candle operations on `[N, C, H, W]` in double precision, forward and backward: what both executors are compared
//! with.
//!
//! Candle's own max-pooling has no right backward pass, and that of its strided convolution refuses odd sizes. So the one
//! is the maximum of nine shifted slices here, and the other has stride 1, of whose result every second pixel is taken.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use emotion_models::graph::{Activation, BatchNormConfig, Graph, Node, Op};
use emotion_models::weights::{WeightTensor, WeightTensors};

/// Less than every activation; finite, lest gradients become NaN.
const PADDING: f64 = -1e30;

/// A network with its parameters.
pub(crate) struct Oracle {
    graph: Graph,
    variables: HashMap<String, Var>,
}

impl Oracle {
    pub(crate) fn new(graph: &Graph, values: &WeightTensors) -> Self {
        let variable = |(name, tensor): (&String, &WeightTensor)| {
            let values: Vec<f64> = tensor.values.iter().copied().map(f64::from).collect();
            let variable = Var::from_vec(values, tensor.shape.clone(), &Device::Cpu).unwrap();
            (name.clone(), variable)
        };
        Self {
            graph: graph.clone(),
            variables: values.iter().map(variable).collect(),
        }
    }

    /// A parameter or a running statistic.
    pub(crate) fn variable(&self, name: &str) -> &Var {
        &self.variables[name]
    }

    /// The logits `[N, logits]` of pictures `[N, H, W, C]`. In training, batch norms use the statistics of the batch and
    /// move their running ones.
    pub(crate) fn forward(&self, xs: &Tensor, train: bool) -> Tensor {
        let mut outputs: Vec<Tensor> = Vec::new();
        for node in self.graph.nodes() {
            let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &outputs[input]).collect();
            let output = match inputs[..] {
                [] => pictures(xs),
                _ => self.compute(node, &inputs, train),
            };
            outputs.push(output.unwrap());
        }
        let logits = self.graph.outputs().into_iter();
        let logits = logits.map(|index| outputs[index].permute((0, 2, 3, 1))?.flatten_from(1));
        Tensor::cat(&logits.collect::<Result<Vec<_>>>().unwrap(), 1).unwrap()
    }

    fn compute(&self, node: &Node, inputs: &[&Tensor], train: bool) -> Result<Tensor> {
        let parameter = |part: &str| self.variables.get(&format!("{}.{part}", node.name));
        let add_bias = |xs: Tensor, part: &str| match parameter(part) {
            Some(bias) => xs.broadcast_add(&per_channel(bias)?),
            None => Ok(xs),
        };
        let xs = inputs[0];
        let ys = match node.op {
            Op::Input => xs.clone(),
            Op::Conv2d(config) => {
                let weight = self.variable(&format!("{}.weight", node.name));
                let ys = xs.conv2d(weight, config.border(), 1, 1, 1)?;
                add_bias(every(config.stride, &ys)?, "bias")?
            }
            Op::SeparableConv2d(config) => {
                let [depthwise, pointwise] = ["depthwise", "pointwise"]
                    .map(|part| self.variable(&format!("{}.{part}.weight", node.name)));
                let between = every(config.stride, &depthwise_conv(xs, depthwise)?)?;
                let ys = between.conv2d(pointwise, 0, 1, 1, 1)?;
                add_bias(ys, "pointwise.bias")?
            }
            Op::BatchNorm(config) => self.batch_norm(&node.name, xs, config, train)?,
            Op::MaxPool => max_pool(xs)?,
            Op::Add(_) => (xs + inputs[1])?,
            Op::Upsample => upsample(xs)?,
            Op::GlobalAverage => xs.mean_keepdim((2, 3))?,
            Op::Sigmoid => (xs.neg()?.exp()? + 1.0)?.recip()?,
            Op::ScaleChannels => xs.broadcast_mul(inputs[1])?,
        };
        match node.op.activation() {
            Activation::Linear => Ok(ys),
            Activation::Relu => ys.relu(),
        }
    }

    fn batch_norm(
        &self,
        name: &str,
        xs: &Tensor,
        config: BatchNormConfig,
        train: bool,
    ) -> Result<Tensor> {
        let variable = |part: &str| self.variable(&format!("{name}.{part}"));
        let [mean, variance] = ["running_mean", "running_var"].map(variable);
        let (mean, variance) = if train {
            let batch_mean = xs.mean_keepdim((0, 2, 3))?;
            let squares = xs.broadcast_sub(&batch_mean)?.sqr()?;
            let batch_variance = squares.mean_keepdim((0, 2, 3))?;
            let (samples, _, height, width) = xs.dims4()?;
            let count = (samples * height * width) as f64;
            let unbiased = (&batch_variance * (count / (count - 1.0).max(1.0)))?;
            for (running, batch) in [(mean, &batch_mean), (variance, &unbiased)] {
                let batch = (batch.flatten_all()?.detach() * config.momentum)?;
                let kept = (running.as_tensor() * (1.0 - config.momentum))?;
                running.set(&(kept + batch)?)?;
            }
            (batch_mean, batch_variance)
        } else {
            (per_channel(mean)?, per_channel(variance)?)
        };
        xs.broadcast_sub(&mean)?
            .broadcast_div(&(variance + config.eps)?.sqrt()?)?
            .broadcast_mul(&per_channel(variable("weight"))?)?
            .broadcast_add(&per_channel(variable("bias"))?)
    }
}

/// `[N, H, W, C]` as `[N, C, H, W]`.
fn pictures(xs: &Tensor) -> Result<Tensor> {
    xs.to_dtype(DType::F64)?.permute((0, 3, 1, 2))?.contiguous()
}

fn per_channel(values: &Var) -> Result<Tensor> {
    values.reshape((1, values.elem_count(), 1, 1))
}

/// Each `stride`th pixel of each `stride`th row.
fn every(stride: usize, xs: &Tensor) -> Result<Tensor> {
    if stride == 1 {
        return Ok(xs.clone());
    }
    let mut xs = xs.clone();
    for dim in [2, 3] {
        let size = xs.dim(dim)? as u32;
        let chosen = Tensor::arange_step(0, size, stride as u32, &Device::Cpu)?;
        xs = xs.contiguous()?.index_select(&chosen, dim)?;
    }
    Ok(xs)
}

/// The sum of nine shifted pictures, each channel times its weight.
fn depthwise_conv(xs: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (_, channels, height, width) = xs.dims4()?;
    let padded = xs.pad_with_zeros(2, 1, 1)?.pad_with_zeros(3, 1, 1)?;
    let mut sum = xs.zeros_like()?;
    for (row, column) in (0..9).map(|tap| (tap / 3, tap % 3)) {
        let shifted = padded.narrow(2, row, height)?.narrow(3, column, width)?;
        let weight = weight.narrow(2, row, 1)?.narrow(3, column, 1)?;
        let weight = weight.contiguous()?.reshape((1, channels, 1, 1))?;
        sum = (sum + shifted.contiguous()?.broadcast_mul(&weight)?)?;
    }
    Ok(sum)
}

/// Windows of 3×3 with stride 2, padded as TensorFlow's "same".
fn max_pool(xs: &Tensor) -> Result<Tensor> {
    let mut padded = xs.clone();
    for dim in [2, 3] {
        let size = padded.dim(dim)?;
        let padding = (2 * size.div_ceil(2) + 1) - size;
        let before = padding / 2;
        let full = |count: usize| {
            let mut shape = padded.dims().to_vec();
            shape[dim] = count;
            Tensor::full(PADDING, shape, &Device::Cpu)
        };
        padded = match before {
            0 => Tensor::cat(&[&padded, &full(padding)?], dim)?,
            _ => Tensor::cat(&[&full(before)?, &padded, &full(padding - before)?], dim)?,
        };
    }
    let (_, _, height, width) = padded.dims4()?;
    let mut best: Option<Tensor> = None;
    for (row, column) in (0..9).map(|tap| (tap / 3, tap % 3)) {
        let shifted = padded
            .narrow(2, row, height - 2)?
            .narrow(3, column, width - 2)?;
        let shifted = every(2, &shifted)?;
        best = Some(match best {
            Some(best) => best.maximum(&shifted)?,
            None => shifted,
        });
    }
    Ok(best.unwrap())
}

/// Each pixel four times.
fn upsample(xs: &Tensor) -> Result<Tensor> {
    let (samples, channels, height, width) = xs.dims4()?;
    xs.reshape((samples, channels, height, 1, width, 1))?
        .broadcast_as((samples, channels, height, 2, width, 2))?
        .reshape((samples, channels, 2 * height, 2 * width))
}
