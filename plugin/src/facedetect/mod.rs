//! `facedetect`: finds faces and puts them on the frame as regions of interest.

use gst::glib;
use gst::prelude::*;

mod background;
mod camera_modes;
mod frame;
mod imp;
mod load;
mod messages;
mod per_frame;
mod properties;
mod region;
mod settings;
mod state;
mod tracking;

pub use settings::{DetectorKind, PostMessages};

glib::wrapper! {
    /// The element `emotionfacedetect`; `facedetect` is derived from it and adds nothing.
    pub struct FaceDetect(ObjectSubclass<imp::FaceDetect>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for property in [DetectorKind::static_type(), PostMessages::static_type()] {
        property.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "emotionfacedetect",
        gst::Rank::NONE,
        FaceDetect::static_type(),
    )
}
