//! Max-pooling.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pulp::Arch;
use rayon::prelude::*;

use super::batch::for_each_sample;
use super::tensor::{nhwc, read, values};

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
    /// For each output, the position of its input within the sample.
    winners: OnceLock<Vec<u32>>,
}

impl MaxPoolOp {
    const NAME: &str = "max-pooling";
}

/// The input positions that window `i` covers, of an axis of `size`.
fn window(i: usize, size: usize) -> std::ops::Range<usize> {
    let outputs = size.div_ceil(2);
    let padding = ((outputs - 1) * 2 + 3).saturating_sub(size);
    let before = padding / 2;
    (2 * i).saturating_sub(before)..(2 * i + 3 - before).min(size)
}

/// One sample: the largest values and where they stood.
fn pool(x: &[f32], [height, width, channels]: [usize; 3], out: &mut [f32], winners: &mut [u32]) {
    let width_out = width.div_ceil(2);
    Arch::new().dispatch(|| {
        let outputs = out
            .chunks_exact_mut(channels)
            .zip(winners.chunks_exact_mut(channels));
        for (pixel, (best, winner)) in outputs.enumerate() {
            best.fill(f32::NEG_INFINITY);
            for row in window(pixel / width_out, height) {
                for column in window(pixel % width_out, width) {
                    let first = (row * width + column) * channels;
                    let x = &x[first..][..channels];
                    for (c, ((best, winner), &x)) in
                        best.iter_mut().zip(winner.iter_mut()).zip(x).enumerate()
                    {
                        let wins = x > *best;
                        *best = if wins { x } else { *best };
                        *winner = if wins { (first + c) as u32 } else { *winner };
                    }
                }
            }
        }
    });
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
        ys.par_chunks_exact_mut(len_out)
            .zip(winners.par_chunks_exact_mut(len_out))
            .enumerate()
            .for_each(|(i, (out, winners))| {
                pool(
                    &x[i * len_in..][..len_in],
                    [height, width, channels],
                    out,
                    winners,
                )
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
        let samples = x.dims()[0];
        let (len_in, len_out) = (x.elem_count() / samples, y.elem_count() / samples);
        let dy = dy.contiguous()?;
        let dys = read(Self::NAME, &dy);
        let dys = dys.get()?;
        let mut dxs = vec![0.0; samples * len_in];
        for_each_sample(&mut dxs, len_in, |i, dx, _| {
            let outputs = i * len_out..(i + 1) * len_out;
            for (&winner, dy) in winners[outputs.clone()].iter().zip(&dys[outputs]) {
                dx[winner as usize] += dy;
            }
        });
        Ok(Some(Tensor::from_vec(dxs, x.shape(), x.device())?))
    }
}
