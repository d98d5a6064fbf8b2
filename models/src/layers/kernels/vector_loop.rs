//! The choice of the instruction set, and loops over whole vectors of channels.

use pulp::{Arch, Scalar, Simd, WithSimd};

/// Runs `kernel`, which works on vectors of `channels`, with the widest vectors that these fill: 8 channels leave half
/// of a 512-bit vector empty.
pub(super) fn dispatch<K: WithSimd>(channels: usize, kernel: K) -> K::Output {
    match Arch::new() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(simd) if !channels.next_multiple_of(8).is_multiple_of(16) => {
            Simd::vectorize(*simd, kernel)
        }
        arch => arch.dispatch(kernel),
    }
}

/// The number of floats in the vectors that [`dispatch`] chooses.
pub(super) fn lanes(channels: usize) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    dispatch(channels, Lanes)
}

/// A loop in which every channel is treated alike.
pub(super) trait VectorLoop {
    type Output;

    /// The number of channels. Where vectors would not divide it, they have a single lane.
    fn channels(&self) -> usize;

    /// The loop; mark it `#[inline(always)]`, for only inlined code uses the machine's instructions.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs the loop on the widest vectors that fit.
pub(super) fn run<L: VectorLoop>(vector_loop: L) -> L::Output {
    dispatch(vector_loop.channels(), Dispatch(vector_loop))
}

struct Dispatch<L>(L);

impl<L: VectorLoop> WithSimd for Dispatch<L> {
    type Output = L::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> L::Output {
        if self.0.channels().is_multiple_of(S::F32_LANES) {
            self.0.run(simd)
        } else {
            self.0.run(Scalar)
        }
    }
}
