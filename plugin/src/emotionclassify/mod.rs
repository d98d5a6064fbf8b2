//! `emotionclassify`: classifies the emotion of each face on a frame.

use gst::glib;
use gst::prelude::*;

mod choices;
mod classify;
mod file_watcher;
mod frame;
mod imp;
mod loading;
mod messages;
mod model_info;
mod settings;

glib::wrapper! {
    /// The element `emotionclassify`.
    pub struct EmotionClassify(ObjectSubclass<imp::EmotionClassify>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for property in [
        choices::RestMoment::static_type(),
        choices::Smoothing::static_type(),
        choices::CropLight::static_type(),
        messages::EmotionMessages::static_type(),
    ] {
        property.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "emotionclassify",
        gst::Rank::NONE,
        EmotionClassify::static_type(),
    )
}
