//! Parallelism over the samples of a batch.

use rayon::prelude::*;

use crate::training::convolution::{Convolution, Scratch};

/// A batch is cut into this many parts whose gradients are summed in order. The number is fixed, and not that of the
/// threads, so that sums are the same on every machine.
const PARTS: usize = 16;

/// Calls `f` with the index and the output of each sample.
pub(super) fn for_each_sample<T: Send>(
    out: &mut [T],
    sample_len: usize,
    f: impl Fn(usize, &mut [T], &mut Scratch) + Sync,
) {
    if out.len() <= sample_len {
        // A single face is not worth waking the pool for.
        f(0, out, &mut Scratch::default());
        return;
    }
    out.par_chunks_mut(sample_len)
        .enumerate()
        .for_each_init(Scratch::default, |scratch, (i, sample)| {
            f(i, sample, scratch)
        });
}

/// Calls `f` with the index, the output (`sample_len` values, may be none) and the running sum of each sample, and
/// returns the sum over the batch: `sum_len` values.
pub(super) fn sum_over_samples(
    samples: usize,
    out: &mut [f32],
    sample_len: usize,
    sum_len: usize,
    f: impl Fn(usize, &mut [f32], &mut [f32], &mut Scratch) + Sync,
) -> Vec<f32> {
    let per_part = samples.div_ceil(PARTS);
    let mut rest = out;
    let mut parts = Vec::with_capacity(PARTS);
    for first in (0..samples).step_by(per_part) {
        let count = per_part.min(samples - first);
        let (part, tail) = rest.split_at_mut(count * sample_len);
        parts.push((first, count, part));
        rest = tail;
    }
    let sums: Vec<Vec<f32>> = parts
        .into_par_iter()
        .map(|(first, count, mut part)| {
            let mut sum = vec![0.0; sum_len];
            let mut scratch = Scratch::default();
            for i in first..first + count {
                let (sample, tail) = std::mem::take(&mut part).split_at_mut(sample_len);
                f(i, sample, &mut sum, &mut scratch);
                part = tail;
            }
            sum
        })
        .collect();
    let mut sums = sums.into_iter();
    let mut total = sums.next().unwrap_or_else(|| vec![0.0; sum_len]);
    for sum in sums {
        for (total, value) in total.iter_mut().zip(sum) {
            *total += value;
        }
    }
    total
}

/// The outputs of a convolution for all samples.
pub(super) fn forward(
    convolution: &Convolution,
    samples: usize,
    xs: &[f32],
    weights: &[f32],
) -> Vec<f32> {
    let packed = convolution.pack(weights);
    let len_in = convolution.input_len();
    let mut ys = vec![0.0; samples * convolution.output_len()];
    for_each_sample(&mut ys, convolution.output_len(), |i, out, scratch| {
        convolution.arrange(&xs[i * len_in..][..len_in], None, &mut scratch.arranged);
        convolution.forward(&packed, scratch, out);
    });
    ys
}

/// The gradients of a convolution's input, if wanted, and of its weights.
pub(super) fn backward(
    convolution: &Convolution,
    samples: usize,
    xs: &[f32],
    weights: &[f32],
    dys: &[f32],
    dx_wanted: bool,
) -> (Vec<f32>, Vec<f32>) {
    let packed = (
        &convolution.pack(weights),
        &convolution.pack_transposed(weights),
    );
    let (len_in, len_out) = (convolution.input_len(), convolution.output_len());
    let dx_len = if dx_wanted { len_in } else { 0 };
    let mut dxs = vec![0.0; samples * dx_len];
    let sum = sum_over_samples(
        samples,
        &mut dxs,
        dx_len,
        convolution.sum_len(),
        |i, dx, sum, scratch| {
            convolution.arrange(&xs[i * len_in..][..len_in], None, &mut scratch.arranged);
            let dy = &dys[i * len_out..][..len_out];
            let dx = dx_wanted.then_some(dx);
            convolution.backward(packed, dy, scratch, sum, dx, false);
        },
    );
    let mut gradient = vec![0.0; weights.len()];
    convolution.unpack_sum(&sum, &mut gradient);
    (dxs, gradient)
}
