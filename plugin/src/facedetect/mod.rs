//! `facedetect`: finds faces and puts them on the frame as regions of interest.

use gst::glib;
use gst::prelude::*;

mod imp;
mod load;
mod region;
mod settings;

/// What finds the faces.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionFaceDetector")]
#[repr(u32)]
pub enum Detector {
    /// This plugin's own.
    #[default]
    #[enum_value(name = "The plugin's own network", nick = "network")]
    Network,
    /// OpenCV's.
    #[enum_value(name = "A cascade of OpenCV, Haar or LBP", nick = "cascade")]
    Cascade,
}

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
