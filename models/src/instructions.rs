//! The instruction sets that the loops are compiled for.

use std::fmt;

use pulp::{Scalar128b, Simd, WithSimd};

/// An instruction set that this machine has.
#[derive(Debug, Clone, Copy)]
pub struct Instructions(Set);

#[derive(Debug, Clone, Copy)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
}

impl Instructions {
    /// What every machine has.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// The fastest.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        match pulp::Arch::new() {
            pulp::Arch::V4(simd) => return Self(Set::Avx512(simd)),
            pulp::Arch::V3(simd) => return Self(Set::Avx2(simd)),
            _ => {}
        }
        #[cfg(target_arch = "aarch64")]
        if let pulp::Arch::Neon(simd) = pulp::Arch::new() {
            return Self(Set::Neon(simd));
        }
        Self::PORTABLE
    }

    /// All of them, the slowest first.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(|simd| Self(Set::Avx2(simd))));
            all.extend(pulp::x86::V4::try_new().map(|simd| Self(Set::Avx512(simd))));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(|simd| Self(Set::Neon(simd))));
        all
    }

    /// Its name, such as `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => "neon",
        }
    }

    /// Runs `kernel`, which works on vectors of `channels`, with the widest vectors that these fill: 8 channels leave
    /// half of a 512-bit vector empty.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn dispatch<K: WithSimd>(self, channels: usize, kernel: K) -> K::Output {
        match self.0 {
            Set::Portable => Simd::vectorize(Scalar128b, kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) if !channels.next_multiple_of(8).is_multiple_of(16) => {
                Simd::vectorize(*simd, kernel)
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(simd) => Simd::vectorize(simd, kernel),
        }
    }

    /// The number of floats in the vectors that [`dispatch`](Self::dispatch) chooses.
    pub(crate) fn lanes(self, channels: usize) -> usize {
        struct Lanes;
        impl WithSimd for Lanes {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        self.dispatch(channels, Lanes)
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
