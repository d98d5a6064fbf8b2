//! Chooses the vectors of an instruction set.

use super::simd::{IntegerKernel, IntegerSimd};
use crate::Instructions;

/// Runs the kernel in vectors of at most so many bytes.
pub(super) fn dispatch<K: IntegerKernel>(instructions: Instructions, bytes: usize, kernel: K) {
    #[cfg(target_arch = "x86_64")]
    let Err(kernel) = super::x86::dispatch(instructions, bytes, kernel) else {
        return;
    };
    #[cfg(target_arch = "aarch64")]
    let Err(kernel) = super::aarch64::dispatch(instructions, kernel) else {
        return;
    };
    let _ = (instructions, bytes);
    kernel.run(super::portable::Portable);
}

/// What packing needs to know of the instruction set that [`dispatch`] chooses.
#[derive(Debug, Clone, Copy)]
pub(super) struct VectorLayout {
    /// Sums in a vector.
    pub(super) lanes: usize,
    pub(super) is_signed: bool,
    /// [`IntegerSimd::channel`]
    pub(super) channel: fn(usize, usize) -> usize,
}

impl VectorLayout {
    pub(super) fn of(instructions: Instructions, bytes: usize) -> Self {
        struct Find<'a>(&'a mut Option<VectorLayout>);
        impl IntegerKernel for Find<'_> {
            #[inline(always)]
            fn run<S: IntegerSimd>(self, _: S) {
                *self.0 = Some(VectorLayout {
                    lanes: S::LANES,
                    is_signed: S::IS_SIGNED,
                    channel: S::channel,
                });
            }
        }
        let mut layout = None;
        dispatch(instructions, bytes, Find(&mut layout));
        layout.expect("the kernel has run")
    }
}
