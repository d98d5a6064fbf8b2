//! `emotionoverlay`: draws boxes, labels, probability bars, timelines and zones into the picture, and can hide the faces in it.

use gst::glib;
use gst::prelude::*;

mod anonymize;
mod blend;
mod dimensions;
mod draw;
mod face_overlay;
mod foreign_formats;
mod geometry;
mod imp;
mod label_names;
mod language;
mod layout;
mod negotiation;
mod palette;
mod privacy;
mod properties;
mod renderer;
mod settings;
mod sprite_cache;
mod state;
mod stored_frame;
mod summary;
mod theme;
mod timeline;
mod zone_overlay;

pub use language::Language;
pub use settings::{Bars, Privacy, PrivacyMissing, Style};

glib::wrapper! {
    /// The element `emotionoverlay`.
    pub struct EmotionOverlay(ObjectSubclass<imp::EmotionOverlay>)
        @extends gst::Element, gst::Object;
}

/// The colour of the emotion `label`, or of a face without one: red, green and blue. Reports and charts use the same.
pub fn colour(label: Option<&str>) -> [u8; 3] {
    let colour = label.map_or(palette::UNCLASSIFIED, |label| palette::colour(label, 0));
    let palette::Colour(red, green, blue) = colour;
    [red, green, blue]
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for property in [
        Bars::static_type(),
        Style::static_type(),
        Privacy::static_type(),
        PrivacyMissing::static_type(),
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
