//! The live pictures of a stream for the page.

use std::time::Instant;

use anyhow::Context as _;
use axum::body::Bytes;
use gst::prelude::*;
use gst_video::VideoInfo;

use super::config::{EMOTIONOVERLAY, ElementProperties, PageSettings, PictureMode, make_element};
use super::element_chain::{ElementChain, ProcessedFrame};
use super::rate_limiter::RateLimiter;

/// Encodes frames of a stream as JPEG, with the results drawn in.
pub(super) struct PreviewEncoder {
    chain: ElementChain,
    size: gst::Element,
    greatest_width: u32,
    limiter: RateLimiter,
}

impl PreviewEncoder {
    /// `None` if the pictures are off. The setting `of_source` takes precedence over that of the page.
    pub(super) fn new(
        page: &PageSettings,
        of_source: Option<PictureMode>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(privacy) = of_source.unwrap_or(page.pictures).privacy() else {
            return Ok(None);
        };
        let make = |name| gst::ElementFactory::make(name).build();
        let (scale, size, encoder) = (
            make("videoconvertscale")?,
            make("capsfilter")?,
            make("jpegenc").context("jpegenc comes with gstreamer1.0-plugins-good")?,
        );
        let zones = ElementProperties::of("zones", "true");
        let overlay = make_element(EMOTIONOVERLAY, &[&zones, &page.overlay])?;
        overlay.set_property_from_str("privacy", privacy);
        encoder.set_property("quality", 80_i32);
        let chain = ElementChain::new(&[scale, size.clone(), overlay, encoder])?;
        Ok(Some(Self {
            chain,
            size,
            greatest_width: page.picture_width,
            limiter: RateLimiter::new(page.picture_period),
        }))
    }

    /// The JPEG of a frame that was captured at `captured`, or `None` if the rate of pictures leaves it out.
    pub(super) fn encode(
        &mut self,
        frame: &ProcessedFrame,
        info: &VideoInfo,
        captured: Instant,
    ) -> anyhow::Result<Option<Bytes>> {
        if !self.limiter.selects(captured) {
            return Ok(None);
        }
        let (width, height) = fitted(info, self.greatest_width);
        let caps = gst_video::VideoCapsBuilder::new()
            .format(gst_video::VideoFormat::I420)
            .width(width)
            .height(height)
            .pixel_aspect_ratio(gst::Fraction::new(1, 1))
            .build();
        self.size.set_property("caps", caps);
        let Some(picture) = self.chain.run(frame.buffer.clone(), &frame.caps)? else {
            return Ok(None);
        };
        let map = picture.buffer.map_readable()?;
        Ok(Some(Bytes::copy_from_slice(&map)))
    }
}

/// Width and height of the picture in square pixels: even numbers, the width at most `greatest`.
fn fitted(info: &VideoInfo, greatest: u32) -> (i32, i32) {
    let aspect = f64::from(info.par().numer().max(1)) / f64::from(info.par().denom().max(1));
    let (width, height) = (
        f64::from(info.width()) * aspect,
        f64::from(info.height().max(1)),
    );
    let scale = (f64::from(greatest) / width).min(1.0);
    let even = |length: f64| ((length * scale / 2.0).round() as i32).max(1) * 2;
    (even(width), even(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of(width: u32, height: u32, par: (i32, i32)) -> (i32, i32) {
        crate::init().expect("GStreamer starts");
        let info = VideoInfo::builder(gst_video::VideoFormat::I420, width, height)
            .par(gst::Fraction::new(par.0, par.1))
            .build()
            .expect("a size");
        fitted(&info, 640)
    }

    #[test]
    fn a_picture_keeps_its_shape_and_is_never_enlarged() {
        assert_eq!(size_of(1920, 1080, (1, 1)), (640, 360));
        assert_eq!(size_of(320, 240, (1, 1)), (320, 240));
        assert_eq!(size_of(720, 576, (16, 15)), (640, 480));
        assert_eq!(size_of(4000, 1, (1, 1)), (640, 2));
    }
}
