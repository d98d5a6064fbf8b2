//! The element `emotionsdrconvert` of `emotion-tag`: converts HDR video to SDR, and passes on all other video.

mod imp;
mod tone_curve;

use gst::glib;
use gst::prelude::*;
use gst_video::{VideoInfo, VideoTransferFunction};

pub(super) use self::tone_curve::HdrTransfer;

/// Its name in launch lines.
pub(super) const NAME: &str = "emotionsdrconvert";

glib::wrapper! {
    /// The element.
    pub struct SdrConvert(ObjectSubclass<imp::SdrConvert>)
        @extends gst_video::VideoFilter, gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element in this process.
pub(super) fn register() -> Result<(), glib::BoolError> {
    gst::Element::register(None, NAME, gst::Rank::NONE, SdrConvert::static_type())
}

/// How video with these caps stores brightness, if it is HDR video that the element converts.
pub(super) fn hdr_transfer(info: &VideoInfo) -> Option<HdrTransfer> {
    if !imp::is_convertible(info.format()) {
        return None;
    }
    match info.colorimetry().transfer() {
        VideoTransferFunction::Smpte2084 => Some(HdrTransfer::Pq),
        VideoTransferFunction::AribStdB67 => Some(HdrTransfer::Hlg),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
