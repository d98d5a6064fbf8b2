//! `facedetect`: finds faces and puts them on the frame as regions of interest.

use gst::glib;
use gst::prelude::*;

mod background;
mod imp;
mod load;
mod messages;
mod pacing;
mod region;
mod settings;
mod tracking;

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

/// Which messages the element posts on the bus.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionFaceNotify")]
#[repr(u32)]
pub enum Notify {
    /// No messages.
    #[default]
    #[enum_value(name = "None", nick = "none")]
    None,
    /// `face-appeared`, `face-lost` and `faces-changed`.
    #[enum_value(name = "When faces come and go", nick = "change")]
    Change,
    /// These, and `faces` with all of them.
    #[enum_value(name = "The faces of every frame as well", nick = "frame")]
    Frame,
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
