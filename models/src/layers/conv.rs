//! Dense two-dimensional convolution.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::batch::{for_each_sample, sum_over_samples};
use super::glorot_uniform;
use super::kernels::{Correlation, Gradient, PackedWeights, pad};
use super::tensor::{nhwc, read, values};

/// What happens at the border of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The output holds only positions where the whole kernel lies inside.
    Valid,
    /// Zeros are added so that the output has the size of the input, divided by the stride and rounded up.
    Same,
}

/// Geometry of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Conv2dConfig {
    /// Width and height of the kernel: 1 or 3.
    pub kernel: usize,
    /// Step between outputs: 1, or 2 with a kernel of 1.
    pub stride: usize,
    /// Treatment of the border.
    pub padding: Padding,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Default for Conv2dConfig {
    fn default() -> Self {
        Self {
            kernel: 3,
            stride: 1,
            padding: Padding::Valid,
            bias: false,
        }
    }
}

/// `y[n, i, j, o] = bias[o] + Σ weight[o, c, r, k] · x[n, s·i + r, s·j + k, c]` with stride s.
///
/// Parameters: `weight` `[out, in, kernel, kernel]`, `bias` `[out]`.
#[derive(Debug, Clone)]
pub struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    config: Conv2dConfig,
}

impl Conv2d {
    /// A convolution from `channels_in` to `channels_out` with parameters from `vb`.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape, or the geometry is not supported.
    pub fn new(
        channels_in: usize,
        channels_out: usize,
        config: Conv2dConfig,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let Conv2dConfig {
            kernel,
            stride,
            bias,
            ..
        } = config;
        if !matches!((kernel, stride), (1 | 3, 1) | (1, 2)) {
            bail!(
                "convolution: expected a kernel of 1 or 3 with stride 1, or of 1 with stride 2, found {kernel} with stride {stride}"
            );
        }
        let area = kernel * kernel;
        let init = glorot_uniform(channels_in * area, channels_out * area);
        let weight =
            vb.get_with_hints((channels_out, channels_in, kernel, kernel), "weight", init)?;
        let bias = bias
            .then(|| vb.get_with_hints(channels_out, "bias", candle_nn::Init::Const(0.0)))
            .transpose()?;
        Ok(Self {
            weight,
            bias,
            config,
        })
    }

    /// Convolves `[N, H, W, in]` to `[N, H', W', out]`.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this, or is smaller than the kernel.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let ys = xs.contiguous()?.apply_op2(
            &self.weight,
            ConvOp {
                config: self.config,
            },
        )?;
        match &self.bias {
            Some(bias) => ys.broadcast_add(bias),
            None => Ok(ys),
        }
    }

    /// Height and width of the output for an input of `size` × `size`.
    pub(crate) fn output_size(&self, size: usize) -> usize {
        Geometry::output_size(self.config, size)
    }

    /// `[out, in, kernel, kernel]`.
    pub(crate) fn weight_dims(&self) -> &[usize] {
        self.weight.dims()
    }

    /// The number of weights and biases.
    pub(crate) fn parameter_count(&self) -> usize {
        self.weight.elem_count() + self.bias.as_ref().map_or(0, Tensor::elem_count)
    }
}

struct ConvOp {
    config: Conv2dConfig,
}

/// The shapes of one sample.
#[derive(Clone, Copy)]
struct Geometry {
    config: Conv2dConfig,
    samples: usize,
    input: [usize; 3],
    output: [usize; 3],
}

impl Geometry {
    fn output_size(config: Conv2dConfig, size: usize) -> usize {
        match config.padding {
            Padding::Same => size.div_ceil(config.stride),
            Padding::Valid => (size - config.kernel) / config.stride + 1,
        }
    }

    fn new(config: Conv2dConfig, x: &Layout, weight: &Layout) -> Result<Self> {
        let (samples, height, width, channels) = nhwc(ConvOp::NAME, x)?;
        let [channels_out, channels_in, kernel, _] = *weight.dims() else {
            bail!(
                "{}: expected a weight [out, in, k, k], found {:?}",
                ConvOp::NAME,
                weight.dims()
            );
        };
        if channels != channels_in {
            bail!(
                "{}: expected {channels_in} input channels, found {:?}",
                ConvOp::NAME,
                x.dims()
            );
        }
        if config.padding == Padding::Valid && height.min(width) < kernel {
            bail!(
                "{}: the kernel of {kernel} is larger than the input {:?}",
                ConvOp::NAME,
                x.dims()
            );
        }
        let [out_height, out_width] = [height, width].map(|size| Self::output_size(config, size));
        Ok(Self {
            config,
            samples,
            input: [height, width, channels],
            output: [out_height, out_width, channels_out],
        })
    }

    fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    fn width_out(&self) -> usize {
        self.output[1]
    }

