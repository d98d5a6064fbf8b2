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
    /// With the products of integers of AVX-VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx2Vnni(pulp::x86::V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// With the products of integers of AVX-512 VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(pulp::x86::V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    /// With products of integers.
    #[cfg(target_arch = "aarch64")]
    NeonDot(pulp::aarch64::Neon),
}

/// The instructions that multiply integers of eight bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntegerProductSet {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx2Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    NeonDot,
}

impl Instructions {
    /// What every machine has.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// The fastest.
    pub fn best() -> Self {
        Self::present().last().unwrap_or(Self::PORTABLE)
    }

    /// All of them, the slowest first.
    pub fn all() -> Vec<Self> {
        Self::present().collect()
    }

    fn present() -> impl Iterator<Item = Self> {
        let all = [Some(Set::Portable)].into_iter();
        #[cfg(target_arch = "x86_64")]
        let all = {
            use std::arch::is_x86_feature_detected as has;
            let (v3, v4) = (pulp::x86::V3::try_new(), pulp::x86::V4::try_new());
            all.chain([
                v3.map(Set::Avx2),
                v3.filter(|_| has!("avxvnni")).map(Set::Avx2Vnni),
                v4.map(Set::Avx512),
                v4.filter(|_| has!("avx512vnni")).map(Set::Avx512Vnni),
            ])
        };
        #[cfg(target_arch = "aarch64")]
        let all = {
            use std::arch::is_aarch64_feature_detected as has;
            let neon = pulp::aarch64::Neon::try_new();
            all.chain([
                neon.map(Set::Neon),
                neon.filter(|_| has!("dotprod")).map(Set::NeonDot),
            ])
        };
        all.flatten().map(Self)
    }

    /// Its name, such as `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2Vnni(_) => "avx2_vnni",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(_) => "avx512_vnni",
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => "neon",
            #[cfg(target_arch = "aarch64")]
            Set::NeonDot(_) => "neon_dot",
        }
    }

    /// Whether it multiplies integers of eight bits faster than floats.
    pub(crate) fn multiplies_integers(self) -> bool {
        match self.integer_products() {
            IntegerProductSet::Portable => false,
            // Without dot products it takes four instructions for what one does in floats four times.
            #[cfg(target_arch = "aarch64")]
            IntegerProductSet::Neon => false,
            #[cfg(target_arch = "x86_64")]
            IntegerProductSet::Avx2
            | IntegerProductSet::Avx2Vnni
            | IntegerProductSet::Avx512
            | IntegerProductSet::Avx512Vnni => true,
            #[cfg(target_arch = "aarch64")]
            IntegerProductSet::NeonDot => true,
        }
    }

    /// How it multiplies integers of eight bits.
    pub(crate) fn integer_products(self) -> IntegerProductSet {
        match self.0 {
            Set::Portable => IntegerProductSet::Portable,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => IntegerProductSet::Avx2,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => IntegerProductSet::Avx512,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2Vnni(_) => IntegerProductSet::Avx2Vnni,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(_) => IntegerProductSet::Avx512Vnni,
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => IntegerProductSet::Neon,
            #[cfg(target_arch = "aarch64")]
            Set::NeonDot(_) => IntegerProductSet::NeonDot,
        }
    }

    /// Runs `kernel`, which works on vectors of `channels`, with the widest vectors that these fill: 8 channels leave
    /// half of a 512-bit vector empty.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn dispatch<K: WithSimd>(self, channels: usize, kernel: K) -> K::Output {
        match self.0 {
            Set::Portable => Simd::vectorize(Scalar128b, kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) | Set::Avx2Vnni(simd) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) | Set::Avx512Vnni(simd)
                if !channels.next_multiple_of(8).is_multiple_of(16) =>
            {
                Simd::vectorize(*simd, kernel)
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) | Set::Avx512Vnni(simd) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(simd) | Set::NeonDot(simd) => Simd::vectorize(simd, kernel),
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
