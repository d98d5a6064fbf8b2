//! Depthwise-separable convolution (Chollet 2017).

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::batch::{for_each_sample, sum_over_samples};
use super::glorot_uniform;
use super::kernels::{
    Correlation, Gradient, PackedWeights, depthwise, depthwise_weight_gradient, pad,
};
use super::tensor::{nhwc, read, values};

const TAPS: usize = 9;

/// A 3×3 convolution of each channel by itself with zeros at the border, then a 1×1 convolution across channels.
///
/// Parameters: `depthwise.weight` `[in, 1, 3, 3]`, `pointwise.weight` `[out, in, 1, 1]`. Both halves are one
/// operation: what lies between them stays in cache, and the backward pass computes it anew.
#[derive(Debug, Clone)]
pub struct SeparableConv2d {
    depthwise: Tensor,
    pointwise: Tensor,
}

impl SeparableConv2d {
    /// A convolution from `channels_in` to `channels_out` with parameters from `vb`.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape.
    pub fn new(channels_in: usize, channels_out: usize, vb: VarBuilder<'_>) -> Result<Self> {
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
        })
    }

    /// Convolves `[N, H, W, in]` to `[N, H, W, out]`.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        xs.contiguous()?
            .apply_op3(&self.depthwise, &self.pointwise, SeparableOp)
    }

    /// The number of output channels.
    pub(crate) fn channels_out(&self) -> usize {
        self.pointwise.dims()[0]
    }

    /// The number of weights.
    pub(crate) fn parameter_count(&self) -> usize {
        self.depthwise.elem_count() + self.pointwise.elem_count()
    }
}

struct SeparableOp;

impl SeparableOp {
    const NAME: &str = "separable convolution";
}

/// `[in, 1, 3, 3]` as the kernels read it: `[9, in]`.
fn taps_first(weight: &[f32]) -> Vec<f32> {
    let channels = weight.len() / TAPS;
    (0..weight.len())
        .map(|i| weight[i % channels * TAPS + i / channels])
        .collect()
}

/// `[9, in]` as it stands in the weights: `[in, 1, 3, 3]`.
fn channels_first(taps: &[f32]) -> Vec<f32> {
    let channels = taps.len() / TAPS;
    (0..taps.len())
        .map(|i| taps[i % TAPS * channels + i / TAPS])
        .collect()
}

/// `(samples, [height, width, channels in], channels out)`.
fn shapes(x: &Layout, dw: &Layout, pw: &Layout) -> Result<(usize, [usize; 3], usize)> {
    let (samples, height, width, channels) = nhwc(SeparableOp::NAME, x)?;
    match (dw.dims(), pw.dims()) {
        (&[depth, 1, 3, 3], &[channels_out, channels_in, 1, 1])
            if depth == channels && channels_in == channels =>
        {
            Ok((samples, [height, width, channels], channels_out))
        }
        (dw, pw) => bail!(
            "{}: expected weights [{channels}, 1, 3, 3] and [out, {channels}, 1, 1] for the input {:?}, found {dw:?} and {pw:?}",
            SeparableOp::NAME,
            x.dims()
        ),
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
        let (samples, input @ [height, width, channels], channels_out) = shapes(xl, dwl, pwl)?;
        let x = values(Self::NAME, x, xl)?;
        let taps = taps_first(values(Self::NAME, dw, dwl)?);
        let pointwise = PackedWeights::new(values(Self::NAME, pw, pwl)?, channels_out, channels, 1);
        let (len_in, len_out) = (height * width * channels, height * width * channels_out);
        let mut ys = vec![0.0; samples * len_out];
        for_each_sample(&mut ys, len_out, |i, out, scratch| {
            pad(&x[i * len_in..][..len_in], input, 1, &mut scratch.padded);
            scratch.inner.resize(len_in, 0.0);
            depthwise(&scratch.padded, &taps, &mut scratch.inner, width, channels);
            Correlation {
                x: &scratch.inner,
                weights: &pointwise,
                out,
                width_out: width,
            }
            .run();
        });
        Ok((
            CpuStorage::F32(ys),
            (samples, height, width, channels_out).into(),
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
        let (samples, input @ [height, width, channels], channels_out) =
            shapes(x.layout(), dw.layout(), pw.layout())?;
        let dy = dy.contiguous()?;
        let [xv, dwv, pwv, dyv] = [x, dw, pw, &dy].map(|tensor| read(Self::NAME, tensor));
        let (xs, dys) = (xv.get()?, dyv.get()?);
        let taps = taps_first(dwv.get()?);
        // Turned by 180°, the taps in reverse order.
        let turned: Vec<f32> = taps
            .chunks_exact(channels)
            .rev()
            .flatten()
            .copied()
            .collect();
        let transposed = PackedWeights::transposed(pwv.get()?, channels_out, channels, 1);
        let gradient = Gradient::new(channels_out, channels, 1);
        let (len_in, len_out) = (height * width * channels, height * width * channels_out);

        let mut dxs = vec![0.0; samples * len_in];
        let sum_len = gradient.len() + taps.len();
        let sum = sum_over_samples(samples, &mut dxs, len_in, sum_len, |i, dx, sum, scratch| {
            let (pointwise_sum, depthwise_sum) = sum.split_at_mut(gradient.len());
            let dy = &dys[i * len_out..][..len_out];
            pad(&xs[i * len_in..][..len_in], input, 1, &mut scratch.padded);
            scratch.inner.resize(len_in, 0.0);
            depthwise(&scratch.padded, &taps, &mut scratch.inner, width, channels);
            gradient.add(&scratch.inner, dy, width, pointwise_sum);

            // What reaches the depthwise half takes the place of its output.
            let inner = &mut scratch.inner;
            Correlation {
                x: dy,
                weights: &transposed,
                out: inner,
                width_out: width,
            }
            .run();
            depthwise_weight_gradient(&scratch.padded, inner, depthwise_sum, width, channels);
            pad(inner, input, 1, &mut scratch.gradient);
            depthwise(&scratch.gradient, &turned, dx, width, channels);
        });
        let (pointwise_sum, depthwise_sum) = sum.split_at(gradient.len());
        let dx = Tensor::from_vec(dxs, x.shape(), x.device())?;
        let ddw = Tensor::from_vec(channels_first(depthwise_sum), dw.shape(), dw.device())?;
        let dpw = Tensor::from_vec(gradient.unpack(pointwise_sum), pw.shape(), pw.device())?;
        Ok((Some(dx), Some(ddw), Some(dpw)))
    }
}
