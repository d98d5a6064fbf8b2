//! `emotionpublish`: writes the faces of each frame to a file, or sends them to an MQTT broker.

use gst::glib;
use gst::prelude::*;

mod imp;
mod output;
mod selection;
mod settings;
mod writer;

pub use selection::Selection;

/// How records are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishFormat")]
#[repr(u32)]
pub enum Format {
    /// A JSON object a frame.
    #[default]
    #[enum_value(name = "JSON Lines, an object for each frame", nick = "jsonl")]
    JsonLines,
    /// A line a face.
    #[enum_value(name = "CSV, a line for each face", nick = "csv")]
    Csv,
}

/// Where records go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishMethod")]
#[repr(u32)]
pub enum Method {
    /// To `location`.
    #[default]
    #[enum_value(name = "File, pipe, device or standard output", nick = "file")]
    File,
    /// To the broker at `address`.
    #[enum_value(name = "MQTT broker", nick = "mqtt")]
    Mqtt,
}

/// Which frames are recorded.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishInclude")]
#[repr(u32)]
pub enum Include {
    /// Every frame.
    #[default]
    #[enum_value(name = "Every frame", nick = "all")]
    All,
    /// Frames with other faces or emotions than the one that was recorded last.
    #[enum_value(
        name = "Frames whose faces or emotions differ from the last record",
        nick = "changes"
    )]
    Changes,
}

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
