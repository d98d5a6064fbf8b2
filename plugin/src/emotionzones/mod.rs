//! `emotionzones`: counts people in zones and their crossings of lines.

use gst::glib;
use gst::prelude::*;

mod imp;
mod messages;
mod settings;

glib::wrapper! {
    /// The element `emotionzones`.
    pub struct EmotionZones(ObjectSubclass<imp::EmotionZones>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    messages::ZoneMessages::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "emotionzones",
        gst::Rank::NONE,
        EmotionZones::static_type(),
    )
}
