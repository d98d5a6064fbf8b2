//! NEON, with and without its dot products.

use std::arch::aarch64::*;
use std::arch::asm;

use super::simd::{IntegerKernel, IntegerSimd};
use crate::instructions::{Instructions, IntegerProductSet};

/// Runs the kernel, or gives it back where the instructions are none of these.
pub(super) fn dispatch<K: IntegerKernel>(instructions: Instructions, kernel: K) -> Result<(), K> {
    // SAFETY: the machine has the instructions, for `Instructions` are those that it has.
    unsafe {
        match instructions.integer_products() {
            IntegerProductSet::NeonDot => neon_dot(kernel),
            IntegerProductSet::Neon => neon(kernel),
            IntegerProductSet::Portable => return Err(kernel),
        }
    }
    Ok(())
}

#[target_feature(enable = "neon,dotprod")]
fn neon_dot<K: IntegerKernel>(kernel: K) {
    kernel.run(Neon::<true>);
}

#[target_feature(enable = "neon")]
fn neon<K: IntegerKernel>(kernel: K) {
    kernel.run(Neon::<false>);
}

/// Vectors of 16 bytes. Both factors have a sign: there is no instruction for one with and one without.
#[derive(Clone, Copy)]
struct Neon<const DOT: bool>;

/// The first so many values, as a pointer.
#[inline(always)]
fn pointer<T>(values: &[T], count: usize) -> *const T {
    values[..count].as_ptr()
}

// SAFETY of all blocks below: the type says that the machine has the instructions, and `pointer` that the values are there.

impl<const DOT: bool> IntegerSimd for Neon<DOT> {
    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    const IS_SIGNED: bool = true;
    type Sums = int32x4_t;
    type Bytes = int8x16_t;
    type Floats = float32x4_t;

    #[inline(always)]
    fn sums(self, values: &[i32]) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_s32(pointer(values, 4)) }
    }

    #[inline(always)]
    fn activations(self, values: &[u8]) -> int8x16_t {
        // SAFETY: see above.
        unsafe {
            let bytes = vld1q_u8(pointer(values, 16));
            vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x80)))
        }
    }

    #[inline(always)]
    fn weights(self, values: &[i8]) -> int8x16_t {
        // SAFETY: see above.
        unsafe { vld1q_s8(pointer(values, 16)) }
    }

    #[inline(always)]
    fn splat_quad(self, quad: [u8; 4]) -> int8x16_t {
        let quad = u32::from_le_bytes(quad) ^ 0x8080_8080;
        // SAFETY: see above.
        unsafe { vreinterpretq_s8_u32(vdupq_n_u32(quad)) }
    }

    #[inline(always)]
    fn dot(self, sums: int32x4_t, x: int8x16_t, weights: int8x16_t) -> int32x4_t {
        if DOT {
            let mut sums = sums;
            // SAFETY: the machine has the instruction, which reads and writes these registers alone.
            unsafe {
                asm!(
                    ".arch_extension dotprod",
                    "sdot {sums:v}.4s, {x:v}.16b, {weights:v}.16b",
                    sums = inout(vreg) sums,
                    x = in(vreg) x,
                    weights = in(vreg) weights,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            return sums;
        }
        // SAFETY: see above. Two products fit 16 bits, as the trait says.
        unsafe {
            let low = vmull_s8(vget_low_s8(x), vget_low_s8(weights));
            let high = vmull_high_s8(x, weights);
            vpadalq_s16(sums, vpaddq_s16(low, high))
        }
    }

    #[inline(always)]
    fn interleave(self, [top, bottom, middle]: [int8x16_t; 3]) -> [int8x16_t; 4] {
        // SAFETY: see above.
        unsafe {
            let zero = vdupq_n_s8(0);
            let words = |bytes| vreinterpretq_s16_s8(bytes);
            let outer = [vzip1q_s8(top, bottom), vzip2q_s8(top, bottom)];
            let inner = [vzip1q_s8(middle, zero), vzip2q_s8(middle, zero)];
            let bytes = |words| vreinterpretq_s8_s16(words);
            [
                bytes(vzip1q_s16(words(outer[0]), words(inner[0]))),
                bytes(vzip2q_s16(words(outer[0]), words(inner[0]))),
                bytes(vzip1q_s16(words(outer[1]), words(inner[1]))),
                bytes(vzip2q_s16(words(outer[1]), words(inner[1]))),
            ]
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: int32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vcvtq_f32_s32(sums) }
    }

    #[inline(always)]
    fn floats(self, values: &[f32]) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(pointer(values, 4)) }
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    fn bytes_to_floats(self, values: &[u8]) -> float32x4_t {
        let quad = u32::from_le_bytes([values[0], values[1], values[2], values[3]]);
        // SAFETY: see above.
        unsafe {
            let bytes = vreinterpret_u8_u32(vdup_n_u32(quad));
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn store(self, values: float32x4_t, out: &mut [u8]) {
        // SAFETY: see above.
        let quad = unsafe {
            let words = vqmovun_s32(vcvtnq_s32_f32(values));
            let bytes = vqmovn_u16(vcombine_u16(words, words));
            vget_lane_u32::<0>(vreinterpret_u32_u8(bytes))
        };
        out[..4].copy_from_slice(&quad.to_le_bytes());
    }

    #[inline(always)]
    fn store_interleaved(self, values: [float32x4_t; 4], out: &mut [u8]) {
        let out = out[..16].as_mut_ptr();
        let [a, b, c, d] = values;
        // SAFETY: see above; `out` has room for 16 bytes.
        unsafe {
            let front = vcombine_u16(
                vqmovun_s32(vcvtnq_s32_f32(a)),
                vqmovun_s32(vcvtnq_s32_f32(b)),
            );
            let back = vcombine_u16(
                vqmovun_s32(vcvtnq_s32_f32(c)),
                vqmovun_s32(vcvtnq_s32_f32(d)),
            );
            vst1q_u8(out, vcombine_u8(vqmovn_u16(front), vqmovn_u16(back)));
        }
    }
}
