//! Candle layers with forward and backward passes, for activations of shape `[N, H, W, C]`.
//!
//! Candle's own convolutions, pooling and batch norm are built for `[N, C, H, W]` inference; in training they are slow
//! (grouped convolution runs one convolution per group) or wrong (the backward pass of max-pooling). These layers are
//! custom operations on the CPU instead. With the channels last, every inner loop runs over contiguous channels, and
//! a pointwise convolution is a plain matrix product.
//!
//! All of them work on one sample at a time, in parallel over the batch. Gradients of weights are summed in a fixed
//! order, so a result does not depend on the number of threads.

mod batch;
mod batch_norm;
mod conv;
mod max_pool;
mod separable;

pub use batch_norm::{Activation, BatchNorm, BatchNormConfig};
pub use conv::{Conv2d, Conv2dConfig, Padding};
pub use max_pool::max_pool_3x3_stride_2;
pub use separable::SeparableConv2d;
pub(crate) use separable::separable;

use candle_nn::Init;

/// Glorot's uniform initialisation (Glorot and Bengio 2010): ±√(6 / (fan in + fan out)).
pub(crate) fn glorot_uniform(fan_in: usize, fan_out: usize) -> Init {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Init::Uniform {
        lo: -limit,
        up: limit,
    }
}
