//! AVX2 and AVX-512, with and without VNNI.

use std::arch::x86_64::*;

use super::simd::{IntegerKernel, IntegerSimd};
use crate::instructions::{Instructions, IntegerProductSet};

/// Runs the kernel, or gives it back where the instructions are none of these.
pub(super) fn dispatch<K: IntegerKernel>(
    instructions: Instructions,
    bytes: usize,
    kernel: K,
) -> Result<(), K> {
    // SAFETY: the machine has the instructions, for `Instructions` are those that it has.
    unsafe {
        match instructions.integer_products() {
            IntegerProductSet::Avx512 if bytes > 32 => avx512(kernel),
            IntegerProductSet::Avx512Vnni if bytes > 32 => avx512_vnni(kernel),
            IntegerProductSet::Avx512Vnni => avx512_vnni_half(kernel),
            IntegerProductSet::Avx2Vnni => avx2_vnni(kernel),
            IntegerProductSet::Avx2 | IntegerProductSet::Avx512 => avx2(kernel),
            IntegerProductSet::Portable => return Err(kernel),
        }
    }
    Ok(())
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn avx512_vnni<K: IntegerKernel>(kernel: K) {
    kernel.run(Avx512::<true>);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn avx512<K: IntegerKernel>(kernel: K) {
    kernel.run(Avx512::<false>);
}

#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
fn avx512_vnni_half<K: IntegerKernel>(kernel: K) {
    kernel.run(Avx2::<AVX512_VNNI>);
}

#[target_feature(enable = "avx2,avxvnni")]
fn avx2_vnni<K: IntegerKernel>(kernel: K) {
    kernel.run(Avx2::<AVX_VNNI>);
}

#[target_feature(enable = "avx2")]
fn avx2<K: IntegerKernel>(kernel: K) {
    kernel.run(Avx2::<WITHOUT_VNNI>);
}

/// Vectors of 64 bytes, with VNNI or without.
#[derive(Clone, Copy)]
struct Avx512<const VNNI: bool>;

/// Vectors of 32 bytes.
#[derive(Clone, Copy)]
struct Avx2<const VNNI: u8>;

/// Two instructions multiply bytes and add the products, one adds them to the sums.
const WITHOUT_VNNI: u8 = 0;
/// One instruction does all that.
const AVX_VNNI: u8 = 1;
/// The same instruction of AVX-512.
const AVX512_VNNI: u8 = 2;

/// The first so many values, as a pointer.
#[inline(always)]
fn pointer<T>(values: &[T], count: usize) -> *const T {
    values[..count].as_ptr()
}

// SAFETY of all blocks below: the type says that the machine has the instructions, and `pointer` that the values are there.

impl<const VNNI: bool> IntegerSimd for Avx512<VNNI> {
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const IS_SIGNED: bool = false;
    type Sums = __m512i;
    type Bytes = __m512i;
    type Floats = __m512;

    #[inline(always)]
    fn sums(self, values: &[i32]) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(pointer(values, 16).cast()) }
    }

    #[inline(always)]
    fn activations(self, values: &[u8]) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(pointer(values, 64).cast()) }
    }

    #[inline(always)]
    fn weights(self, values: &[i8]) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(pointer(values, 64).cast()) }
    }

    #[inline(always)]
    fn splat_quad(self, quad: [u8; 4]) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(i32::from_le_bytes(quad)) }
    }

    #[inline(always)]
    fn dot(self, sums: __m512i, x: __m512i, weights: __m512i) -> __m512i {
        // SAFETY: see above; the value of `VNNI` says which of them the machine has.
        unsafe {
            if VNNI {
                return _mm512_dpbusd_epi32(sums, x, weights);
            }
            // Two products fit 16 bits, as the trait says.
            let pairs = _mm512_maddubs_epi16(x, weights);
            _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))
        }
    }

    #[inline(always)]
    fn interleave(self, [top, bottom, middle]: [__m512i; 3]) -> [__m512i; 4] {
        // SAFETY: see above.
        unsafe {
            let zero = _mm512_setzero_si512();
            let outer = [
                _mm512_unpacklo_epi8(top, bottom),
                _mm512_unpackhi_epi8(top, bottom),
            ];
            let inner = [
                _mm512_unpacklo_epi8(middle, zero),
                _mm512_unpackhi_epi8(middle, zero),
            ];
            [
                _mm512_unpacklo_epi16(outer[0], inner[0]),
                _mm512_unpackhi_epi16(outer[0], inner[0]),
                _mm512_unpacklo_epi16(outer[1], inner[1]),
                _mm512_unpackhi_epi16(outer[1], inner[1]),
            ]
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m512i) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_cvtepi32_ps(sums) }
    }

    #[inline(always)]
    fn floats(self, values: &[f32]) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(pointer(values, 16)) }
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn bytes_to_floats(self, values: &[u8]) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let bytes = _mm_loadu_si128(pointer(values, 16).cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn store(self, values: __m512, out: &mut [u8]) {
        let out = out[..16].as_mut_ptr();
        // SAFETY: see above; `out` has room for 16 bytes.
        unsafe {
            let rounded = _mm512_cvtps_epi32(values);
            let positive = _mm512_max_epi32(rounded, _mm512_setzero_si512());
            _mm_storeu_si128(out.cast(), _mm512_cvtusepi32_epi8(positive));
        }
    }

    #[inline(always)]
    fn store_interleaved(self, values: [__m512; 4], out: &mut [u8]) {
        let out = out[..64].as_mut_ptr();
        // SAFETY: see above; `out` has room for 64 bytes.
        unsafe {
            let [a, b, c, d] = values;
            let front = _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b));
            let back = _mm512_packs_epi32(_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
            let packed = _mm512_packus_epi16(front, back);
            _mm512_storeu_si512(out.cast(), packed);
        }
    }
}

