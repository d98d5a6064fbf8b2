//! `emotionpublish`: writes the faces of each frame to a file, or sends them to an MQTT broker or a Kafka cluster.

use gst::glib;
use gst::prelude::*;

use crate::kafka::SaslMechanism;

mod imp;
mod output;
mod properties;
mod selection;
mod settings;
mod writer;

pub use selection::RecordSelection;
pub use settings::{IncludedFrames, PublishMethod, RecordFormat};

glib::wrapper! {
    /// The element `emotionpublish`.
    pub struct EmotionPublish(ObjectSubclass<imp::EmotionPublish>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for property in [
        RecordFormat::static_type(),
        PublishMethod::static_type(),
        IncludedFrames::static_type(),
        SaslMechanism::static_type(),
    ] {
        property.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "emotionpublish",
        gst::Rank::NONE,
        EmotionPublish::static_type(),
    )
}
