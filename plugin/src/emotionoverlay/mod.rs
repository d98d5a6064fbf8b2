//! `emotionoverlay`: draws boxes, labels and probability bars into the picture.

use gst::glib;
use gst::prelude::*;

mod blend;
mod draw;
mod imp;
mod layout;
mod negotiate;
mod overlay;
mod palette;
mod scene;

/// Which faces get bars with the probabilities of all emotions.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayBars")]
#[repr(u32)]
pub enum Bars {
    /// No face.
    #[enum_value(name = "No face", nick = "none")]
    None,
    /// The largest face that has an emotion.
    #[default]
    #[enum_value(name = "The largest face", nick = "largest")]
    Largest,
    /// Every face beside which there is room.
    #[enum_value(name = "Every face beside which there is room", nick = "all")]
    All,
}

/// The properties of the element.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    boxes: bool,
    labels: bool,
    confidence: bool,
    bars: Bars,
    font: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            boxes: true,
            labels: true,
            confidence: true,
            bars: Bars::default(),
            font: "Sans".into(),
        }
    }
}

glib::wrapper! {
    /// The element `emotionoverlay`.
    pub struct EmotionOverlay(ObjectSubclass<imp::EmotionOverlay>)
        @extends gst::Element, gst::Object;
}

/// The colour that stands for the emotion `label`, or for a face without one: red, green and blue. Reports and charts
/// take the same.
pub fn colour(label: Option<&str>) -> [u8; 3] {
    let palette::Colour(red, green, blue) = match label {
        Some(label) if label != crate::face::UNCERTAIN => palette::colour(label, 0),
        _ => palette::UNCLASSIFIED,
    };
    [red, green, blue]
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Bars::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "emotionoverlay",
        gst::Rank::NONE,
        EmotionOverlay::static_type(),
    )
}