impl<const VNNI: u8> IntegerSimd for Avx2<VNNI> {
    const LANES: usize = 8;
    const REGISTERS: usize = if VNNI == AVX512_VNNI { 32 } else { 16 };
    const IS_SIGNED: bool = false;
    type Sums = __m256i;
    type Bytes = __m256i;
    type Floats = __m256;

    #[inline(always)]
    fn sums(self, values: &[i32]) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(pointer(values, 8).cast()) }
    }

    #[inline(always)]
    fn activations(self, values: &[u8]) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(pointer(values, 32).cast()) }
    }

    #[inline(always)]
    fn weights(self, values: &[i8]) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(pointer(values, 32).cast()) }
    }

    #[inline(always)]
    fn splat_quad(self, quad: [u8; 4]) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(i32::from_le_bytes(quad)) }
    }

    #[inline(always)]
    fn dot(self, sums: __m256i, x: __m256i, weights: __m256i) -> __m256i {
        // SAFETY: see above; the value of `VNNI` says which of them the machine has.
        unsafe {
            match VNNI {
                AVX_VNNI => _mm256_dpbusd_avx_epi32(sums, x, weights),
                AVX512_VNNI => _mm256_dpbusd_epi32(sums, x, weights),
                _ => {
                    // Two products fit 16 bits, as the trait says.
                    let pairs = _mm256_maddubs_epi16(x, weights);
                    _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
                }
            }
        }
    }

    #[inline(always)]
    fn interleave(self, [top, bottom, middle]: [__m256i; 3]) -> [__m256i; 4] {
        // SAFETY: see above.
        unsafe {
            let zero = _mm256_setzero_si256();
            let outer = [
                _mm256_unpacklo_epi8(top, bottom),
                _mm256_unpackhi_epi8(top, bottom),
            ];
            let inner = [
                _mm256_unpacklo_epi8(middle, zero),
                _mm256_unpackhi_epi8(middle, zero),
            ];
            [
                _mm256_unpacklo_epi16(outer[0], inner[0]),
                _mm256_unpackhi_epi16(outer[0], inner[0]),
                _mm256_unpacklo_epi16(outer[1], inner[1]),
                _mm256_unpackhi_epi16(outer[1], inner[1]),
            ]
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m256i) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_cvtepi32_ps(sums) }
    }

    #[inline(always)]
    fn floats(self, values: &[f32]) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(pointer(values, 8)) }
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn bytes_to_floats(self, values: &[u8]) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let bytes = _mm_loadl_epi64(pointer(values, 8).cast());
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn store(self, values: __m256, out: &mut [u8]) {
        let out = out[..8].as_mut_ptr();
        // SAFETY: see above; `out` has room for 8 bytes.
        unsafe {
            let rounded = _mm256_cvtps_epi32(values);
            let words = _mm_packs_epi32(
                _mm256_castsi256_si128(rounded),
                _mm256_extracti128_si256::<1>(rounded),
            );
            _mm_storel_epi64(out.cast(), _mm_packus_epi16(words, words));
        }
    }

    #[inline(always)]
    fn store_interleaved(self, values: [__m256; 4], out: &mut [u8]) {
        let out = out[..32].as_mut_ptr();
        // SAFETY: see above; `out` has room for 32 bytes.
        unsafe {
            let [a, b, c, d] = values;
            let front = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
            let back = _mm256_packs_epi32(_mm256_cvtps_epi32(c), _mm256_cvtps_epi32(d));
            let packed = _mm256_packus_epi16(front, back);
            _mm256_storeu_si256(out.cast(), packed);
        }
    }
}
