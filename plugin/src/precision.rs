//! The property `precision`: the numbers in which a network multiplies.

use emotion_models::inference::Precision;
use gst::glib;

/// The values of the property.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPrecision")]
#[repr(i32)]
pub enum PrecisionChoice {
    /// The fastest that the machine has instructions for.
    #[default]
    #[enum_value(name = "The fastest of this machine", nick = "auto")]
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
}

impl From<PrecisionChoice> for Precision {
    fn from(choice: PrecisionChoice) -> Self {
        match choice {
            PrecisionChoice::Auto => Self::fastest(),
            PrecisionChoice::F32 => Self::F32,
            PrecisionChoice::Bf16 => Self::Bf16,
        }
    }
}
