//! Loops over whole vectors of channels.

use pulp::{Scalar, Simd, WithSimd};

use crate::Instructions;

/// A loop in which every channel is treated alike.
pub(crate) trait VectorLoop {
    type Output;

    /// The number of channels. Where vectors would not divide it, they have a single lane.
    fn channels(&self) -> usize;

    /// The loop; mark it `#[inline(always)]`, for only inlined code uses the machine's instructions.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs the loop on the widest vectors that fit.
pub(crate) fn run<L: VectorLoop>(vector_loop: L) -> L::Output {
    run_on(Instructions::best(), vector_loop)
}

/// The same with these instructions.
pub(crate) fn run_on<L: VectorLoop>(instructions: Instructions, vector_loop: L) -> L::Output {
    instructions.dispatch(vector_loop.channels(), Dispatch(vector_loop))
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
