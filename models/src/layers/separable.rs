//! Depthwise-separable convolution (Chollet 2017).

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::batch::{backward, forward};
use super::glorot_uniform;
use crate::kernels::TAPS;
use crate::training::convolution::{Convolution, Kind};
use crate::training::tensor::{nhwc, read, values};

/// A 3×3 convolution of each channel by itself with zeros at the border, then a 1×1 convolution across channels.
///
/// Parameters: `depthwise.weight` `[in, 1, 3, 3]`, `pointwise.weight` `[out, in, 1, 1]`. Both halves are one
/// operation: what lies between them stays in cache, and the backward pass computes it anew.
#[derive(Debug, Clone)]
pub struct SeparableConv2d {
    depthwise: Tensor,
    pointwise: Tensor,
    stride: usize,
}

impl SeparableConv2d {
    /// A convolution from `channels_in` to `channels_out` with parameters from `vb`; `stride`, 1 or 2, is the step
    /// between outputs.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape, or the stride is another.
    pub fn new(
        channels_in: usize,
        channels_out: usize,
        stride: usize,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        if !(1..=2).contains(&stride) {
            bail!("separable convolution: expected a stride of 1 or 2, found {stride}");
        }
        // The fans of a depthwise kernel as Keras counts them: [3, 3, in, 1].
        let depthwise = vb.get_with_hints(
            (channels_in, 1, 3, 3),
            "depthwise.weight",
            glorot_uniform(TAPS * channels_in, TAPS),
        )?;
        let pointwise = vb.get_with_hints(
            (channels_out, channels_in, 1, 1),
            "pointwise.weight",
            glorot_uniform(channels_in, channels_out),
        )?;
        Ok(Self {
            depthwise,
            pointwise,
            stride,
        })
    }

    /// Convolves `[N, H, W, in]` to `[N, ⌈H/s⌉, ⌈W/s⌉, out]` with stride s.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        xs.contiguous()?.apply_op3(
            &self.depthwise,
            &self.pointwise,
            SeparableOp {
                stride: self.stride,
            },
        )
    }
}

struct SeparableOp {
    stride: usize,
}

impl SeparableOp {
    const NAME: &str = "separable convolution";

    /// The number of samples and the shapes of one.
    fn shapes(&self, x: &Layout, dw: &Layout, pw: &Layout) -> Result<(usize, Convolution)> {
        let (samples, height, width, channels) = nhwc(Self::NAME, x)?;
        match (dw.dims(), pw.dims()) {
            (&[depth, 1, 3, 3], &[channels_out, channels_in, 1, 1])
                if depth == channels && channels_in == channels =>
            {
                let input = [height, width, channels];
                Ok((samples, separable(input, channels_out, self.stride)))
            }
            (dw, pw) => bail!(
                "{}: expected weights [{channels}, 1, 3, 3] and [out, {channels}, 1, 1] for the input {:?}, found {dw:?} and {pw:?}",
                Self::NAME,
                x.dims()
            ),
        }
    }
}

/// The shapes of one sample.
pub(crate) fn separable(input: [usize; 3], channels_out: usize, stride: usize) -> Convolution {
    let [height, width, _] = input;
    Convolution {
        kind: Kind::Separable,
        input,
        output: [
            height.div_ceil(stride),
            width.div_ceil(stride),
            channels_out,
        ],
        stride,
        border: 1,
    }
}

impl CustomOp3 for SeparableOp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        dw: &CpuStorage,
        dwl: &Layout,
        pw: &CpuStorage,
        pwl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (samples, convolution) = self.shapes(xl, dwl, pwl)?;
        let name = Self::NAME;
        let weights = [values(name, dw, dwl)?, values(name, pw, pwl)?].concat();
        let ys = forward(&convolution, samples, values(name, x, xl)?, &weights);
        let [height, width, channels] = convolution.output;
        Ok((
            CpuStorage::F32(ys),
            (samples, height, width, channels).into(),
        ))
    }

    fn bwd(
        &self,
        x: &Tensor,
        dw: &Tensor,
        pw: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (samples, convolution) = self.shapes(x.layout(), dw.layout(), pw.layout())?;
        let dy = dy.contiguous()?;
        let [xv, dwv, pwv, dyv] = [x, dw, pw, &dy].map(|tensor| read(Self::NAME, tensor));
        let weights = [dwv.get()?, pwv.get()?].concat();
        let (dxs, mut gradient) =
            backward(&convolution, samples, xv.get()?, &weights, dyv.get()?, true);
        let dpw = gradient.split_off(dw.elem_count());
        Ok((
            Some(Tensor::from_vec(dxs, x.shape(), x.device())?),
            Some(Tensor::from_vec(gradient, dw.shape(), dw.device())?),
            Some(Tensor::from_vec(dpw, pw.shape(), pw.device())?),
        ))
    }
}
