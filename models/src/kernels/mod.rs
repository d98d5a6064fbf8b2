//! The inner loops of both executors, vectorised over channels for the instruction set of the machine.

#![cfg_attr(
    not(feature = "training"),
    allow(dead_code, unused_imports, reason = "only training computes gradients")
)]

mod batch_norm;
mod bf16;
mod correlation;
mod depthwise;
mod elementwise;
mod integer;
mod map;
mod packed_weights;
mod pool;
mod resize;
mod vector_loop;
mod weight_gradient;

pub(crate) use batch_norm::{Affine, AffineGradient, moments};
pub(crate) use bf16::{PairedWeights, Products};
pub(crate) use correlation::Correlation;
pub(crate) use depthwise::{Depthwise, TAPS, taps_first};
pub(crate) use elementwise::{Add, ScaleChannels, add_assign, add_products, mask, sigmoid};
pub(crate) use integer::{
    IntegerAdd, IntegerDepthwise, IntegerMaxPool, IntegerProducts, IntegerScale, IntegerUpsample,
    PackedQuads, PackedTaps, Requantization, SLACK, channel_means, dequantize, quantize,
};
pub(crate) use map::Map;
pub(crate) use packed_weights::PackedWeights;
pub(crate) use pool::{MaxPool, scatter};
pub(crate) use resize::{Upsample, WindowSums, add_upsample_gradient};
pub(crate) use weight_gradient::WeightGradient;
