//! `facedetect`: finds faces and puts them on the frame as regions of interest.

use gst::glib;
use gst::prelude::*;

mod background;
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
    /// The element `facedetect`, also registered as `emotionfacedetect`.
    pub struct FaceDetect(ObjectSubclass<imp::FaceDetect>) @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// GStreamer's OpenCV plugin has a `facedetect` too; the second name always means this one.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for name in ["emotionfacedetect", "facedetect"] {
        gst::Element::register(
            Some(plugin),
            name,
            gst::Rank::NONE,
            FaceDetect::static_type(),
        )?;
    }
    Ok(())
}
