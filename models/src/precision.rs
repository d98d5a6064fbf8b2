//! The precision of products.

use std::fmt;

/// The numbers that are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 24 significant bits.
    F32,
    /// 8 significant bits in most convolutions, at twice the speed; the third digit of a probability may change.
    Bf16,
    /// Integers of eight bits in most convolutions, for weights that [are quantised](crate::weights).
    Int8,
}

impl Precision {
    /// All of them, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// Its name, such as `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// Whether this machine has instructions for it.
    pub fn is_available(self) -> bool {
        match self {
            Self::F32 | Self::Int8 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Bf16 => {
                pulp::x86::V4::try_new().is_some()
                    && std::arch::is_x86_feature_detected!("avx512bf16")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Bf16 => false,
        }
    }

    /// The fastest of floats that is available.
    pub fn fastest() -> Self {
        if Self::Bf16.is_available() {
            Self::Bf16
        } else {
            Self::F32
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
