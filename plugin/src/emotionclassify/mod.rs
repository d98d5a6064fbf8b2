//! `emotionclassify`: says which emotion each face of a frame shows.

use gst::glib;
use gst::prelude::*;

mod batch;
mod imp;
mod judge;
mod notify;
mod settings;
mod watch;

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
