//! Operations on integers of eight bits: activations without a sign, weights with one, sums of 32 bits.
//!
//! An activation `q` stands for `scale · (q − zero point)`. One instruction multiplies four activations, a *quad*, with four
//! weights and adds the products. The results are equal on every instruction set: integers add exactly, and what follows,
//! from the sum to the stored activation, is a fixed order of single `f32` operations and one rounding to the nearest even.

mod depthwise;
mod dispatch;
mod elementwise;
mod portable;
mod products;
mod simd;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use depthwise::{IntegerDepthwise, PackedTaps};
pub(crate) use elementwise::{
    IntegerAdd, IntegerMaxPool, IntegerScale, IntegerUpsample, channel_means, dequantize, quantize,
};
pub(crate) use products::{IntegerProducts, PackedQuads};

/// Values that a vector may read or write behind the last one.
pub(crate) const SLACK: usize = 64;

/// Values of one channel, or of all, that meet in one instruction.
const QUAD: usize = 4;

/// From a sum to a stored activation: `sum · multiplier[channel] + added · add_multiplier + offset`, rounded, within 0 to
/// 255. The upper or the lower bound is the activation function as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requantization<'a> {
    /// Laid out like `out`, to be added.
    pub(crate) add: Option<&'a [u8]>,
    pub(crate) add_multiplier: f32,
    pub(crate) offset: f32,
}

/// The stored activation of a value that is rounded to the nearest even and kept within 0 to 255.
#[inline(always)]
pub(crate) fn saturate(value: f32) -> u8 {
    // From 2²³ on, the last bit of a float stands for 1.
    const ONES: f32 = 8_388_608.0;
    (value.clamp(0.0, 255.0) + ONES).to_bits() as u8
}
