//! `emotionclassify`: classifies the emotion of each face on a frame.

use gst::glib;
use gst::prelude::*;

mod choices;
mod file_watcher;
mod imp;
mod loading;
mod messages;
mod settings;

glib::wrapper! {
    /// The element `emotionclassify`.
    pub struct EmotionClassify(ObjectSubclass<imp::EmotionClassify>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "emotionclassify",
        gst::Rank::NONE,
        EmotionClassify::static_type(),
    )
}
