//! Dense two-dimensional convolution.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::batch::{backward, forward};
use super::glorot_uniform;
use crate::training::convolution::{Convolution, Kind};
use crate::training::tensor::{nhwc, read, values};

/// What happens at the border of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The output holds only positions where the whole kernel lies inside.
    Valid,
    /// As many zeros on every side that the output has the size of the input, divided by the stride and rounded up.
    Same,
}

/// Geometry of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Width and height of the kernel: 1 or 3.
    pub kernel: usize,
    /// Step between outputs: 1 or 2.
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

impl Conv2dConfig {
    /// A 1×1 convolution with stride 2, which fits the input of a block to its halved output.
    pub(crate) const PROJECTION: Self = Self {
        kernel: 1,
        stride: 2,
        padding: Padding::Same,
        bias: false,
    };

    /// Height or width of the output for an input of that `size`.
    pub(crate) fn output_size(self, size: usize) -> usize {
        match self.padding {
            Padding::Same => size.div_ceil(self.stride),
            Padding::Valid => (size - self.kernel) / self.stride + 1,
        }
    }

    /// The shapes of one sample.
    pub(crate) fn convolution(self, input: [usize; 3], channels_out: usize) -> Convolution {
        let [height, width, _] = input;
        Convolution {
            kind: Kind::Dense(self.kernel),
            input,
            output: [
                self.output_size(height),
                self.output_size(width),
                channels_out,
            ],
            stride: self.stride,
            border: match self.padding {
                Padding::Valid => 0,
                Padding::Same => self.kernel / 2,
            },
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
        if !matches!((kernel, stride), (1 | 3, 1 | 2)) {
            bail!(
                "convolution: expected a kernel of 1 or 3 with stride 1 or 2, found {kernel} with stride {stride}"
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
}

struct ConvOp {
    config: Conv2dConfig,
}

impl ConvOp {
    const NAME: &str = "convolution";

    /// The number of samples and the shapes of one.
    fn shapes(&self, x: &Layout, weight: &Layout) -> Result<(usize, Convolution)> {
        let (samples, height, width, channels) = nhwc(Self::NAME, x)?;
        let [channels_out, channels_in, kernel, _] = *weight.dims() else {
            bail!(
                "{}: expected a weight [out, in, k, k], found {:?}",
                Self::NAME,
                weight.dims()
            );
        };
        if channels != channels_in {
            bail!(
                "{}: expected {channels_in} input channels, found {:?}",
                Self::NAME,
                x.dims()
            );
        }
        if self.config.padding == Padding::Valid && height.min(width) < kernel {
            bail!(
                "{}: the kernel of {kernel} is larger than the input {:?}",
                Self::NAME,
                x.dims()
            );
        }
        let input = [height, width, channels];
        Ok((samples, self.config.convolution(input, channels_out)))
    }
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
        let (samples, convolution) = self.shapes(xl, wl)?;
        let xs = values(Self::NAME, x, xl)?;
        let ys = forward(&convolution, samples, xs, values(Self::NAME, w, wl)?);
        let [height, width, channels] = convolution.output;
        Ok((
            CpuStorage::F32(ys),
            (samples, height, width, channels).into(),
        ))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (samples, convolution) = self.shapes(x.layout(), w.layout())?;
        let dy = dy.contiguous()?;
        let [xv, wv, dyv] = [x, w, &dy].map(|tensor| read(Self::NAME, tensor));
        // The network's input is no variable: its gradient would be computed for nothing.
        let dx_wanted = x.track_op();
        let (dxs, dw) = backward(
            &convolution,
            samples,
            xv.get()?,
            wv.get()?,
            dyv.get()?,
            dx_wanted,
        );
        let dx = dx_wanted
            .then(|| Tensor::from_vec(dxs, x.shape(), x.device()))
            .transpose()?;
        Ok((dx, Some(Tensor::from_vec(dw, w.shape(), w.device())?)))
    }
}
