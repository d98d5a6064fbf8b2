//! The inner loops, vectorised over channels for the instruction set that the machine has.

mod correlate;
mod depthwise;
mod norm;
mod pool;
mod vector_loop;

pub(super) use correlate::{Correlation, Gradient, PackedWeights};
pub(super) use depthwise::{depthwise, depthwise_weight_gradient};
pub(super) use norm::{Affine, AffineGradient, moments};
pub(super) use pool::MaxPool;

/// Copies `[height, width, channels]` into the middle of `[height + 2·border, width + 2·border, channels]` of zeros.
pub(super) fn pad(
    x: &[f32],
    [height, width, channels]: [usize; 3],
    border: usize,
    out: &mut Vec<f32>,
) {
    let row = width * channels;
    let padded_row = (width + 2 * border) * channels;
    out.clear();
    out.reserve((height + 2 * border) * padded_row);
    out.resize(border * padded_row, 0.0);
    for row in x.chunks_exact(row) {
        out.resize(out.len() + border * channels, 0.0);
        out.extend_from_slice(row);
        out.resize(out.len() + border * channels, 0.0);
    }
    out.resize(out.len() + border * padded_row, 0.0);
}
