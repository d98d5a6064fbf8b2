//! The property `precision`: the numbers in which a network multiplies.

use emotion_models::Weights;
use emotion_models::inference::Precision;
use gst::glib;

/// The values of the property.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPrecision")]
#[repr(i32)]
pub enum PrecisionChoice {
    /// The fastest that the machine has instructions for, and in which the weights keep their accuracy.
    #[default]
    #[enum_value(
        name = "The fastest of this machine in which the weights keep their accuracy",
        nick = "auto"
    )]
    Auto,
    /// 24 significant bits.
    #[enum_value(
        name = "32-bit numbers, the same results on every machine up to rounding",
        nick = "f32"
    )]
    F32,
    /// 8 significant bits.
    #[enum_value(name = "bfloat16, for processors with AVX-512 BF16", nick = "bf16")]
    Bf16,
    /// Integers of eight bits.
    #[enum_value(
        name = "Integers of eight bits, for weights that emotion-trainer quantize has made",
        nick = "int8"
    )]
    Int8,
}

impl PrecisionChoice {
    /// The precision for these weights.
    pub(crate) fn of(self, weights: &Weights) -> Precision {
        match self {
            Self::Auto => weights.fastest_precision(),
            Self::F32 => Precision::F32,
            Self::Bf16 => Precision::Bf16,
            Self::Int8 => Precision::Int8,
        }
    }
}
