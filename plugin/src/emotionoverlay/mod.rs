//! `emotionoverlay`: draws boxes, labels, probability bars and histories into the picture, or hides the faces in it.

use gst::glib;
use gst::prelude::*;

mod anonymize;
mod blend;
mod clock;
mod dimensions;
mod draw;
mod face_overlay;
mod geometry;
mod imp;
mod label_names;
mod layout;
mod memory;
mod negotiation;
mod palette;
mod privacy;
mod renderer;
mod settings;
mod state;
mod theme;

pub use label_names::Language;
pub use settings::{Bars, Privacy, Style};

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
    for property in [
        Bars::static_type(),
        Style::static_type(),
        Privacy::static_type(),
        Language::static_type(),
    ] {
        property.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "emotionoverlay",
        gst::Rank::NONE,
        EmotionOverlay::static_type(),
    )
}
