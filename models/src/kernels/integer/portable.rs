//! Plain Rust.

use super::saturate;
use super::simd::IntegerSimd;

/// No instruction set in particular.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

const LANES: usize = 4;

fn array<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    *values.first_chunk().expect("a whole vector")
}

impl IntegerSimd for Portable {
    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    const IS_SIGNED: bool = false;
    type Sums = [i32; LANES];
    // Wide enough for both kinds.
    type Bytes = [i16; 4 * LANES];
    type Floats = [f32; LANES];

    #[inline(always)]
    fn sums(self, values: &[i32]) -> Self::Sums {
        array(values)
    }

    #[inline(always)]
    fn activations(self, values: &[u8]) -> Self::Bytes {
        array::<_, { 4 * LANES }>(values).map(i16::from)
    }

    #[inline(always)]
    fn weights(self, values: &[i8]) -> Self::Bytes {
        array::<_, { 4 * LANES }>(values).map(i16::from)
    }

    #[inline(always)]
    fn splat_quad(self, quad: [u8; 4]) -> Self::Bytes {
        std::array::from_fn(|i| i16::from(quad[i % 4]))
    }

    #[inline(always)]
    fn dot(self, sums: Self::Sums, x: Self::Bytes, weights: Self::Bytes) -> Self::Sums {
        std::array::from_fn(|lane| {
            let products =
                (4 * lane..4 * lane + 4).map(|i| i32::from(x[i]) * i32::from(weights[i]));
            sums[lane] + products.sum::<i32>()
        })
    }

    #[inline(always)]
    fn interleave(self, [top, bottom, middle]: [Self::Bytes; 3]) -> [Self::Bytes; 4] {
        std::array::from_fn(|vector| {
            std::array::from_fn(|i| {
                let channel = Self::channel(vector, i / 4);
                [top[channel], bottom[channel], middle[channel], 0][i % 4]
            })
        })
    }

    #[inline(always)]
    fn to_floats(self, sums: Self::Sums) -> Self::Floats {
        sums.map(|sum| sum as f32)
    }

    #[inline(always)]
    fn floats(self, values: &[f32]) -> Self::Floats {
        array(values)
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> Self::Floats {
        [value; LANES]
    }

    #[inline(always)]
    fn bytes_to_floats(self, values: &[u8]) -> Self::Floats {
        array::<_, LANES>(values).map(f32::from)
    }

    #[inline(always)]
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn store(self, values: Self::Floats, out: &mut [u8]) {
        out[..LANES].copy_from_slice(&values.map(saturate));
    }

    #[inline(always)]
    fn store_interleaved(self, values: [Self::Floats; 4], out: &mut [u8]) {
        for (values, out) in values.into_iter().zip(out.chunks_exact_mut(LANES)) {
            self.store(values, out);
        }
    }
}
