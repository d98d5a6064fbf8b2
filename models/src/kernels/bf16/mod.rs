//! Convolutions of bfloat16: the upper half of an `f32`. One instruction multiplies twice as many of them.
//!
//! The instruction adds two products to each sum, so neighbouring inputs go in pairs, 16 bits each.

#[cfg_attr(target_arch = "x86_64", path = "x86.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "none.rs")]
mod machine;

pub(crate) use machine::PairedWeights;

/// A convolution with stride 1.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) struct Products<'a> {
    /// Pairs of inputs, `[rows, row_in]`.
    pub(crate) x: &'a [u32],
    /// Pairs from one row of `x` to the next.
    pub(crate) row_in: usize,
    pub(crate) weights: &'a PairedWeights,
    /// One for each output channel.
    pub(crate) bias: &'a [f32],
    /// Laid out like `out`, to be added.
    pub(crate) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    /// `[rows, row_out]`; the first `width` outputs of each row are written.
    pub(crate) out: &'a mut [f32],
    /// Values from one row of `out` to the next.
    pub(crate) row_out: usize,
    pub(crate) width: usize,
}

impl Products<'_> {
    pub(crate) fn run(self) {
        machine::multiply(self);
    }
}

/// Two floats, each rounded to the nearest.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
fn pair(low: f32, high: f32) -> u32 {
    let rounded = |value: f32| {
        let bits = value.to_bits();
        (bits + 0x7fff + ((bits >> 16) & 1)) >> 16
    };
    rounded(low) | (rounded(high) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_the_upper_halves_rounded_to_even() {
        assert_eq!(pair(1.0, -2.0), 0xc000_3f80);
        // A tie above an even and above an odd half.
        let [even, odd] = [0x3f80_8000, 0x3f81_8000].map(f32::from_bits);
        assert_eq!(pair(even, odd), 0x3f82_3f80);
        assert_eq!(pair(0.0, f32::MIN_POSITIVE), 0x0080_0000);
    }
}
