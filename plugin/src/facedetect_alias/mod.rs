//! `facedetect`: the short name of `emotionfacedetect`.
//!
//! GStreamer's OpenCV plugin has a `facedetect` too; the long name always means ours. Each name has a type of its own, so that an
//! element knows the factory that it comes from.

use gst::glib;
use gst::prelude::*;

use crate::facedetect::FaceDetect;

mod imp;

glib::wrapper! {
    /// The element `facedetect`.
    pub struct FaceDetectAlias(ObjectSubclass<imp::FaceDetectAlias>) @extends FaceDetect, gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "facedetect",
        gst::Rank::NONE,
        FaceDetectAlias::static_type(),
    )
}
