//! The choices of the properties of `emotionclassify`.

use emotion_analysis::SmoothingMethod;
use emotion_models::preprocess::LightCorrection;
use gst::glib;

/// When faces are known to be at rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyBaseline")]
#[repr(i32)]
pub(super) enum RestMoment {
    #[default]
    #[enum_value(name = "Never, unless learn-baseline is emitted", nick = "none")]
    None,
    #[enum_value(
        name = "In the second after the first frame with a face",
        nick = "first-second"
    )]
    FirstSecond,
}

/// The names of [`SmoothingMethod`] as a property.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifySmoothing")]
#[repr(i32)]
pub(super) enum Smoothing {
    #[enum_value(name = "Each frame by itself", nick = "none")]
    None,
    #[enum_value(name = "The most frequent label of the window", nick = "mode")]
    Mode,
    #[enum_value(name = "The mean of the window", nick = "mean")]
    Mean,
    #[default]
    #[enum_value(
        name = "A label stays until another leads clearly for long enough",
        nick = "adaptive"
    )]
    Adaptive,
}

impl From<Smoothing> for SmoothingMethod {
    fn from(smoothing: Smoothing) -> Self {
        match smoothing {
            Smoothing::None => Self::None,
            Smoothing::Mode => Self::Mode,
            Smoothing::Mean => Self::Mean,
            Smoothing::Adaptive => Self::Adaptive,
        }
    }
}

/// The names of [`LightCorrection`] as a property.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyLight")]
#[repr(i32)]
pub(super) enum CropLight {
    #[default]
    #[enum_value(name = "No correction", nick = "none")]
    None,
    #[enum_value(name = "Histogram equalisation", nick = "equalize")]
    Equalize,
    #[enum_value(
        name = "Contrast-limited adaptive histogram equalisation",
        nick = "clahe"
    )]
    Clahe,
    #[enum_value(
        name = "Brighter where it is dark, a shape for burnt-out highlights",
        nick = "exposure"
    )]
    Exposure,
}

impl From<CropLight> for LightCorrection {
    fn from(light: CropLight) -> Self {
        match light {
            CropLight::None => Self::None,
            CropLight::Equalize => Self::Equalize,
            CropLight::Clahe => Self::Clahe,
            CropLight::Exposure => Self::Exposure,
        }
    }
}
