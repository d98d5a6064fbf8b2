//! The arithmetic peak of the machine.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

/// Multiply-adds of one measurement, in vectors.
const STEPS: usize = 100_000;
/// Number of independent sums: more than the latency of a multiply-add times the number of units.
const SUMS: usize = 12;

/// Multiply-adds a second on one thread, in registers alone. It is measured once.
pub(crate) fn peak() -> f64 {
    static PEAK: OnceLock<f64> = OnceLock::new();
    *PEAK.get_or_init(|| {
        let arch = Arch::new();
        // The best of many, because every disturbance slows a measurement down.
        let rates = (0..200).map(|_| {
            let started = Instant::now();
            let multiply_adds = arch.dispatch(MultiplyAdds);
            multiply_adds as f64 / started.elapsed().as_secs_f64()
        });
        rates.fold(0.0, f64::max)
    })
}

struct MultiplyAdds;

impl WithSimd for MultiplyAdds {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let factor = black_box(simd.splat_f32s(0.5));
        let mut sums = [black_box(simd.splat_f32s(1.0)); SUMS];
        for _ in 0..STEPS / SUMS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, factor);
            }
        }
        black_box(sums);
        STEPS / SUMS * SUMS * S::F32_LANES
    }
}
