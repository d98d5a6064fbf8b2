//! Parallelism over the samples of a batch.

use rayon::prelude::*;

/// A batch is cut into this many parts whose gradients are summed in order. The number is fixed, and not that of the
/// threads, so that sums are the same on every machine.
const PARTS: usize = 16;

/// Buffers that a worker reuses from one sample to the next.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) padded: Vec<f32>,
    pub(super) inner: Vec<f32>,
    pub(super) gradient: Vec<f32>,
}

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
