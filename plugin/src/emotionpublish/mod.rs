//! `emotionpublish`: writes the faces of each frame as JSON Lines.

use gst::glib;
use gst::prelude::*;

mod imp;
mod writer;

glib::wrapper! {
    /// The element `emotionpublish`.
    pub struct EmotionPublish(ObjectSubclass<imp::EmotionPublish>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "emotionpublish",
        gst::Rank::NONE,
        EmotionPublish::static_type(),
    )
}