    /// The sample as a correlation without padding and stride reads it.
    fn arrange<'a>(&self, x: &'a [f32], buffer: &'a mut Vec<f32>) -> &'a [f32] {
        let [_, width, channels] = self.input;
        match (self.config.padding, self.config.stride, self.config.kernel) {
            (_, 2, _) => {
                buffer.clear();
                for row in x.chunks_exact(width * channels).step_by(2) {
                    for pixel in row.chunks_exact(channels).step_by(2) {
                        buffer.extend_from_slice(pixel);
                    }
                }
                buffer
            }
            (Padding::Same, _, kernel @ 2..) => {
                pad(x, self.input, kernel / 2, buffer);
                buffer
            }
            _ => x,
        }
    }

    /// Spreads the gradient of every second pixel over `dx`, zero elsewhere.
    fn spread(&self, dense: &[f32], dx: &mut [f32]) {
        let [_, width, channels] = self.input;
        dx.fill(0.0);
        let rows = dense.chunks_exact(self.width_out() * channels);
        for (dx, dense) in dx.chunks_exact_mut(width * channels).step_by(2).zip(rows) {
            for (dx, dense) in dx
                .chunks_exact_mut(channels)
                .step_by(2)
                .zip(dense.chunks_exact(channels))
            {
                dx.copy_from_slice(dense);
            }
        }
    }
}

impl ConvOp {
    const NAME: &str = "convolution";
}

impl CustomOp2 for ConvOp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let geometry = Geometry::new(self.config, xl, wl)?;
        let [height, width, channels] = geometry.output;
        let x = values(Self::NAME, x, xl)?;
        let weights = PackedWeights::new(
            values(Self::NAME, w, wl)?,
            channels,
            geometry.input[2],
            self.config.kernel,
        );
        let mut ys = vec![0.0; geometry.samples * geometry.output_len()];
        for_each_sample(&mut ys, geometry.output_len(), |i, out, scratch| {
            let x = &x[i * geometry.input_len()..][..geometry.input_len()];
            let x = geometry.arrange(x, &mut scratch.padded);
            Correlation {
                x,
                weights: &weights,
                out,
                width_out: width,
            }
            .run();
        });
        Ok((
            CpuStorage::F32(ys),
            (geometry.samples, height, width, channels).into(),
        ))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let geometry = Geometry::new(self.config, x.layout(), w.layout())?;
        let kernel = self.config.kernel;
        let [_, width_in, channels_in] = geometry.input;
        let [_, _, channels_out] = geometry.output;
        let dy = dy.contiguous()?;
        let (xv, wv, dyv) = (
            read(Self::NAME, x),
            read(Self::NAME, w),
            read(Self::NAME, &dy),
        );
        let (xs, dys) = (xv.get()?, dyv.get()?);
        let transposed = PackedWeights::transposed(wv.get()?, channels_out, channels_in, kernel);
        let gradient = Gradient::new(channels_out, channels_in, kernel);

        // The network's input is no variable: its gradient would be computed for nothing.
        let dx_len = if x.track_op() {
            geometry.input_len()
        } else {
            0
        };
        let border = match self.config.padding {
            Padding::Valid => kernel - 1,
            Padding::Same => kernel / 2,
        };
        let mut dxs = vec![0.0; geometry.samples * dx_len];
        let sum = sum_over_samples(
            geometry.samples,
            &mut dxs,
            dx_len,
            gradient.len(),
            |i, dx, sum, scratch| {
                let x = &xs[i * geometry.input_len()..][..geometry.input_len()];
                let dy = &dys[i * geometry.output_len()..][..geometry.output_len()];
                gradient.add(
                    geometry.arrange(x, &mut scratch.padded),
                    dy,
                    geometry.width_out(),
                    sum,
                );
                if dx.is_empty() {
                    return;
                }
                if self.config.stride == 1 {
                    pad(dy, geometry.output, border, &mut scratch.padded);
                    Correlation {
                        x: &scratch.padded,
                        weights: &transposed,
                        out: dx,
                        width_out: width_in,
                    }
                    .run();
                } else {
                    scratch
                        .inner
                        .resize(dy.len() / channels_out * channels_in, 0.0);
                    let out = &mut scratch.inner;
                    Correlation {
                        x: dy,
                        weights: &transposed,
                        out,
                        width_out: geometry.width_out(),
                    }
                    .run();
                    geometry.spread(&scratch.inner, dx);
                }
            },
        );
        let dx = (dx_len > 0)
            .then(|| Tensor::from_vec(dxs, x.shape(), x.device()))
            .transpose()?;
        let dw = Tensor::from_vec(gradient.unpack(&sum), w.shape(), w.device())?;
        Ok((dx, Some(dw)))
    }
}
