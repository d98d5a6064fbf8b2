//! Max-pooling.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::batch::for_each_sample;
use crate::kernels::{self, MaxPool};
use crate::training::tensor::{nhwc, read, values};

/// The largest value in windows of 3×3, two pixels apart, of each channel: `[N, H, W, C]` to `[N, ⌈H/2⌉, ⌈W/2⌉, C]`.
///
/// Windows are placed as TensorFlow's "same" padding places them (the odd pixel of padding stands behind), and what is
/// outside the input never wins.
///
/// # Errors
///
/// If `xs` has another shape than this.
pub fn max_pool_3x3_stride_2(xs: &Tensor) -> Result<Tensor> {
    xs.contiguous()?.apply_op1(MaxPoolOp::default())
}

#[derive(Default)]
struct MaxPoolOp {
    /// For each output, the pixel of the sample that it came from.
    winners: OnceLock<Vec<u32>>,
}

impl MaxPoolOp {
    const NAME: &str = "max-pooling";
}

impl CustomOp1 for MaxPoolOp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (samples, height, width, channels) = nhwc(Self::NAME, xl)?;
        let x = values(Self::NAME, x, xl)?;
        let (height_out, width_out) = (height.div_ceil(2), width.div_ceil(2));
        let (len_in, len_out) = (height * width * channels, height_out * width_out * channels);
        let mut ys = vec![0.0; samples * len_out];
        let mut winners = vec![0; samples * len_out];
        let outputs = ys
            .par_chunks_exact_mut(len_out)
            .zip(winners.par_chunks_exact_mut(len_out));
        outputs.enumerate().for_each(|(i, (out, winners))| {
            let x = &x[i * len_in..][..len_in];
            MaxPool {
                x,
                height,
                width,
                channels,
                out,
                winners,
            }
            .compute();
        });
        self.winners.get_or_init(|| winners);
        Ok((
            CpuStorage::F32(ys),
            (samples, height_out, width_out, channels).into(),
        ))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let Some(winners) = self.winners.get() else {
            bail!(
                "{}: the backward pass needs the forward pass first",
                Self::NAME
            );
        };
        let (samples, _, _, channels) = nhwc(Self::NAME, x.layout())?;
        let (len_in, len_out) = (x.elem_count() / samples, y.elem_count() / samples);
        let dy = dy.contiguous()?;
        let dys = read(Self::NAME, &dy);
        let dys = dys.get()?;
        let mut dxs = vec![0.0; samples * len_in];
        for_each_sample(&mut dxs, len_in, |i, dx, _| {
            let outputs = i * len_out..(i + 1) * len_out;
            kernels::scatter(&winners[outputs.clone()], &dys[outputs], channels, dx);
        });
        Ok(Some(Tensor::from_vec(dxs, x.shape(), x.device())?))
    }
}
